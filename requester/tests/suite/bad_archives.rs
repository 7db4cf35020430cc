//! Archives in jobs, and names of results, that are meant to do harm.

use std::io::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use super::{
    harness::Orchestrator,
    http::{job_with, task_with},
};

/// A data URL of an archive with one entry.
fn archive(path: &str, kind: EntryType, size: usize) -> String {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = Header::new_gnu();
    // Past the crate's own check of names, as an attacker would.
    header.as_old_mut().name[..path.len().min(100)].copy_from_slice(&path.as_bytes()[..path.len().min(100)]);
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_cksum();
    builder.append(&header, &vec![0; size][..]).unwrap();
    data_url(&builder.into_inner().unwrap().finish().unwrap())
}

fn data_url(content: &[u8]) -> String {
    format!("data:application/gzip;base64,{}", BASE64_STANDARD.encode(content))
}

/// An archive with a path that is longer than a job may be.
fn long_path() -> String {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(0);
    builder.append_data(&mut header, "d/".repeat(10 << 20), &b""[..]).unwrap();
    data_url(&builder.into_inner().unwrap().finish().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_and_names_that_would_do_harm_are_refused_and_nothing_is_left_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut endless = GzEncoder::new(Vec::new(), Compression::fast());
    endless.write_all(&vec![1; 120 << 20]).unwrap();
    let archives = [
        ("a bomb", archive("x", EntryType::Regular, 70 << 20)),
        ("a bomb that is no archive", data_url(&endless.finish().unwrap())),
        ("a path that leads out", archive("../x", EntryType::Regular, 1)),
        ("a path from the root", archive("/etc/passwd", EntryType::Regular, 1)),
        ("a link", archive("x", EntryType::Symlink, 0)),
        ("a device", archive("x", EntryType::Char, 0)),
        ("a path without end", long_path()),
        ("no archive", data_url(b"x")),
    ];
    for (what, url) in archives {
        let input = json!({"Source": {"Type": "inline", "Params": {"URL": url}}, "Target": "/in"});
        let module = json!({
            "Source": {"Type": "inline", "Params": {"URL": "data:application/wasm;base64,AGFzbQEAAAA="}},
            "Target": "main.wasm",
        });
        let job = task_with("batch", json!({"InputSources": [module, input]}));
        let refused = orchestrator.put("/orchestrator/jobs", &json!({"Job": job})).await.error(400);
        let said = refused.to_string();
        assert!(said.len() < 2000, "{what}: {} bytes", said.len());
    }
    for name in ["../x", "a/b", "..", "", "stdout", "a\u{0}b"] {
        let results = json!([{"Name": name, "Path": "/outputs"}]);
        let job = task_with("batch", json!({"ResultPaths": results, "Publisher": {"Type": "local"}}));
        orchestrator.put("/orchestrator/jobs", &json!({"Job": job})).await.error(400);
    }
    let list: Value = orchestrator.get("/orchestrator/jobs").await.ok();
    assert_eq!(list["Items"], json!([]));
    for folder in ["artifacts/incoming", "results/incoming"] {
        assert_eq!(std::fs::read_dir(directory.path().join(folder)).unwrap().count(), 0, "{folder}");
    }
    orchestrator.put_job(&job_with("batch", json!({}))).await;
}
