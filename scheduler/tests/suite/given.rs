//! Jobs and nodes to tell stories about.

use std::sync::Arc;

use skrei_job::{Manifest, NodeId, Spec, manifest, outcome::*, resources::Resources};
use skrei_scheduler::{Membership, NodeInfo};

/// A job file in the making.
#[derive(Clone)]
pub(crate) struct JobFile(Manifest);

pub(crate) fn ops() -> JobFile {
    job("ops")
}

pub(crate) fn batch(count: i64) -> JobFile {
    let mut file = job("batch");
    file.0.count = Some(count);
    file
}

pub(crate) fn service(count: i64) -> JobFile {
    let mut file = job("service");
    file.0.count = Some(count);
    file
}

pub(crate) fn daemon() -> JobFile {
    job("daemon")
}

pub(crate) fn job(kind: &str) -> JobFile {
    let params = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).into())).collect()
    };
    let module = manifest::InputSource {
        source: manifest::Typed {
            kind: "inline".into(),
            params: params(&[("URL", "data:application/wasm;base64,AGFzbQEAAAA=")]),
        },
        alias: String::new(),
        target: "/main.wasm".into(),
    };
    let task = manifest::Task {
        name: "main".into(),
        engine: manifest::Typed { kind: "wasm".into(), params: params(&[("EntryModule", "/main.wasm")]) },
        input_sources: vec![module],
        ..manifest::Task::default()
    };
    JobFile(Manifest { name: "story".into(), kind: kind.into(), tasks: vec![task], ..Manifest::default() })
}

impl JobFile {
    pub(crate) fn only(mut self, key: &str, operator: &str, values: &[&str]) -> Self {
        self.0.constraints.push(manifest::Constraint {
            key: key.into(),
            operator: operator.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        });
        self
    }

    pub(crate) fn cpu(mut self, millis: u64) -> Self {
        self.0.tasks[0].resources.cpu = format!("{millis}m");
        self
    }

    pub(crate) fn priority(mut self, priority: i64) -> Self {
        self.0.priority = priority;
        self
    }

    pub(crate) fn queue_timeout(mut self, seconds: i64) -> Self {
        self.0.tasks[0].timeouts.queue_timeout = seconds;
        self
    }

    pub(crate) fn total_timeout(mut self, seconds: i64) -> Self {
        self.0.tasks[0].timeouts.total_timeout = seconds;
        self
    }

    pub(crate) fn rollout(mut self, change: impl FnOnce(&mut manifest::Rollout)) -> Self {
        change(&mut self.0.rollout);
        self
    }

    pub(crate) fn wait_for_absent(self, text: &str) -> Self {
        self.rollout(|rollout| rollout.wait_for_absent = text.into())
    }

    pub(crate) fn retry(mut self, attempts: i64, backoff: &str, on: &[&str]) -> Self {
        self.0.retry = manifest::Retry {
            attempts: Some(attempts),
            backoff: backoff.into(),
            on: on.iter().map(|word| (*word).to_owned()).collect(),
        };
        self
    }

    pub(crate) fn spec(self) -> Arc<Spec> {
        Arc::new(Spec::try_from(self.0).expect("the job file of a story is right"))
    }
}

/// A node with four cores and no labels.
pub(crate) fn node(name: &str) -> NodeInfo {
    NodeInfo {
        id: NodeId::new(name),
        labels: [("name".to_owned(), name.to_owned())].into(),
        engines: ["wasm".to_owned()].into(),
        capacity: Resources {
            cpu_millis: 4000,
            memory_bytes: 64_000_000_000,
            disk_bytes: 100_000_000_000,
            gpus: 0,
        },
        membership: Membership::Approved,
    }
}

pub(crate) fn labelled(name: &str, key: &str, value: &str) -> NodeInfo {
    let mut node = node(name);
    node.labels.insert(key.to_owned(), value.to_owned());
    node
}

pub(crate) fn small(name: &str, cpu_millis: u64) -> NodeInfo {
    let mut node = node(name);
    node.capacity.cpu_millis = cpu_millis;
    node
}

pub(crate) fn failure(cause: Cause, message: &str) -> Failure {
    Failure { cause, message: message.into(), hint: None, output: RunOutput::default() }
}

pub(crate) fn refusal(message: &str) -> Refusal {
    Refusal { rule: Rule::AllowList, message: message.into(), hint: Some("allow it".into()) }
}
