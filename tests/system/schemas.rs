//! The schemas of job files and configuration files, judged by a validator that knows nothing of us: every file of the
//! repository passes, and typical mistakes do not.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use skrei_job::Document;

use super::harness::{Ran, root, skrei, toolchains};

const PACKAGE: &str = "jsonschema==4.26.0";

/// Prints, for each document of its input, whether it is valid.
const PROGRAM: &str = "
import json, sys
from jsonschema import Draft202012Validator as Validator
asked = json.load(open(sys.argv[1]))
Validator.check_schema(asked['schema'])
validator = Validator(asked['schema'])
words = [[error.json_path + ': ' + error.message for error in validator.iter_errors(document)] for document in asked['documents']]
print(json.dumps(words))
";

/// A Python that has the validator: the system's, or one of our own; or why there is none.
fn python() -> Result<PathBuf, String> {
    let has_it = |python: &Path| run(Command::new(python).args(["-c", "import jsonschema"])).is_ok();
    let (system, home) =
        (PathBuf::from("python3"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("jsonschema"));
    let own = home.join("bin/python");
    if has_it(&system) {
        return Ok(system);
    }
    if !has_it(&own) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(&own).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(own)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// What is wrong with each document, by the schema that the binary gives.
fn judged(kind: &str, documents: &[Value]) -> Option<Vec<Vec<String>>> {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            toolchains::skipped("the JSON schemas", &why);
            return None;
        }
    };
    let schema = Ran::to_end(&mut skrei(["schema", kind]));
    assert_eq!(schema.code, Some(0), "{}", schema.said());
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let asked = tempfile::NamedTempFile::new().unwrap();
    fs::write(asked.path(), json!({"schema": schema, "documents": documents}).to_string()).unwrap();
    let said = run(Command::new(python).args(["-c", PROGRAM]).arg(asked.path())).unwrap();
    Some(serde_json::from_str(&said).unwrap())
}

/// A file as an editor sees it: its templates are texts.
fn document(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    if text.lines().all(|line| line.trim().is_empty() || line.starts_with('#')) {
        return Value::Null;
    }
    let quoted = |line: &str| match line.split_once(": {{") {
        Some((field, template)) => format!("{field}: '{{{{{template}'\n"),
        None => format!("{line}\n"),
    };
    let text: String = text.lines().map(quoted).collect();
    Document::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).root.to_value()
}

/// Every `job.yaml` one level below a directory.
fn job_files(directory: &str) -> Vec<PathBuf> {
    let folders =
        fs::read_dir(root().join(directory)).unwrap().map(|folder| folder.unwrap().path().join("job.yaml"));
    let mut files: Vec<PathBuf> = folders.filter(|file| file.is_file()).collect();
    files.sort();
    assert!(!files.is_empty(), "{directory}");
    files
}

#[test]
fn every_job_file_of_the_repository_passes() {
    let mut files = [job_files("examples"), job_files("guest-templates")].concat();
    for name in ["hello", "greet", "trap", "closed"] {
        files.push(root().join(format!("tests/system/transcripts/desk/{name}.yaml")));
    }
    // Whatever the reader takes, in its own words: read, and written by it again.
    for name in ["seed-wasm", "secrets"] {
        files.push(root().join(format!("job/tests/ui/valid/{name}.yaml")));
    }
    let documents: Vec<Value> = files.iter().map(|file| document(file)).collect();
    let Some(judged) = judged("job", &documents) else { return };
    for (file, wrong) in files.iter().zip(judged) {
        assert!(wrong.is_empty(), "{}: {wrong:#?}", file.display());
    }
}

#[test]
fn mistakes_in_job_files_are_found() {
    let sound = json!({
        "Name": "sound", "Type": "ops", "Count": 1,
        "Tasks": [{
            "Name": "main",
            "Engine": {"Type": "wasm", "Params": {"EntryModule": "main.wasm", "Parameters": ["a", 7, true]}},
            "InputSources": [{"Target": "/data", "Source": {"Type": "local", "Params": {"SourcePath": "/srv", "ReadWrite": true}}}],
            "Timeouts": {"ExecutionTimeout": "30"},
        }],
    });
    let mistakes: &[(&str, Value)] = &[
        ("/Typ", json!("ops")),
        ("/ID", json!("j-1")),
        ("/Type", json!("opss")),
        ("/Count", json!("many")),
        ("/Tasks", json!([])),
        ("/Tasks", json!({})),
        ("/Constraints", json!([{"Key": "zone", "Operator": "=~", "Values": ["eu"]}])),
        ("/Constraints", json!([{"Key": "zone"}])),
        ("/Retry", json!({"On": ["crash"]})),
        ("/Rollout", json!({"MaxParalel": 3})),
        ("/Tasks/0/Name", json!(["main"])),
        ("/Tasks/0/Env", json!(["A=b"])),
        ("/Tasks/0/Image", json!("nginx")),
        ("/Tasks/0/Engine", json!({"Type": "docker", "Params": {"Image": "nginx"}})),
        ("/Tasks/0/Engine/Params", json!({})),
        ("/Tasks/0/Engine/Params/EntryModul", json!("main.wasm")),
        ("/Tasks/0/Engine/Params/Parameters", json!("one two")),
        ("/Tasks/0/InputSources/0", json!({"Source": {"Type": "scratch"}})),
        ("/Tasks/0/InputSources/0/Source/Type", json!("locl")),
        ("/Tasks/0/InputSources/0/Source/Params", json!({"ReadWrite": true})),
        ("/Tasks/0/InputSources/0/Source/Params/ReadWrite", json!("yes")),
        ("/Tasks/0/InputSources/0/Source", json!({"Type": "scratch", "Params": {"SourcePath": "/srv"}})),
        ("/Tasks/0/InputSources/0/Source", json!({"Type": "urlDownload"})),
        ("/Tasks/0/Publisher", json!({"Type": "ipfs"})),
        ("/Tasks/0/ResultPaths", json!([{"Name": "out"}])),
        ("/Tasks/0/Secrets", json!([{"Target": "/secrets/key"}])),
        ("/Tasks/0/Network", json!({"Type": "htp"})),
        ("/Tasks/0/Timeouts/ExecutionTimeout", json!("5m")),
        ("/Tasks/0/Resources", json!({"CPUs": "1"})),
    ];
    let spoilt = |(pointer, value): &(&str, Value)| with(sound.clone(), pointer, value.clone());
    let mut documents: Vec<Value> = mistakes.iter().map(spoilt).collect();
    documents.push(sound.clone());
    let Some(mut judged) = judged("job", &documents) else { return };
    assert_eq!(judged.pop().unwrap(), Vec::<String>::new(), "without a mistake");
    for ((pointer, value), wrong) in mistakes.iter().zip(judged) {
        assert!(!wrong.is_empty(), "{pointer}: {value}");
        // The reader finds them, too: the schema asks for nothing that it does not.
        let document = with(sound.clone(), pointer, value.clone()).to_string();
        let document = Document::parse(&document).unwrap();
        assert!(skrei_job::read::file(&document).check(Some(&document)).is_err(), "{pointer}: {value}");
    }
}

#[test]
fn configuration_files_pass_and_mistakes_in_them_are_found() {
    let files = [
        "packaging/orchestrator.yaml",
        "packaging/compute.yaml",
        "tests/system/transcripts/desk/config-good.yaml",
    ];
    let sound = json!({
        "DataDir": "/var/lib/skrei",
        "Labels": {"zone": "eu"},
        "API": {"Port": "1234", "TLS": {"SelfSigned": true}},
        "Compute": {"Enabled": true, "Orchestrators": "127.0.0.1:4222",
                    "AllowListedLocalPaths": ["/etc/nginx/ssl:rw"], "AllocatedCapacity": {"CPU": "80%", "Memory": "4Gi"}},
        "Logging": {"Level": "debug", "Mode": "JSON"},
    });
    let mistakes: &[(&str, Value)] = &[
        ("/API/Port", json!(99_999)),
        ("/API/Prot", json!(1234)),
        ("/API", json!("127.0.0.1:1234")),
        ("/Compute/Enabled", json!("maybe")),
        ("/Compute/AllowListedLocalPaths", json!({"/etc": "rw"})),
        ("/Logging/Mode", json!("xml")),
        ("/Orchestrator", json!({"NodeManager": {"DisconnectTimeout": "5 minutes"}})),
        ("/Comput", json!({"Enabled": true})),
    ];
    let mut documents: Vec<Value> = files.iter().map(|file| document(&root().join(file))).collect();
    documents.push(sound.clone());
    documents.extend(mistakes.iter().map(|(pointer, value)| with(sound.clone(), pointer, value.clone())));
    let Some(judged) = judged("config", &documents) else { return };
    let (well, wrong) = judged.split_at(files.len() + 1);
    assert!(well.iter().all(Vec::is_empty), "{well:#?}");
    for ((pointer, value), wrong) in mistakes.iter().zip(wrong) {
        assert!(!wrong.is_empty(), "{pointer}: {value}");
    }
    // And by the program itself.
    for (pointer, value) in mistakes {
        let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
        fs::write(file.path(), with(sound.clone(), pointer, value.clone()).to_string()).unwrap();
        let ran = Ran::to_end(skrei(["config", "validate"]).arg(file.path()));
        assert_ne!(ran.code, Some(0), "{pointer}: {value}: {}", ran.said());
    }
}

/// The document with another value at a place.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (object, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(pointer) {
        Some(there) => *there = value,
        None => document.pointer_mut(object).unwrap()[key] = value,
    }
    document
}
