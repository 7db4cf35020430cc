//! The shape of the workspace: who may depend on whom.

use std::{collections::BTreeMap, fs, process::Command};

use serde_json::Value;

/// Package to the packages of ours that it may use. What is not here is not allowed.
const EDGES: &[(&str, &[&str])] = &[
    (
        "skrei",
        &[
            "skrei-access",
            "skrei-bucket",
            "skrei-compute",
            "skrei-job",
            "skrei-ledger",
            "skrei-protocol",
            "skrei-requester",
            "skrei-runtime",
            "skrei-tls",
            "skrei-vault",
        ],
    ),
    (
        "skrei-requester",
        &[
            "skrei-access",
            "skrei-bucket",
            "skrei-job",
            "skrei-ledger",
            "skrei-protocol",
            "skrei-scheduler",
            "skrei-tls",
            "skrei-vault",
        ],
    ),
    ("skrei-access", &["skrei-tls"]),
    (
        "skrei-compute",
        &[
            "skrei-bucket",
            "skrei-job",
            "skrei-ledger",
            "skrei-protocol",
            "skrei-runtime",
            "skrei-tls",
            "skrei-vault",
        ],
    ),
    ("skrei-scheduler", &["skrei-job"]),
    ("skrei-protocol", &["skrei-job", "skrei-tls", "skrei-vault"]),
    ("skrei-bucket", &["skrei-job"]),
    ("skrei-tls", &[]),
    ("skrei-vault", &[]),
    ("skrei-job", &[]),
    ("skrei-runtime", &[]),
    ("skrei-ledger", &[]),
    ("skrei-sdk", &["skrei-sdk-macros"]),
    ("skrei-sdk-macros", &[]),
    // For build scripts and tests only.
    ("skrei-guest-build", &[]),
    ("skrei-test-guests", &[]),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(super::harness::root())
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&output.stdout).expect("cargo's answer")
}

#[test]
fn dependencies_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = EDGES.iter().copied().collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    assert_eq!(packages.len(), EDGES.len(), "a package is missing in the table, or is no longer there");
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let may_use = allowed.get(name).unwrap_or_else(|| panic!("package `{name}` is not in the table"));
        let used = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|dependency| dependency.starts_with("skrei"));
        for dependency in used {
            assert!(may_use.contains(&dependency), "`{name}` must not depend on `{dependency}`");
        }
    }
}

/// The vectors of conformance and the traps of the API's contract, each with a test of its number (docs/api.md).
#[test]
fn every_vector_and_every_trap_of_the_api_has_a_test_named_after_it() {
    let sources = ["requester/tests/suite", "tests/system"].map(|folder| super::harness::root().join(folder));
    let files = sources.iter().flat_map(|folder| fs::read_dir(folder).expect("tests"));
    let texts = files.map(|file| fs::read_to_string(file.expect("a file").path()).unwrap_or_default());
    // What stands behind `#[tokio::test]` alone runs.
    let tests: Vec<String> = texts
        .flat_map(|text| {
            let parts = text.split("#[tokio::test").skip(1).map(str::to_owned).collect::<Vec<_>>();
            parts.into_iter().filter_map(|part| Some(part.split_once("fn ")?.1.split_once('(')?.0.to_owned()))
        })
        .collect();
    for (what, count) in [("vector", 16), ("trap", 15)] {
        for number in 1..=count {
            let name = format!("{what}_{number:02}_");
            assert!(tests.iter().any(|test| test.contains(&name)), "no test is named `{name}...`");
        }
    }
}

#[test]
fn the_scheduler_can_do_nothing_but_decide() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let forbidden = ["tokio", "rand", "getrandom", "rusqlite", "reqwest", "axum", "tracing"];
    for package in packages.iter().filter(|package| package["name"] == "skrei-scheduler") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = dependency["name"].as_str().expect("a name");
            let normal = dependency["kind"].is_null();
            assert!(!normal || !forbidden.contains(&name), "the scheduler must not depend on `{name}`");
        }
    }
}

#[test]
fn the_index_of_decisions_names_every_page_once_in_order() {
    let directory = super::harness::root().join("docs/decisions");
    let mut pages: Vec<_> = fs::read_dir(&directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md")
        .collect();
    pages.sort_unstable();
    let index = fs::read_to_string(directory.join("README.md")).unwrap();
    let named: Vec<_> = index
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| [")?.split_once("](")?.1.split_once(')')?.0))
        .collect();
    assert_eq!(named, pages);
}
