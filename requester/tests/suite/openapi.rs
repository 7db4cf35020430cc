//! The OpenAPI document: as it is served, and whole.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use super::harness::Orchestrator;

/// The document, against the one in the repository: whoever changes the API sees it in the difference.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_the_one_that_was_reviewed() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let served = orchestrator.get("/openapi.json").await.ok();
    let written = serde_json::to_string_pretty(&served).unwrap() + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/openapi.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, written).unwrap();
        return;
    }
    let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        reviewed == written,
        "docs/reference/openapi.json is not what is served: run `just golden` and look at the difference"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_has_a_name_and_says_what_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let document = orchestrator.get("/openapi.json").await.ok();
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (path, operations) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/api/v1/"), "{path}");
        for (method, operation) in operations.as_object().unwrap() {
            let name =
                operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no name"));
            names.insert(name.to_owned());
            assert!(operation["summary"].is_string(), "{method} {path} says nothing of itself");
            for status in ["400", "403", "500", "503"] {
                assert!(operation["responses"][status].is_object(), "{method} {path}: {status}");
            }
            if path.contains('{') {
                assert!(operation["responses"]["404"].is_object(), "{method} {path}");
            }
        }
    }
    assert!(names.len() > 20);
    let mut referred = BTreeSet::new();
    references(&document, &mut referred);
    for name in &referred {
        assert!(schemas.contains_key(name), "there is no schema `{name}`");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            if let Some(reference) = object.get("$ref").and_then(Value::as_str) {
                found.insert(reference.trim_start_matches("#/components/schemas/").to_owned());
            }
            object.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
