//! Inputs from a bucket and results into one, with a real server that speaks S3.

use std::{
    collections::BTreeMap,
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use flate2::read::GzDecoder;
use object_store::{ObjectStoreExt as _, aws::AmazonS3, path::Path as Key};
use serde_json::{Value, json};
use skrei_bucket::{Access, Intent, Keys};
use skrei_job::{
    Digest, Spec,
    life::ExecutionState,
    objects::Bucket,
    outcome::{Cause, Failure, Published, Rule},
};
use skrei_test_guests as guests;

use crate::support::{Orchestrator, TestNode, job, job_with};

/// moto, a server that speaks S3, kept in the target directory.
const PACKAGE: &str = "moto[server]==5.2.5";

/// A server of buckets, gone when it is dropped.
struct Moto {
    child: Child,
    endpoint: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let python = home.join("bin/python");
    if run(Command::new(&python).args(["-c", "import moto.server"])).is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
    }
}

impl Moto {
    async fn start(buckets: &[&str]) -> Option<Self> {
        let python = match python() {
            Ok(python) => python,
            Err(why) => {
                eprintln!("SKIPPED: moto, a server that speaks S3, cannot be had here: {why}");
                return None;
            }
        };
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(python)
            .args(["-m", "moto.server", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { child, endpoint: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        for bucket in buckets {
            while reqwest::Client::new().put(format!("{}/{bucket}", moto.endpoint)).send().await.is_err() {
                assert!(start.elapsed() < Duration::from_secs(60), "moto does not listen");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Some(moto)
    }

    fn access(&self, buckets: &[&str]) -> Access {
        Access {
            endpoint: Some(self.endpoint.clone()),
            region: None,
            buckets: buckets.iter().map(|rule| rule.parse().unwrap()).collect(),
            keys: Some(Keys {
                id: "test".to_owned(),
                secret: "very-secret".to_owned().into(),
                session: None,
            }),
        }
    }

    fn bucket(&self, name: &str) -> AmazonS3 {
        let bucket = Bucket { name: name.to_owned(), region: None, endpoint: None };
        self.access(&["*:rw"]).open(&bucket, Intent::Write, None).unwrap()
    }

    fn node(&self, orchestrator: &Orchestrator, buckets: &[&str]) -> TestNode {
        TestNode::start(orchestrator, |config| {
            config.fetch_hosts = vec!["127.0.0.1".to_owned()];
            config.buckets = self.access(buckets);
        })
    }
}

fn objects(params: Value) -> Value {
    json!({"Source": {"Type": "s3", "Params": params}, "Target": "/in"})
}

fn output(state: &ExecutionState) -> &str {
    &state.output().unwrap_or_else(|| panic!("{state:?} has no output")).stdout
}

fn failure(state: ExecutionState) -> Failure {
    if let ExecutionState::Failed(failure) = state { failure } else { panic!("{state:?} is no failure") }
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_below_a_prefix_are_files_below_the_target() {
    let Some(moto) = Moto::start(&["logs"]).await else { return };
    let bucket = moto.bucket("logs");
    for key in ["2026/a.txt", "2026/deep/b.txt", "2026/c.bin", "2025/old.txt"] {
        bucket.put(&Key::from(key), key.as_bytes().to_vec().into()).await.unwrap();
    }
    let mut orchestrator = Orchestrator::start().await;
    let node = moto.node(&orchestrator, &["logs"]);
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::probe(), "/main.wasm");
    let below = objects(json!({"Bucket": "logs", "Key": "2026/*", "Filter": "\\.txt$"}));
    let steps = ["read /in:a.txt", "read /in:deep/b.txt", "read /in:c.bin", "list /in:."];
    let state = session.run("e-1", &job(&[module.clone(), below], &steps)).await;
    assert_eq!(
        output(&state),
        "read /in:a.txt: ok 2026/a.txt\nread /in:deep/b.txt: ok 2026/deep/b.txt\nread /in:c.bin: NOENT\n\
         list /in:.: ok . .. a.txt deep\n"
    );
    let digest = Digest::of(b"2026/a.txt").hex();
    let one = objects(json!({"Bucket": "logs", "Key": "2026/a.txt", "ChecksumSHA256": digest}));
    let state = session.run("e-2", &job(&[module.clone(), one], &["read /in:a.txt"])).await;
    assert_eq!(output(&state), "read /in:a.txt: ok 2026/a.txt\n");

    for (execution, params, words) in [
        ("e-3", json!({"Bucket": "logs", "Key": "none.txt"}), "nothing at `s3://logs/none.txt`"),
        ("e-4", json!({"Bucket": "logs", "Key": "none/"}), "nothing at `s3://logs/none/*`"),
        ("e-5", json!({"Bucket": "logs", "Key": "2026/a.txt", "ChecksumSHA256": "0".repeat(64)}), "and not"),
    ] {
        let failed = failure(session.run(execution, &job(&[module.clone(), objects(params)], &[])).await);
        assert_eq!(failed.cause, Cause::NotPrepared);
        assert!(failed.message.contains(words), "{}", failed.message);
    }
    node.stop().await;
}

/// A job that publishes into a bucket.
fn publishing(orchestrator: &Orchestrator, params: Value) -> Spec {
    let results = json!([{"Name": "outputs", "Path": "/outputs"}]);
    job_with(
        &[orchestrator.holds(guests::probe(), "/main.wasm")],
        &["write /outputs:a.txt found", "fill /outputs:large 0 9000000"],
        json!({"Publisher": {"Type": "s3", "Params": params}, "ResultPaths": results}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn results_go_into_a_bucket_as_one_archive_or_as_files() {
    let Some(moto) = Moto::start(&["out"]).await else { return };
    let mut orchestrator = Orchestrator::start().await;
    let node = moto.node(&orchestrator, &["out:rw"]);
    let mut session = orchestrator.session().await;
    assert!(session.hello.as_ref().unwrap().info.publishers.contains(&"s3".to_owned()));

    let archive =
        publishing(&orchestrator, json!({"bucket": "out", "key": "r/{jobID}/{nodeID}-{executionID}"}));
    let state = session.run("e-1", &archive).await;
    let Some(Published::Bucket { key, digest, .. }) =
        state.output().and_then(|output| output.published.clone())
    else {
        panic!("{state:?}")
    };
    assert_eq!(key, "r/j-1/n-1-e-1.tar.gz");
    let content = moto.bucket("out").get(&Key::from(key)).await.unwrap().bytes().await.unwrap();
    assert_eq!(Some(Digest::of(&content)), digest);
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(GzDecoder::new(&content[..])).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.insert(entry.path().unwrap().display().to_string(), bytes.len());
    }
    assert_eq!((files["outputs/a.txt"], files["outputs/large"], files["exitCode"]), (5, 9_000_000, 1));

    let plain =
        publishing(&orchestrator, json!({"Bucket": "out", "Key": "p/{executionID}", "Encoding": "plain"}));
    let state = session.run("e-2", &plain).await;
    assert!(matches!(state, ExecutionState::Completed(_)), "{state:?}");
    let size = async |key: &str| moto.bucket("out").head(&Key::from(key)).await.unwrap().size;
    assert_eq!((size("p/e-2/outputs/a.txt").await, size("p/e-2/exitCode").await), (5, 1));
    assert_eq!(size("p/e-2/outputs/large").await, 9_000_000, "in pieces");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_the_owner_does_not_list_is_not_written() {
    let Some(moto) = Moto::start(&["out"]).await else { return };
    let mut orchestrator = Orchestrator::start().await;
    let node = moto.node(&orchestrator, &["out", "gone:rw"]);
    let mut session = orchestrator.session().await;
    let refused = session.run("e-1", &publishing(&orchestrator, json!({"Bucket": "out", "Key": "k"}))).await;
    let ExecutionState::Refused(refusal) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal.rule, Rule::Unsupported);
    assert!(refusal.message.contains("S3.Buckets"), "{}", refusal.message);
    assert!(!refusal.message.contains("very-secret"));
    // The bucket is not there, which nobody can know before.
    let state = session.run("e-2", &publishing(&orchestrator, json!({"Bucket": "gone", "Key": "k"}))).await;
    let failed = failure(state);
    assert_eq!((failed.cause, failed.output.exit_code), (Cause::NotPublished, Some(0)));
    assert!(failed.message.contains("s3://gone/k.tar.gz"), "{}", failed.message);
    let data = node.stop().await;
    assert_eq!(std::fs::read_dir(data.path().join("compute/outbox")).unwrap().count(), 0);
}
