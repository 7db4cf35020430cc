//! Jobs for tests.

use bytes::Bytes;
use serde_json::{Value, json};
use skrei_job::Manifest;
use skrei_protocol::{
    api::{event::StreamEvent, history::Level, job::GetJobResponse},
    client::{Client, Events},
};

/// A job made from a test guest.
#[derive(Clone)]
pub(crate) struct JobFile(Value);

impl JobFile {
    /// A job of this type that runs this module, uploaded to the orchestrator, with these arguments. It asks for
    /// little, so that many run at once.
    pub(crate) async fn new(client: &Client, kind: &str, module: &'static [u8], arguments: &[&str]) -> Self {
        let artifact = client.ensure_artifact(Bytes::from_static(module)).await.expect("an upload");
        Self(json!({
            "Type": kind,
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "/wasm/main.wasm", "Parameters": arguments}},
                "InputSources": [{
                    "Source": {"Type": "artifact", "Params": {"Digest": artifact.digest, "Size": artifact.size}},
                    "Target": "/wasm/main.wasm",
                }],
                "Resources": {"CPU": "10m", "Memory": "16MB"},
            }],
        }))
    }

    /// The same with the nodes' shared directory mounted.
    pub(crate) fn mounted(mut self, read_write: bool) -> Self {
        let mount = json!({
            "Source": {"Type": "localDirectory", "Params": {"SourcePath": "/etc/nginx/ssl", "ReadWrite": read_write}},
            "Target": "/out",
        });
        self.0["Tasks"][0]["InputSources"].as_array_mut().expect("a list").push(mount);
        self
    }

    /// The same with another value for a field, by JSON pointer.
    pub(crate) fn with(mut self, pointer: &str, value: Value) -> Self {
        match self.0.pointer_mut(pointer) {
            Some(field) => *field = value,
            None => {
                let (object, key) = pointer.rsplit_once('/').expect("a pointer");
                self.0.pointer_mut(object).expect("an object")[key] = value;
            }
        }
        self
    }

    pub(crate) fn manifest(&self) -> Manifest {
        serde_json::from_value(self.0.clone()).expect("a manifest")
    }
}

/// Follows a job to its end and returns it with its executions and history.
pub(crate) async fn wait_for_end(client: &Client, job: &str) -> GetJobResponse {
    let mut events = client.events(Some(job), 0).await.expect("an event stream");
    let patience = super::PATIENCE;
    let ended = tokio::time::timeout(patience, end(&mut events)).await;
    let job = client.job(job, "executions,history").await.expect("the job");
    assert!(ended.is_ok(), "the job did not end within {patience:?}: {job:#?}");
    job
}

async fn end(events: &mut Events) {
    while !is_end(&events.next().await.expect("an event")) {}
}

/// Whether an event says that its job has ended.
pub(crate) fn is_end(event: &StreamEvent) -> bool {
    event.entry.kind == Level::Job
        && matches!(event.entry.event.detail("NewState"), Some("Completed" | "Failed" | "Stopped"))
}
