//! Which nodes would be kept from running a job by a secret that it names, before it is submitted.

use std::collections::BTreeMap;

use skrei_job::{NodeId, Spec};

use super::{Given, scope};
use crate::store::{Error, NodeStanding, Store, StoredSecret};

/// What the secrets of a job have to say about nodes.
pub(crate) struct Plan {
    /// Those of the namespace that the job would get.
    stored: Vec<StoredSecret>,
    /// Those that somebody has yet to give.
    missing: Vec<String>,
    /// Those that would be given, and that the job does not name.
    unnamed: Vec<String>,
    job: String,
    nodes: BTreeMap<NodeId, NodeStanding>,
}

impl Plan {
    /// For a job that would be submitted with these secrets.
    pub(crate) async fn of(store: &Store, spec: &Spec, given: &Given) -> Result<Self, Error> {
        let mut plan = Self {
            stored: Vec::new(),
            missing: Vec::new(),
            unnamed: Vec::new(),
            job: spec.name().to_owned(),
            nodes: BTreeMap::new(),
        };
        let mut names: Vec<_> = spec.task().secrets.iter().map(|of_task| &of_task.name).collect();
        let unnamed = given.keys().filter(|name| !names.contains(name));
        plan.unnamed = unnamed.map(ToString::to_string).collect();
        names.retain(|name| !given.contains_key(*name));
        names.sort_unstable();
        names.dedup();
        for name in names {
            match store.secret_among(spec.namespace().to_owned(), name.clone()).await?.0 {
                Some(secret) => plan.stored.push(secret),
                None => plan.missing.push(name.to_string()),
            }
        }
        if !plan.stored.is_empty() {
            let nodes = store.nodes().await?.into_iter();
            plan.nodes = nodes.map(|node| (node.info.id.clone(), NodeStanding::from(node))).collect();
        }
        Ok(plan)
    }

    /// Why a node would not get a secret, each rule for itself.
    pub(crate) fn reasons(&self, node: &NodeId) -> Vec<String> {
        let Some(standing) = self.nodes.get(node) else { return Vec::new() };
        let reason = |secret: &StoredSecret| {
            let StoredSecret { name, scope, .. } = secret;
            if !scope.covers_job(&self.job) {
                let (scope, job) = (scope.shown(), &self.job);
                return Some(format!("the scope of secret `{name}` ({scope}) does not cover job `{job}`"));
            }
            let outside = scope::covers(scope, standing).err()?;
            Some(format!("the scope of secret `{name}` does not cover it: {outside}"))
        };
        self.stored.iter().filter_map(reason).collect()
    }

    /// What else is to be said.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let missing = self.missing.iter().map(|name| {
            format!("secret `{name}` is not kept here: the job is taken with --secret {name}=@FILE alone")
        });
        let unnamed = self.unnamed.iter().map(|name| {
            format!("secret `{name}` is given, and the job does not name it: it is not taken with it")
        });
        missing.chain(unnamed)
    }
}
