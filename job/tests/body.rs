//! Jobs as API clients send them: any case of keys, nulls, unknown keys, fields of the server.

use serde_json::{Value, json};
use skrei_job::{
    Problems, read,
    spec::{Kind, Mode, Network, Source},
    validate::Checked,
};

fn submit(body: &Value) -> Result<Checked, Problems> {
    read::body(body).check(None)
}

/// A valid body with some fields replaced.
fn job(fields: Value) -> Value {
    let mut body = json!({
        "Name": "hello", "Type": "batch",
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm"}},
            "InputSources": [{"Source": {"Type": "inline", "Params": {"URL": "data:,m"}}, "Target": "/main.wasm"}],
        }],
    });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn task(fields: Value) -> Value {
    let mut body = job(json!({}));
    if let (Some(task), Value::Object(fields)) = (body["Tasks"][0].as_object_mut(), fields) {
        task.extend(fields);
    }
    body
}

#[test]
fn a_body_full_of_nulls_and_odd_keys_is_understood() {
    let body = json!({
        "ID": "", "name": "hello", "NAMESPACE": "", "type": "Batch", "Priority": 0, "Count": null,
        "Constraints": null, "Meta": null, "Labels": null, "Unknown": {"a": 1},
        "Tasks": [{
            "Name": "main", "Meta": null, "Env": null, "ResultPaths": null, "Publisher": null,
            "Engine": {"Type": "WASM", "Params": {
                "entrymodule": "main.wasm", "EntryPoint": "_start", "ImportModules": null, "Parameters": null,
            }},
            "InputSources": [{"Source": {"type": "inline", "Params": {"url": "data:,m"}}, "Alias": "", "Target": "main.wasm"}],
            "Resources": {"CPU": "", "Memory": ""}, "Network": {"Type": "Default"}, "Timeouts": {},
        }],
        "State": {"StateType": "Undefined"}, "Version": 0, "CreateTime": 0,
    });
    let Checked { spec, warnings } = submit(&body).unwrap();
    assert_eq!(spec.kind(), Kind::Batch { count: 1 });
    assert_eq!(spec.namespace(), "default");
    assert_eq!(spec.task().program.entry_point, "_start");
    assert_eq!(spec.task().program.module, Source::Inline(b"m".to_vec()));
    assert!(spec.task().inputs.is_empty());
    assert_eq!((spec.task().resources.cpu_millis, spec.task().resources.memory_bytes), (500, 512_000_000));
    assert_eq!(spec.task().network, Network::None);
    let warned: Vec<_> = warnings.iter().map(|warning| warning.path.as_str()).collect();
    assert_eq!(warned, ["CreateTime", "ID", "State", "Version"]);
}

#[test]
fn count_means_what_the_type_makes_of_it() {
    for (kind, count, expected) in [
        ("batch", json!(null), Some(Kind::Batch { count: 1 })),
        ("batch", json!(0), Some(Kind::Batch { count: 0 })),
        ("service", json!(7), Some(Kind::Service { count: 7 })),
        ("ops", json!(1), Some(Kind::Ops)),
        ("daemon", json!(0), Some(Kind::Daemon)),
        ("ops", json!(2), None),
        ("batch", json!(-1), None),
        ("batch", json!(1e9), None),
        ("batch", json!(1_000_000), None),
        ("cron", json!(1), None),
    ] {
        let found =
            submit(&job(json!({"Type": kind, "Count": count}))).ok().map(|checked| checked.spec.kind());
        assert_eq!(found, expected, "{kind} {count}");
    }
}

#[test]
fn each_rule_of_submission_refuses() {
    for (body, path) in [
        (job(json!({"Tasks": []})), "Tasks"),
        (job(json!({"Name": "a\0b"})), "Name"),
        (job(json!({"Namespace": " "})), "Namespace"),
        (
            job(json!({"Constraints": [{"Key": "a", "Operator": "!", "Values": ["b"]}]})),
            "Constraints[0].Values",
        ),
        (
            job(json!({"Constraints": [{"Key": "a", "Operator": "gt", "Values": ["b"]}]})),
            "Constraints[0].Values[0]",
        ),
        (task(json!({"Name": ""})), "Tasks[0].Name"),
        (task(json!({"Engine": {"Type": " "}})), "Tasks[0].Engine"),
        (task(json!({"Env": {"foo": "x"}})), "Tasks[0].Env.foo"),
        (task(json!({"Env": {"FOO": ""}})), "Tasks[0].Env.FOO"),
        (task(json!({"Timeouts": {"QueueTimeout": -1}})), "Tasks[0].Timeouts.QueueTimeout"),
        (task(json!({"Resources": {"CPU": "-1"}})), "Tasks[0].Resources.CPU"),
        (task(json!({"ResultPaths": [{"Name": "o", "Path": "/o"}]})), "Tasks[0].ResultPaths"),
        (task(json!({"Network": {"Type": "None", "Domains": ["a"]}})), "Tasks[0].Network.Domains"),
        (task(json!({"Publisher": {"Type": "ipfs"}})), "Tasks[0].Publisher.Type"),
        (task(json!({"InputSources": []})), "Tasks[0].Engine.Params.EntryModule"),
    ] {
        let problems = submit(&body).unwrap_err();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [path], "{problems}");
    }
}

#[test]
fn a_host_path_keeps_its_mode() {
    let source = |params: Value| {
        let module =
            json!({"Source": {"Type": "inline", "Params": {"URL": "data:,m"}}, "Target": "/main.wasm"});
        let host = json!({"Source": {"Type": "local", "Params": params}, "Target": "ssl/"});
        let checked = submit(&task(json!({"InputSources": [module, host]}))).ok()?;
        let input = checked.spec.task().inputs[0].clone();
        assert_eq!(input.target, "/ssl");
        match input.source {
            Source::HostPath(path) => Some(path.mode),
            Source::Artifact { .. } | Source::Inline(_) | Source::Archive(_) | Source::Scratch => None,
        }
    };
    assert_eq!(source(json!({"SourcePath": "/etc/ssl"})), Some(Mode::ReadOnly));
    assert_eq!(source(json!({"SourcePath": "/etc/ssl", "ReadWrite": "true"})), Some(Mode::ReadWrite));
    assert_eq!(
        source(json!({"sourcepath": "/etc/ssl", "readwrite": true, "createas": "DIR"})),
        Some(Mode::ReadWrite)
    );
    assert_eq!(source(json!({"SourcePath": "/etc/ssl", "CreateAs": "dir"})), None);
    assert_eq!(source(json!({"SourcePath": "/etc/ssl", "ReadWrite": true, "readwrite": false})), None);
    assert_eq!(source(json!({"SourcePath": "etc/ssl"})), None);
}

#[test]
fn a_spec_checks_itself_when_it_is_read() {
    let spec = submit(&job(json!({"Meta": {"bacalhau.org/x": "y"}}))).unwrap().spec;
    let mut stored = serde_json::to_value(&spec).unwrap();
    assert_eq!(serde_json::from_value::<skrei_job::Spec>(stored.clone()).unwrap(), spec);
    stored["Type"] = json!("cron");
    let refused = serde_json::from_value::<skrei_job::Spec>(stored).unwrap_err();
    assert!(refused.to_string().contains("`cron` is not a job type"), "{refused}");
}
