//! Nodes that secrets are sealed to, and what is given to them.

use std::{collections::BTreeMap, path::Path};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use skrei_job::{ExecutionId, JobId, Manifest, NodeId, outcome::Rule, secret::Name};
use skrei_protocol::{
    api::secret::PutSecretRequest,
    client,
    link::{Assignment, FromNode, Hello, NodeInfo, SealedSecret, Secrets, ToNode, WantSecrets, delivery},
};
use skrei_vault::{Opener, SealingKey};

use super::harness::{Node, Orchestrator, hello, job};

pub(crate) const VALUE: &str = "canary-Zx93kQpL0vTtE7mW/+?";

/// A node with a sealing key.
pub(crate) struct Sealed {
    pub(crate) name: &'static str,
    pub(crate) key: SealingKey,
    pub(crate) link: Node,
}

impl Sealed {
    pub(crate) async fn connect(
        orchestrator: &Orchestrator,
        name: &'static str,
        labels: &[(&str, &str)],
    ) -> Self {
        Self::connect_with(orchestrator, name, SealingKey::generate().unwrap(), labels).await
    }

    pub(crate) async fn connect_with(
        orchestrator: &Orchestrator,
        name: &'static str,
        key: SealingKey,
        labels: &[(&str, &str)],
    ) -> Self {
        let greeting = hello(name);
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        let info = NodeInfo { sealing_key: key.recipient().to_string(), labels, ..greeting.info.clone() };
        let mut link = orchestrator.dial_as(name).await;
        link.say(FromNode::Hello(Hello { info, ..greeting })).await;
        assert!(matches!(link.hear().await, ToNode::Welcome(_)));
        Self { name, key, link }
    }

    /// The next one; what else is said before it is of no interest here.
    pub(crate) async fn assignment(&mut self) -> Assignment {
        self.link
            .hear_until(|message| match message {
                ToNode::Run(assignment) => Ok(*assignment),
                other => Err(other),
            })
            .await
    }

    pub(crate) async fn ask(&mut self, job: &JobId, execution: &ExecutionId) -> Secrets {
        let wanted = WantSecrets { execution: execution.clone(), job: job.clone() };
        self.link.say(FromNode::WantSecrets(wanted)).await;
        self.link
            .hear_until(|message| match message {
                ToNode::Secrets(secrets) => Ok(secrets),
                other => Err(other),
            })
            .await
    }

    /// What it gets to read, or the rule in its way.
    pub(crate) async fn get(&mut self, job: &JobId, execution: &ExecutionId) -> Result<String, String> {
        let answer = self.ask(job, execution).await;
        let recorded = serde_json::to_string(&answer).unwrap();
        assert!(
            !recorded.contains(VALUE) && !recorded.contains(&BASE64_STANDARD.encode(VALUE)),
            "{recorded}"
        );
        let sealed = answer.result.map_err(|refusal| {
            assert_eq!(refusal.rule, Rule::Secret);
            refusal.message
        })?;
        Ok(self.opened(execution, &sealed))
    }

    /// What the one secret of an execution is.
    pub(crate) fn opened(&self, execution: &ExecutionId, sealed: &[SealedSecret]) -> String {
        let [secret] = sealed else { panic!("{} secrets", sealed.len()) };
        assert_eq!(secret.content, None, "the orchestrator sealed it");
        let context = delivery(&NodeId::new(self.name), execution, &secret.name);
        let opened = Opener::default().open(&self.key, &secret.sealed, &context).unwrap();
        String::from_utf8(opened.expose().clone()).unwrap()
    }
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(crate) fn with_secret(kind: &str, job_name: &str) -> Manifest {
    let mut job = job(kind);
    job_name.clone_into(&mut job.name);
    job.tasks[0].secrets =
        serde_json::from_value(json!([{"Name": "key", "Target": "/secrets/key"}])).unwrap();
    job
}

pub(crate) fn given(value: &str) -> BTreeMap<Name, String> {
    BTreeMap::from([(name("key"), BASE64_STANDARD.encode(value))])
}

pub(crate) fn put(value: &str, jobs: &[&str], nodes: Option<&str>) -> PutSecretRequest {
    PutSecretRequest {
        value: BASE64_STANDARD.encode(value),
        jobs: (!jobs.is_empty()).then(|| jobs.iter().map(|&job| job.to_owned()).collect()),
        nodes: nodes.map(str::to_owned),
        rotate: false,
    }
}

pub(crate) fn said(error: client::Error) -> String {
    format!("{error:?}")
}

/// Whether a text, or its base64, is in any file below a directory.
pub(crate) fn is_below(directory: &Path, text: &str) -> bool {
    let forms = [text.to_owned(), BASE64_STANDARD.encode(text)];
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => is_below(&path, text),
        false => {
            let content = std::fs::read(path).unwrap_or_default();
            forms.iter().any(|form| content.windows(form.len()).any(|window| window == form.as_bytes()))
        }
    })
}
