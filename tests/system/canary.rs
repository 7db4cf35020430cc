//! A key that is easily found again, and every place to look for it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;
use skrei_job::{Digest, secret::Name};

/// A certificate and its key, and what the key looks like wherever it may turn up.
pub(crate) struct Canary {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) key: String,
    pub(crate) needles: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(vec!["www.example.org".to_owned()]).unwrap();
        let key = issued.signing_key.serialize_pem();
        std::fs::write(directory.path().join("fullchain.pem"), issued.cert.pem()).unwrap();
        std::fs::write(directory.path().join("privkey.pem"), &key).unwrap();
        let needles = needles(&key);
        Self { directory, key, needles }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn secrets(&self) -> BTreeMap<Name, String> {
        BTreeMap::from([("key".parse().unwrap(), BASE64_STANDARD.encode(&self.key))])
    }

    /// Which forms of the key are in some bytes.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let is_in = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        self.needles.iter().filter(|(_, needle)| is_in(needle)).map(|(form, _)| *form).collect()
    }

    #[track_caller]
    pub(crate) fn assert_not_in(&self, what: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "the key is in {what}, {found:?}:\n{}", String::from_utf8_lossy(bytes));
    }

    /// Every file below a directory that has the key in some form.
    pub(crate) fn files_with_it(&self, directory: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![directory.to_owned()];
        while let Some(path) = left.pop() {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() {
                left.extend(
                    std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()),
                );
            } else if metadata.is_file()
                && !self.found_in(&std::fs::read(&path).unwrap_or_default()).is_empty()
            {
                found.push(path);
            }
        }
        found
    }
}

/// What a line of the key looks like, plain and encoded: any file that has some of the key has some of these.
pub(crate) fn needles(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut needles = Vec::new();
    // The first line of any key of this kind begins alike: what it is for.
    let lines = key.lines().filter(|line| !line.starts_with("-----")).skip(1);
    for line in lines.filter(|line| line.len() > 30) {
        let hex: String = line.bytes().map(|byte| format!("{byte:02x}")).collect();
        needles.push(("plain", line.as_bytes()[..30].to_vec()));
        needles.push(("hexadecimal", hex.as_bytes()[..60].to_vec()));
        needles.push(("hexadecimal, upper case", hex.to_uppercase().as_bytes()[..60].to_vec()));
        for before in 0..3 {
            let encoded = BASE64_STANDARD.encode([&b"xyz"[..before], line.as_bytes()].concat());
            needles.push(("base64", encoded.as_bytes()[4..40].to_vec()));
            let url_safe = encoded.replace('+', "-").replace('/', "_");
            needles.push(("base64 for URLs", url_safe.as_bytes()[4..40].to_vec()));
        }
        let percent: String = line.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        needles.push(("percent", percent.as_bytes()[..30].to_vec()));
        needles.push(("JSON", line.replace('/', "\\/").as_bytes()[..30].to_vec()));
        // As bytes in a `{:?}`.
        needles.push((
            "numbers",
            format!("{:?}", &line.as_bytes()[..12]).trim_matches(['[', ']']).as_bytes().to_vec(),
        ));
    }
    assert!(needles.len() > 20, "there is a key to look for");
    needles
}

/// Every page that the API's own description has, of these jobs and this node.
pub(crate) fn pages(port: u16, jobs: &[String], node: &str) -> Vec<String> {
    let document = String::from_utf8(get(port, "/openapi.json")).unwrap();
    let document: Value = serde_json::from_str(document.split_once("\r\n\r\n").unwrap().1).unwrap();
    let mut pages = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        if methods.get("get").is_none() {
            continue;
        }
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let one = |text: &str| vec![text.to_owned()];
        pages.extend(match path {
            _ if path.starts_with("/orchestrator/jobs/{id}") => {
                let of_job = |job: &String| path.replace("{id}", job);
                jobs.iter().map(of_job).collect()
            }
            "/orchestrator/nodes/{id}" => one(&path.replace("{id}", node)),
            "/auth/{method}" => one("/auth/none"),
            "/results/{name}" => one("/results/none"),
            "/orchestrator/artifacts/{digest}" => {
                one(&path.replace("{digest}", &Digest::of(skrei_test_guests::leak()).hex()))
            }
            // A page that is new is to be asked for something that is there.
            _ => {
                assert!(!path.contains('{'), "say here what {path} is to be asked for");
                one(path)
            }
        });
    }
    // What is only there when it is asked for.
    for job in jobs {
        pages.push(format!("/orchestrator/jobs/{job}?include=history,executions,progress"));
        pages.push(format!("/orchestrator/jobs/{job}/logs?follow=true"));
        pages.push(format!("/orchestrator/events?job={job}"));
    }
    pages.push("/orchestrator/jobs?limit=1000".to_owned());
    pages.push("/orchestrator/secrets?namespace=*".to_owned());
    assert!(pages.len() > 30, "{pages:?}");
    pages
}

/// What the API answers, as it stands on the wire.
pub(crate) fn get(port: u16, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    // What follows something sends what there is at once.
    stream.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
    write!(stream, "GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // An event stream never ends: what came until then counts.
    let _ = stream.read_to_end(&mut answer);
    let is_none = path.ends_with("/none");
    let head = String::from_utf8_lossy(&answer[..answer.len().min(400)]).into_owned();
    let is_expected = if is_none {
        head.starts_with("HTTP/1.1 4")
    } else {
        head.starts_with("HTTP/1.1 200") || head.starts_with("HTTP/1.1 101")
    };
    assert!(is_expected || path.contains("/logs") || path.contains("/results"), "{path}: {head}");
    answer
}

/// Every process of ours that there is, whoever started it.
pub(crate) fn processes() -> Vec<u32> {
    let ours = std::fs::canonicalize(env!("CARGO_BIN_EXE_skrei")).unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == ours)).collect()
}

#[track_caller]
pub(crate) fn assert_leaves_no_image(pid: u32) {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let cores = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(cores.split_whitespace().nth(4), Some("0"), "{cores}");
}

pub(crate) fn seen_by_everybody(pid: u32) -> Vec<u8> {
    let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    [read("cmdline"), read("environ")].concat()
}
