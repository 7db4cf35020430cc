//! `--seal-to-nodes`: secrets that nobody between this command and the nodes can open.
//!
//! The orchestrator says which keys its nodes have. What makes that more than its word: a key that `--node-key` names, or
//! that this command has seen before ([`known`]).

mod known;

use std::collections::BTreeMap;

use skrei_job::{
    Manifest, NodeId, Spec,
    secret::{Name, SealedByClient},
};
use skrei_protocol::{api::secret::NodeKey, client::Client, link::by_client};
use skrei_vault::{Envelope, Recipient};

use crate::{config::Config, error::Error, given_secret::GivenSecret, terminal};
use known::Known;

/// How to tell a node's key without the orchestrator.
const ON_THE_NODE: &str = "`skrei secret node-key`, run on the node, says which key it has";

/// Whose keys secrets may be sealed to.
#[derive(Debug, clap::Args)]
pub(crate) struct NodeKeys {
    /// Seal secrets to this node, by the key that `skrei secret node-key` prints there, and to no node that is not named so;
    /// repeatable [default: the nodes that match, by the keys seen before, or else those the orchestrator says]
    #[arg(long = "node-key", value_name = "NODE=KEY")]
    node_keys: Vec<String>,
}

/// A node, and the key of its that was decided to be right.
struct Sealee {
    node: NodeId,
    key: Recipient,
}

impl NodeKeys {
    /// Whether there are any.
    pub(crate) fn are_given(&self) -> bool {
        !self.node_keys.is_empty()
    }

    /// Seals secrets for one job, as it is written, to the nodes that match it.
    ///
    /// # Errors
    /// A node has another key than it should, or there is no node to seal to.
    pub(crate) async fn seal(
        &self,
        config: &Config,
        client: &Client,
        spec: &Spec,
        secrets: &[GivenSecret],
    ) -> Result<BTreeMap<Name, SealedByClient>, Error> {
        if spec.name().is_empty() {
            return Err(Error::usage("secrets are sealed for a job by its name, and this one has none")
                .hint("give it one: `Name: deploy-certs`"));
        }
        let sealees = self.sealees(config, client, spec).await?;
        if sealees.is_empty() {
            return Err(Error::not_found("there is no node that the secrets could be sealed to: none that is connected matches the job")
                .hint("`skrei node list` shows the nodes; its constraints may ask for more than they have"));
        }
        let job = canonical(spec.manifest())?;
        let envelope = |given: &GivenSecret| {
            let context = by_client(&job, &given.name);
            let cannot = |_| Error::internal(format!("secret `{}` cannot be sealed", given.name));
            let envelope = Envelope::new(given.value(), &context).map_err(cannot)?;
            let key = |Sealee { node, key }: &Sealee| {
                let of_node = context.clone().with(node.as_str());
                Ok((node.clone(), envelope.key_for(key, &of_node).map_err(cannot)?))
            };
            let keys = sealees.iter().map(key).collect::<Result<_, Error>>()?;
            Ok((given.name.clone(), SealedByClient { content: envelope.content().to_owned(), keys }))
        };
        let sealed = secrets.iter().map(envelope).collect::<Result<_, Error>>()?;
        let nodes: Vec<&str> = sealees.iter().map(|sealee| sealee.node.as_str()).collect();
        terminal::note(&format!("Sealed to {}.", some_of(&nodes)));
        Ok(sealed)
    }

    async fn sealees(&self, config: &Config, client: &Client, spec: &Spec) -> Result<Vec<Sealee>, Error> {
        let pinned = self.node_keys.iter().map(|text| pinned(text)).collect::<Result<Vec<_>, _>>()?;
        let told = client.sealing_keys().await?;
        if !pinned.is_empty() {
            // What the orchestrator says is of no interest, but for the mistake that it shows.
            for Sealee { node, key } in &pinned {
                let said = told.iter().find(|told| told.node_id == node.as_str());
                if let Some(said) = said.filter(|said| said.sealing_key != key.to_string()) {
                    terminal::warn(&format!(
                        "the orchestrator says that node `{node}` has another key than --node-key does: {}",
                        said.sealing_key
                    ));
                }
            }
            return Ok(pinned);
        }
        let mut known = Known::open(&config.data_dir, client.endpoint())?;
        let matching = told.iter().filter(|told| is_meant(spec, told));
        let sealees = matching.map(|told| believed(&mut known, told)).collect::<Result<_, Error>>()?;
        known.save()?;
        Ok(sealees)
    }
}

/// A key that is the one seen before, or the first that is seen.
fn believed(known: &mut Known, told: &NodeKey) -> Result<Sealee, Error> {
    let NodeKey { node_id: node, sealing_key, .. } = told;
    // It is written into a line of a file: one with a line break would be lines that say whom else to believe.
    if node.is_empty() || node.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Error::refused(format!(
            "the orchestrator says that a node is called {node:?}, as no node is"
        )));
    }
    match known.key(node) {
        None => {
            terminal::note(&format!("Node {node} is met for the first time; its key is {sealing_key}"));
            known.add(node, sealing_key);
        }
        Some(before) if before == sealing_key => {}
        Some(before) => {
            return Err(Error::refused(format!(
                "the orchestrator says that node `{node}` has the key {sealing_key}, and before it was {before}: either \
                 the node was set up anew, or somebody wants to read what is sealed to it"
            ))
            .hint(format!(
                "{ON_THE_NODE}. If it is the new one, remove the line of the node from `{}`",
                known.path().display()
            )));
        }
    }
    let key = sealing_key
        .parse()
        .map_err(|error| Error::refused(format!("the key of node `{node}` is {error}")))?;
    Ok(Sealee { node: NodeId::new(node.as_str()), key })
}

/// Whether a job could be placed on a node, by their labels. Wishes keep it off none.
fn is_meant(spec: &Spec, told: &NodeKey) -> bool {
    let excluding = spec.constraints().iter().filter(|requirement| !requirement.key.starts_with("favour_"));
    excluding.into_iter().all(|requirement| requirement.matches(&told.labels))
}

fn pinned(text: &str) -> Result<Sealee, Error> {
    // Keys end in `=`.
    let parts = text.split_once('=').filter(|(node, _)| !node.is_empty());
    let (node, key) = parts.ok_or_else(|| {
        Error::usage(format!("--node-key {text}: a node and its key are NODE=KEY")).hint(ON_THE_NODE)
    })?;
    let key =
        key.parse().map_err(|error| Error::usage(format!("--node-key {text}: {error}")).hint(ON_THE_NODE))?;
    Ok(Sealee { node: NodeId::new(node), key })
}

fn canonical(manifest: &Manifest) -> Result<Vec<u8>, Error> {
    manifest.canonical().map_err(|error| Error::internal(format!("the job cannot be written down: {error}")))
}

/// The first few, and how many more.
fn some_of(names: &[&str]) -> String {
    const SHOWN_MAX: usize = 10;
    let shown = names.iter().take(SHOWN_MAX).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use skrei_job::labels::Labels;
    use skrei_vault::SealingKey;

    use super::*;

    #[test]
    fn a_key_that_changed_is_refused_until_somebody_looks() {
        let directory = tempfile::tempdir().unwrap();
        let keys = [(); 2].map(|()| SealingKey::generate().unwrap().recipient().to_string());
        let told = |sealing_key: &str| NodeKey {
            node_id: "web-1".to_owned(),
            sealing_key: sealing_key.to_owned(),
            labels: Labels::new(),
        };
        let open = |endpoint| Known::open(directory.path(), endpoint).unwrap();
        let mut known = open("http://one");
        believed(&mut known, &told(&keys[0])).unwrap();
        known.save().unwrap();
        believed(&mut open("http://one"), &told(&keys[0])).unwrap();
        let refused = believed(&mut open("http://one"), &told(&keys[1])).err().unwrap();
        let refused = format!("{refused:?}");
        assert!(refused.contains(&keys[0]) && refused.contains("node-key"), "{refused}");
        // Another orchestrator has other nodes, and says nothing of those of the first.
        believed(&mut open("http://two"), &told(&keys[1])).unwrap();
        for node_id in [String::new(), format!("a {}\nhttp://one web-1", keys[1]), "web 1".to_owned()] {
            let smuggled = NodeKey { node_id, ..told(&keys[1]) };
            assert!(believed(&mut open("http://two"), &smuggled).is_err(), "{smuggled:?}");
        }
    }

    #[test]
    fn a_pinned_key_is_a_node_and_a_key() {
        let key = SealingKey::generate().unwrap().recipient().to_string();
        let sealee = pinned(&format!("web-1={key}")).unwrap();
        assert_eq!((sealee.node.as_str(), sealee.key.to_string()), ("web-1", key.clone()));
        for wrong in [key.clone(), format!("={key}"), "web-1=AAAA".to_owned()] {
            assert!(pinned(&wrong).is_err(), "{wrong}");
        }
    }
}
