//! The errors that every operation may give.

use serde_json::{Value, json};

/// Adds to each operation the errors that come from before its handler, or from what all handlers share.
pub(super) fn add(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, operations) in paths {
        let Some(operations) = operations.as_object_mut() else { continue };
        for operation in operations.values_mut() {
            let has_body = operation.get("requestBody").is_some();
            let Some(responses) = operation["responses"].as_object_mut() else { continue };
            let mut add = |status: &str, description: &str| {
                responses.entry(status).or_insert_with(|| error(description));
            };
            add("400", "The request cannot be understood, or what it asks for is wrong");
            add("401", "Nobody knows who is calling, where the orchestrator asks");
            add(
                "403",
                "Whoever is calling may not, or a page of another site called, or the client is too old",
            );
            add("429", "The client calls more often, or failed to say who it is more often, than it may");
            add("500", "A mistake of the orchestrator");
            add(
                "503",
                "The orchestrator cannot do it now: its disk fails or is full, or it is shutting down",
            );
            if path.contains('{') {
                add("404", "There is no such thing");
            }
            if path.contains("/jobs/{") {
                add("409", "The id is the beginning of several");
            }
            if path.contains("/nodes/{") {
                add("409", "The id is the beginning of several");
            }
            if has_body {
                add("413", "The body is too large: 10 MiB at most, unless the operation says otherwise");
                add("415", "The body is not of the media type that is documented");
            }
        }
    }
}

fn error(description: &str) -> Value {
    let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
    json!({"description": description, "content": {"application/json": {"schema": schema}}})
}
