//! Jobs as API clients send them: any case of keys, nulls, unknown keys, fields of the server.

use serde_json::{Map, Value, json};
use skrei_job::{
    Digest, Manifest, Problems, Spec,
    publication::Encoding,
    read,
    spec::{Kind, Mode, Network, Publisher, Source},
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
    assert_eq!(warnings, [], "what Go sends for fields that nobody set is nothing to warn of");
}

#[test]
fn fields_of_the_orchestrator_are_ignored_with_a_word_if_somebody_set_them() {
    let body = job(json!({
        "ID": "j-1", "State": {"StateType": "Running", "Message": ""}, "Version": 1, "Revision": 0, "CreateTime": 5,
        "ModifyTime": null,
    }));
    let warnings = submit(&body).unwrap().warnings;
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
            _ => None,
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

#[test]
fn what_is_fetched_says_from_where_and_what_is_expected() {
    let inputs = |source: Value, target: &str| {
        let input = json!({"Source": source, "Target": target});
        let module =
            json!({"Source": {"Type": "inline", "Params": {"URL": "data:,m"}}, "Target": "/main.wasm"});
        submit(&task(json!({"InputSources": [module, input]})))
    };
    let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let url =
        json!({"Type": "urlDownload", "Params": {"url": "https://a.example/x/a.txt?s=1", "sha256": digest}});
    let checked = inputs(url, "/in").unwrap();
    let input = &checked.spec.task().inputs[0];
    assert_eq!(input.target, "/in/a.txt");
    let Source::Download(download) = &input.source else { panic!("{input:?}") };
    assert_eq!((download.name(), download.digest), ("a.txt", Some(Digest::of(b""))));
    // What clients send for what they leave out counts as left out.
    let objects = json!({"Type": "S3", "Params": {
        "bucket": "logs", "key": "2026/*", "Filter": "", "Region": "eu-1", "Endpoint": "", "VersionID": "",
        "ChecksumSHA256": "", "Partition": {"type": "substring", "StartIndex": 0, "endindex": 2},
    }});
    let checked = inputs(objects, "/in").unwrap();
    assert!(matches!(&checked.spec.task().inputs[0].source, Source::Objects(_)));
    assert_eq!(
        Spec::try_from(checked.spec.manifest().clone()),
        Ok(checked.spec),
        "read again it is the same"
    );

    for (source, path) in [
        (json!({"Type": "urlDownload", "Params": {"URL": "https://u:secret@a.example/x"}}), "URL"),
        (json!({"Type": "urlDownload", "Params": {"URL": "file:///etc/passwd"}}), "URL"),
        (json!({"Type": "urlDownload", "Params": {"URL": "https://a.example/x", "SHA256": "abc"}}), "SHA256"),
        (json!({"Type": "s3", "Params": {"Bucket": "A/b"}}), "Bucket"),
        (json!({"Type": "s3", "Params": {"Bucket": "logs", "Key": "a", "Filter": "x"}}), "Filter"),
        (json!({"Type": "s3", "Params": {"Bucket": "logs", "Filter": "("}}), "Filter"),
        (json!({"Type": "s3", "Params": {"Bucket": "logs", "Key": "a/", "VersionID": "1"}}), "VersionID"),
        (
            json!({"Type": "s3", "Params": {"Bucket": "logs", "Partition": {"Type": "regex"}}}),
            "Partition.Pattern",
        ),
    ] {
        let problems = inputs(source.clone(), "/in").unwrap_err();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, [format!("Tasks[0].InputSources[1].Source.Params.{path}")], "{source}");
        assert!(!problems.to_string().contains("secret"));
    }
}

#[test]
fn results_go_where_the_publisher_says_under_names_that_are_plain() {
    let with = |publisher: Value, name: &str| {
        submit(&task(json!({"Publisher": publisher, "ResultPaths": [{"Name": name, "Path": "/out"}]})))
    };
    let bucket = json!({"Type": "S3", "Params": {"bucket": "out", "key": "{jobID}/{executionID}", "encoding": "plain"}});
    let checked = with(bucket, "outputs").unwrap();
    let Publisher::Bucket(publication) = &checked.spec.task().publisher else { panic!("no bucket") };
    assert_eq!((publication.encoding, publication.is_shared()), (Encoding::Plain, false));
    for key in ["{jobId}", "a/{executionID"] {
        assert!(
            with(json!({"Type": "s3", "Params": {"Bucket": "out", "Key": key}}), "outputs").is_err(),
            "{key}"
        );
    }
    for name in ["../x", "stdout", "a/b", ".."] {
        let problems = with(json!({"Type": "local"}), name).unwrap_err();
        assert!(problems.to_string().contains("Name"), "{name}: {problems}");
    }
}

#[test]
fn what_is_indexed_or_compared_with_every_node_has_bounds() {
    let with = |field: &str, value: Value| {
        let mut body = job(json!({}));
        body[field] = value;
        submit(&body)
    };
    let labels =
        |count: usize| (0..count).map(|number| (format!("l{number}"), json!(""))).collect::<Map<_, _>>();
    let constraints = |count: usize, values: usize| {
        json!(vec![json!({"Key": "name", "Operator": "in", "Values": vec!["a"; values]}); count])
    };
    for (field, fits, beyond) in [
        ("Name", json!("n".repeat(1024)), json!("n".repeat(1025))),
        ("Namespace", json!("n".repeat(1024)), json!("n".repeat(1025))),
        ("Labels", json!(labels(128)), json!(labels(129))),
        ("Labels", json!({"a": "v".repeat(1024)}), json!({"a": "v".repeat(1025)})),
        ("Labels", json!({"k".repeat(1024): ""}), json!({"k".repeat(1025): ""})),
        ("Constraints", constraints(64, 1), constraints(65, 1)),
        ("Constraints", constraints(2, 2048), constraints(2, 2049)),
    ] {
        assert!(with(field, fits).is_ok(), "{field}");
        let problems = with(field, beyond.clone()).unwrap_err();
        let mut stored = job(json!({}));
        stored[field] = beyond;
        let stored: Manifest = serde_json::from_value(stored).unwrap();
        assert!(Spec::try_from(stored).is_ok(), "{field}: one that was taken before stays a job");
        let problem = problems.iter().next().unwrap();
        assert_eq!(problem.path, field);
        assert!(problem.message.len() < 200, "{}", problem.message);
    }
}
