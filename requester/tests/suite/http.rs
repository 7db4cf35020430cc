//! The API as a program sees it that knows nothing of ours: bytes, statuses and JSON.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

use super::harness::Orchestrator;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body of a success, which is always 200.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()
    }

    /// The envelope of an error with this status.
    pub(crate) fn error(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let body = self.json();
        assert_eq!(body["Status"], status, "{body}");
        for text in ["Message", "Code", "Component", "RequestID"] {
            assert!(body[text].is_string(), "{text}: {body}");
        }
        assert!(!body["Message"].as_str().unwrap().is_empty(), "{body}");
        body
    }
}

impl Orchestrator {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        Client::new().request(method, format!("{}{path}", self.api))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        // As the Python client does: it always says so.
        answer(self.request(Method::GET, path).header("Content-Type", "application/json")).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::PUT, path).json(body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str, body: Option<&Value>) -> Answer {
        let request = self.request(Method::DELETE, path);
        answer(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    }

    /// Submits a job as JSON and returns its id.
    pub(crate) async fn put_job(&self, job: &Value) -> String {
        let accepted = self.put("/orchestrator/jobs", &json!({ "Job": job })).await.ok();
        accepted["JobID"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn answer(request: RequestBuilder) -> Answer {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Answer { status, headers, text: answer.text().await.unwrap() }
}

/// What Bacalhau's command sends for `wasm run`: every field, most of them null.
pub(crate) fn go_body() -> Value {
    json!({
        "Namespace": "", "Credential": {"Scheme": "Bearer", "Value": "x", "Params": null}, "IdempotencyToken": "",
        "Job": {
            "ID": "", "Name": "", "Namespace": "default", "Type": "batch", "Priority": 0, "Count": 1,
            "Constraints": null, "Meta": null, "Labels": {},
            "Tasks": [{
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {
                    "EntryModule": "main.wasm", "Entrypoint": "_start", "ImportModules": null, "Parameters": [],
                }},
                "Publisher": null,
                "InputSources": [module()],
                "Resources": {}, "Timeouts": {},
            }],
            "State": {"StateType": "Undefined"}, "Version": 0, "Revision": 0, "CreateTime": 0, "ModifyTime": 0,
        },
        "Force": false,
    })
}

/// What Bacalhau's Python client sends: only the keys that were set.
pub(crate) fn python_body(name: &str) -> Value {
    json!({"Job": {"Count": 1, "Name": name, "Type": "batch", "Tasks": [{
        "Name": "main",
        "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
        "InputSources": [module()],
        "Publisher": {},
    }]}})
}

/// A valid job of this type, with some fields replaced.
pub(crate) fn job_with(kind: &str, fields: Value) -> Value {
    let mut job = python_body("")["Job"].take();
    job["Type"] = kind.into();
    job.as_object_mut().unwrap().remove("Count");
    let (Some(job_fields), Value::Object(fields)) = (job.as_object_mut(), fields) else { panic!("objects") };
    job_fields.extend(fields);
    job
}

/// The same with fields of its task replaced.
pub(crate) fn task_with(kind: &str, fields: Value) -> Value {
    let mut job = job_with(kind, json!({}));
    let (Some(task), Value::Object(fields)) = (job["Tasks"][0].as_object_mut(), fields) else {
        panic!("objects")
    };
    task.extend(fields);
    job
}

fn module() -> Value {
    let url = format!("data:application/wasm;base64,{}", BASE64_STANDARD.encode(b"\0asm\x01\0\0\0"));
    json!({"Source": {"Type": "inline", "Params": {"URL": url}}, "Alias": "", "Target": "main.wasm"})
}
