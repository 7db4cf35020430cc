//! What the leniency of bodies means for their schemas.
//!
//! Wherever a request has a value it may have `null`, texts may be written as numbers or booleans in a job, and whole
//! numbers as texts. Answers are exact. So each schema that a body uses gets a lenient twin, `<Name>Sent`, unless
//! bodies are all it is used for.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// The schema whose texts and numbers may be written as each other: the job, which may come out of a template.
const LOOSE_ROOT: &str = "Manifest";

/// Replaces the schemas of JSON bodies by their lenient forms.
pub(super) fn bodies(document: &mut Value) {
    let mut wanted = BTreeSet::new();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for operations in paths.values_mut().filter_map(Value::as_object_mut) {
        for operation in operations.values_mut() {
            let schema = operation.pointer_mut("/requestBody/content/application~1json/schema");
            if let Some(schema) = schema {
                let name = referred(schema);
                if let Some(name) = name {
                    *schema = json!({"$ref": format!("{SCHEMAS}{name}")});
                    wanted.insert(name);
                }
            }
        }
    }
    let Some(schemas) = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut) else {
        return;
    };
    for name in wanted {
        // A body itself is an object and never null.
        if let Some(body) = schemas.get(&name).cloned() {
            let body = loosen_fields(&body, false, schemas);
            schemas.insert(name, body);
        }
    }
}

/// The name of the schema a body refers to, also if the body may be left out.
fn referred(schema: &Value) -> Option<String> {
    let direct = schema.get("$ref").and_then(Value::as_str);
    let optional = || schema.get("oneOf")?.as_array()?.iter().find_map(|one| one.get("$ref")?.as_str());
    direct.or_else(optional)?.strip_prefix(SCHEMAS).map(str::to_owned)
}

/// An object whose fields may be null or missing, except for those it cannot do without.
fn loosen_fields(object: &Value, loose: bool, schemas: &mut Map<String, Value>) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.get_mut("properties").and_then(Value::as_object_mut) {
        for field in fields.values_mut() {
            *field = loosen(field, loose, schemas);
        }
    }
    object
}

/// A value that may also be null.
fn loosen(schema: &Value, loose: bool, schemas: &mut Map<String, Value>) -> Value {
    if let Some(name) = referred(schema) {
        let twin = twin(&name, loose || name == LOOSE_ROOT, schemas);
        let mut either = json!({"oneOf": [{"type": "null"}, {"$ref": format!("{SCHEMAS}{twin}")}]});
        if let Some(description) = schema.get("description") {
            either["description"] = description.clone();
        }
        return either;
    }
    let mut schema = schema.clone();
    if let Some(items) = schema.get("items").cloned() {
        schema["items"] = loosen(&items, loose, schemas);
    }
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()).cloned() {
        schema["additionalProperties"] = loosen(&values, loose, schemas);
    }
    let mut kinds: Vec<Value> = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.clone(),
        Some(kind) => vec![kind.clone()],
        None => return schema,
    };
    let mut add = |kind: &str| {
        if !kinds.iter().any(|known| known == kind) {
            kinds.push(json!(kind));
        }
    };
    add("null");
    if loose && schema["type"] == "string" {
        add("number");
        add("boolean");
    }
    if loose && kinds.iter().any(|kind| kind == "integer") {
        kinds.push(json!("string"));
    }
    if schema.get("enum").is_some() {
        schema["enum"].as_array_mut().into_iter().for_each(|words| words.push(Value::Null));
    }
    schema["type"] = Value::Array(kinds);
    schema
}

/// The lenient twin of a schema; made if it is not there.
fn twin(name: &str, loose: bool, schemas: &mut Map<String, Value>) -> String {
    let twin = format!("{name}Sent");
    if !schemas.contains_key(&twin) {
        // Before its fields: they may refer to it.
        schemas.insert(twin.clone(), Value::Null);
        let exact = schemas.get(name).cloned().unwrap_or_default();
        let lenient = match exact.get("properties") {
            Some(_) => loosen_fields(&exact, loose, schemas),
            None => exact,
        };
        schemas.insert(twin.clone(), lenient);
    }
    twin
}
