//! The JSON Schema (2020-12) of a job file: what editors complete and check while somebody writes one.
//!
//! It is made from the types that a file is read into, with their documentation, and from the very lists of names and words
//! that reading and validating compare with. So it knows no field that they do not, and misses none. It asks for a little
//! less than they do: whether a path is on the node is not for it to say. Names are compared exactly here, while files may
//! have them in any case.

use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::{
    labels::Operator,
    manifest::Manifest,
    read::shape::{self, Shape},
    retry::Mishap,
    validate::{engine, inputs, job, network, remote, results},
};

/// Where documents of the API keep shared schemas, and where a schema of its own does.
const COMPONENTS: &str = "#/components/schemas/";
const DEFINITIONS: &str = "#/$defs/";

/// The objects of a job file, by the names of the types they are read into; and the fields that each must have.
const OBJECTS: &[(&str, &Shape, &[&str])] = &[
    ("Manifest", &shape::JOB, &["Type", "Tasks"]),
    ("Task", &shape::TASK, &["Name", "Engine"]),
    ("Rollout", &shape::ROLLOUT, &[]),
    ("Retry", &shape::RETRY, &[]),
    ("Constraint", &shape::CONSTRAINT, &["Key", "Operator"]),
    ("InputSource", &shape::INPUT_SOURCE, &["Source", "Target"]),
    ("SecretUse", &shape::SECRET, &["Name"]),
    ("ResultPath", &shape::RESULT_PATH, &["Name", "Path"]),
    ("RequestedResources", &shape::RESOURCES, &[]),
    ("Network", &shape::NETWORK, &[]),
    ("Timeouts", &shape::TIMEOUTS, &[]),
];

/// The schema of a job file.
pub fn schema() -> Value {
    let mut referenced = Vec::new();
    Manifest::schemas(&mut referenced);
    referenced.push(("Manifest".to_owned(), Manifest::schema()));
    let mut definitions = Map::new();
    for (name, schema) in referenced {
        if let Some((_, shape, required)) = OBJECTS.iter().find(|(known, ..)| *known == name) {
            // Our own types always have a form in JSON.
            let derived = serde_json::to_value(schema).unwrap_or_default();
            definitions.insert(name, object(&derived, shape, required));
        }
    }
    for (place, schema) in [
        ("Manifest/Type", words(job::TYPES)),
        ("Task/Engine", engine()),
        ("Task/Publisher", publisher()),
        ("InputSource/Source", source()),
        ("Constraint/Operator", words(&names(Operator::SPELLINGS))),
        ("Retry/On", list(&words(&names(Mishap::ALL)))),
        ("Network/Type", words(network::WORDS)),
    ] {
        refine(&mut definitions, place, schema);
    }
    if let Some(tasks) = definitions.get_mut("Manifest").and_then(|job| job.pointer_mut("/properties/Tasks"))
    {
        tasks["minItems"] = json!(1);
    }
    let top = definitions.remove("Manifest").unwrap_or_default();
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A job file of skrei",
        "$defs": definitions,
    });
    if let (Value::Object(schema), Value::Object(top)) = (&mut schema, top) {
        schema.extend(top);
    }
    schema
}

/// An object of a job file: as its type says, with the fields that reading knows.
fn object(derived: &Value, shape: &Shape, required: &[&str]) -> Value {
    let derived_of = |name: &str| &derived["properties"][name];
    let fields = shape.fields.iter().map(|name| ((*name).to_owned(), field(derived_of(name))));
    let fields: Map<String, Value> = fields.collect();
    let mut object = closed(fields, required);
    object["description"] = derived["description"].clone();
    object
}

/// A field, as generously as it is read.
fn field(derived: &Value) -> Value {
    let mut field = generous(derived);
    if let Some(description) = derived.get("description") {
        field["description"] = description.clone();
    }
    field
}

fn generous(derived: &Value) -> Value {
    if let Some(reference) = derived["$ref"].as_str() {
        return json!({"$ref": reference.replace(COMPONENTS, DEFINITIONS)});
    }
    let is = |kind: &str| match &derived["type"] {
        Value::String(one) => one == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => false,
    };
    if is("string") {
        text()
    } else if is("integer") {
        integer()
    } else if is("array") {
        list(&generous(&derived["items"]))
    } else if is("object") {
        json!({"type": ["object", "null"], "additionalProperties": generous(&derived["additionalProperties"])})
    } else {
        json!({})
    }
}

/// Texts may be written as numbers and booleans, which are taken as they stand there.
fn text() -> Value {
    json!({"type": ["string", "number", "boolean", "null"]})
}

/// Whole numbers may be texts that read as such; those of template variables are.
fn integer() -> Value {
    json!({"type": ["integer", "string", "null"], "pattern": r"^\s*[+-]?[0-9]+\s*$|\{\{"})
}

fn boolean() -> Value {
    json!({"type": ["boolean", "string", "null"], "pattern": r"^\s*([tT][rR][uU][eE]|[fF][aA][lL][sS][eE])?\s*$|\{\{"})
}

/// One of these words in any case, or a template that makes one.
fn words(words: &[&str]) -> Value {
    let pattern = format!(r"^\s*({})\s*$|\{{\{{", any_case(words));
    json!({"type": ["string", "null"], "anyOf": [{"enum": words}, {"pattern": pattern}]})
}

/// A pattern for any of these words: the dialect has no flag for "in any case".
fn any_case(words: &[&str]) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase()),
        false if letter.is_ascii_alphanumeric() || letter == '-' => letter.to_string(),
        false => format!(r"\{letter}"),
    };
    let words = words.iter().map(|word| word.chars().map(letter).collect::<String>());
    words.collect::<Vec<_>>().join("|")
}

/// The first of each pair.
fn names<T>(pairs: &[(&'static str, T)]) -> Vec<&'static str> {
    pairs.iter().map(|(name, _)| *name).collect()
}

fn list(item: &Value) -> Value {
    json!({"type": ["array", "null"], "items": item})
}

/// An object with these fields and no others.
fn closed(fields: Map<String, Value>, required: &[&str]) -> Value {
    let mut object = json!({"type": ["object", "null"], "properties": fields, "additionalProperties": false});
    if !required.is_empty() {
        object["required"] = json!(required);
        object["type"] = json!("object");
    }
    object
}

/// The parameters of something: each by its name, for a name means the same everywhere.
fn params(names: &[&str], required: &[&str]) -> Value {
    let texts = || list(&text());
    let param = |name: &str| match name {
        "ReadWrite" => boolean(),
        "FileModes" => json!({"type": ["object", "null"], "additionalProperties": text()}),
        "CreateAs" => words(inputs::CREATE_AS),
        "Encoding" => words(results::ENCODINGS),
        "Size" | "StartIndex" | "EndIndex" => integer(),
        "Partition" => params(remote::PARTITION, &[]),
        // An input source in the place of a path is the form of older files.
        "EntryModule" => json!({"type": ["string", "number", "boolean", "object"]}),
        "ImportModules" => list(&json!({"type": ["string", "number", "boolean", "object"]})),
        "Parameters" | "EnvironmentVariables" => texts(),
        _ => text(),
    };
    closed(names.iter().map(|name| ((*name).to_owned(), param(name))).collect(), required)
}

fn engine() -> Value {
    let names: Vec<&str> = engine::PARAMS.iter().copied().chain(["EnvironmentVariables"]).collect();
    let fields = [("Type", words(&["wasm"])), ("Params", params(&names, &["EntryModule"]))];
    closed(fields.map(|(name, schema)| (name.to_owned(), schema)).into_iter().collect(), &["Type", "Params"])
}

fn source() -> Value {
    let host_path = params(inputs::HOST_PATH, &["SourcePath"]);
    typed(
        inputs::SUPPORTED,
        &[
            ("local", host_path.clone()),
            ("localDirectory", host_path),
            ("inline", params(inputs::INLINE, &["URL"])),
            ("artifact", params(inputs::ARTIFACT, &["Digest"])),
            ("scratch", params(&[], &[])),
            ("urlDownload", params(remote::DOWNLOAD, &["URL"])),
            ("s3", params(remote::OBJECTS, &["Bucket"])),
        ],
    )
}

fn publisher() -> Value {
    typed(
        results::SUPPORTED,
        &[
            ("local", params(&[], &[])),
            ("noop", params(&[], &[])),
            ("s3", params(results::BUCKET, &["Bucket"])),
        ],
    )
}

/// A type, and parameters that depend on it.
fn typed(kinds: &[&str], params: &[(&str, Value)]) -> Value {
    let case = |(kind, params): &(&str, Value)| {
        let is_kind = json!({"pattern": format!(r"^\s*({})\s*$", any_case(&[*kind]))});
        let is_needed = params.get("required").is_some();
        let needed: &[&str] = if is_needed { &["Params"] } else { &[] };
        json!({
            "if": {"properties": {"Type": is_kind}, "required": ["Type"]},
            "then": {"properties": {"Params": params}, "required": needed},
        })
    };
    json!({
        "type": ["object", "null"],
        "properties": {"Type": words(kinds), "Params": {}},
        "additionalProperties": false,
        "allOf": params.iter().map(case).collect::<Vec<_>>(),
    })
}

/// Puts a schema in the place of a derived one (`OBJECT/FIELD`), whose description it keeps.
fn refine(definitions: &mut Map<String, Value>, place: &str, schema: Value) {
    let Some((object, field)) = place.split_once('/') else { return };
    let field = definitions.get_mut(object).and_then(|object| object["properties"].get_mut(field));
    if let Some(field) = field {
        let description = field["description"].take();
        *field = schema;
        field["description"] = description;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_every_object_is_derived_and_described() {
        let mut referenced = Vec::new();
        Manifest::schemas(&mut referenced);
        referenced.push(("Manifest".to_owned(), Manifest::schema()));
        for (name, shape, required) in OBJECTS {
            let (_, derived) = referenced.iter().find(|(known, _)| known == name).expect(name);
            let derived = serde_json::to_value(derived).expect("JSON");
            let mut fields: Vec<&str> =
                derived["properties"].as_object().expect("properties").keys().map(String::as_str).collect();
            let mut known = shape.fields.to_vec();
            fields.sort_unstable();
            known.sort_unstable();
            assert_eq!(fields, known, "{name}");
            assert!(required.iter().all(|field| known.contains(field)), "{name}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn walk(value: &Value, root: &Value) {
            match value {
                Value::Object(fields) => {
                    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                        assert!(root.pointer(&reference[1..]).is_some(), "{reference}");
                    }
                    fields.values().for_each(|value| walk(value, root));
                }
                Value::Array(items) => items.iter().for_each(|value| walk(value, root)),
                _ => {}
            }
        }
        let schema = schema();
        walk(&schema, &schema);
        assert_eq!(schema["properties"]["Tasks"]["items"]["$ref"], "#/$defs/Task");
    }
}
