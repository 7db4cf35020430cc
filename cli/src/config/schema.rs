//! The JSON Schema (2020-12) of a configuration file, made from the table of keys: what editors complete and check.
//!
//! Spellings of older versions, which files may still have, are not in it.

use serde_json::{Value, json};

use super::{
    key::{Key, Kind},
    keys::keys,
    value,
};

/// The schema of a configuration file.
pub(crate) fn schema() -> Value {
    let mut root = section();
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("A configuration file of skrei");
    for key in keys() {
        let mut place = &mut root;
        for name in key.name.split('.') {
            if place.get("properties").is_none() {
                *place = section();
            }
            place = &mut place["properties"][name];
        }
        *place = of_key(key);
    }
    root
}

/// A section that has nothing in it yet. One without content is as good as absent.
fn section() -> Value {
    json!({"type": ["object", "null"], "properties": {}, "additionalProperties": false})
}

fn of_key(key: &Key) -> Value {
    let mut schema = of_kind(key.kind);
    schema["description"] = json!(key.doc);
    if !key.default.is_empty() {
        schema["default"] = default(key);
    }
    schema
}

/// What a file may have for a key of this kind; values are also taken as the text that the command line takes.
fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Secret | Kind::Path | Kind::File => text(),
        Kind::Word(words) => {
            json!({"type": ["string", "null"], "anyOf": [{"enum": words}, {"pattern": any_case(words)}]})
        }
        Kind::Boolean => json!({
            "type": ["boolean", "string", "integer", "null"],
            "pattern": "^\\s*([tT]([rR][uU][eE])?|[fF]([aA][lL][sS][eE])?|1|0)\\s*$", "minimum": 0, "maximum": 1,
        }),
        Kind::Port => json!({
            "type": ["integer", "string", "null"], "minimum": 0, "maximum": 65535, "pattern": "^\\s*[0-9]{1,5}\\s*$",
        }),
        Kind::Number => {
            json!({"type": ["integer", "string", "null"], "minimum": 0, "pattern": "^\\s*[0-9]+\\s*$"})
        }
        Kind::Duration => json!({
            "type": ["string", "integer", "null"], "minimum": 0, "maximum": 0,
            "pattern": "^\\s*(0|([0-9]*[.]?[0-9]+(h|ms|m|us|ns|s))+)\\s*$",
        }),
        Kind::List => json!({"type": ["array", "string", "number", "boolean", "null"], "items": text()}),
        Kind::Map => json!({
            "type": ["object", "array", "string", "null"], "additionalProperties": text(), "items": text(),
        }),
        Kind::Cpu | Kind::Bytes | Kind::Pieces => json!({"type": ["string", "number", "null"], "minimum": 0}),
        Kind::Users => json!({"type": ["array", "string", "null"], "items": user()}),
    }
}

fn text() -> Value {
    json!({"type": ["string", "number", "boolean", "null"]})
}

fn user() -> Value {
    let actions = json!({"type": "object", "properties": {"Actions": {"type": "array", "items": {"type": "string"}}},
                         "required": ["Actions"], "additionalProperties": false});
    json!({
        "type": "object",
        "properties": {
            "Alias": text(), "Username": text(), "Password": text(), "APIKey": text(),
            "Capabilities": {"type": "array", "items": {"anyOf": [{"type": "string"}, actions]}},
        },
        "additionalProperties": false,
    })
}

/// A default in the type that a file has it in.
fn default(key: &Key) -> Value {
    match value::Value::parse(key, key.default) {
        // Times and paths would lose how they are written.
        Ok(parsed) if !matches!(key.kind, Kind::Duration | Kind::Path | Kind::File) => parsed.to_json(key),
        _ => json!(key.default),
    }
}

/// A pattern for any of these words: the dialect has no flag for "in any case".
fn any_case(words: &[&str]) -> String {
    let letter = |letter: char| match letter.is_ascii_alphabetic() {
        true => format!("[{}{}]", letter.to_ascii_lowercase(), letter.to_ascii_uppercase()),
        false if letter.is_ascii_digit() || letter == '-' => letter.to_string(),
        false => format!("[{letter}]"),
    };
    let words = words.iter().map(|word| word.chars().map(letter).collect::<String>());
    format!("^\\s*({})\\s*$", words.collect::<Vec<_>>().join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_at_its_place_and_no_key_is_a_section() {
        let schema = schema();
        for key in keys() {
            let place = format!("/properties/{}", key.name.replace('.', "/properties/"));
            let found = schema.pointer(&place).unwrap_or_else(|| panic!("{}", key.name));
            assert_eq!(found["description"], key.doc, "{}", key.name);
        }
        assert_eq!(schema["properties"]["API"]["properties"]["Port"]["default"], 1234);
    }

    #[test]
    fn the_reference_has_the_schemas() {
        crate::terminal::page::check_json("config.schema.json", &schema());
        crate::terminal::page::check_json("job.schema.json", &skrei_job::schema());
    }
}
