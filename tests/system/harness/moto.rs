//! moto: a server that speaks S3.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::{PATIENCE, free_port, toolchains::skipped};

/// What it is called where Python's packages are, kept in the target directory.
const PACKAGE: &str = "moto[server]==5.2.5";

/// A server of buckets, gone when it is dropped.
pub(crate) struct Moto {
    child: Child,
    endpoint: String,
}

impl Moto {
    /// Starts one with these buckets. None where it is not to be had, which is said.
    pub(crate) async fn start(buckets: &[&str]) -> Option<Self> {
        let Some(python) = python() else {
            skipped("what takes a bucket", "moto is not to be had");
            return None;
        };
        let port = free_port();
        let mut command = Command::new(python);
        command
            .args(["-m", "moto.server", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("Python starts");
        let moto = Self { child, endpoint: format!("http://127.0.0.1:{port}") };
        let start = Instant::now();
        for bucket in buckets {
            while reqwest::Client::new().put(format!("{}/{bucket}", moto.endpoint)).send().await.is_err() {
                assert!(start.elapsed() < PATIENCE, "moto does not listen");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Some(moto)
    }

    /// Puts an object into a bucket.
    pub(crate) async fn put(&self, bucket: &str, key: &str, content: Vec<u8>) {
        let url = format!("{}/{bucket}/{key}", self.endpoint);
        let put = reqwest::Client::new().put(url).body(content).send().await;
        put.and_then(reqwest::Response::error_for_status).expect("an object");
    }

    /// What a node's configuration says so that jobs may use these buckets.
    pub(crate) fn settings(&self, buckets: &[&str]) -> Vec<String> {
        vec![
            format!("S3.Endpoint={}", self.endpoint),
            format!("S3.Buckets={}", buckets.join(",")),
            "S3.AccessKeyID=test".to_owned(),
            "S3.SecretAccessKey=very-secret".to_owned(),
            "InputSources.Hosts=127.0.0.1".to_owned(),
        ]
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Option<PathBuf> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let python = home.join("bin/python");
    let well = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if well(Command::new(&python).args(["-c", "import moto.server"])) {
        return Some(python);
    }
    let made = well(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))
        && well(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]));
    made.then_some(python)
}
