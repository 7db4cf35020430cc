//! JSON that YAML 1.2 does not take: tabs as indentation, surrogate pairs as escapes. Read without places.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Document, Entry, MAX_DEPTH, MAX_NODES, Node, Scalar, Tree, size::size_of};

/// The document, if the text is JSON within the bounds and no key is there twice.
pub(super) fn parse(text: &str) -> Option<Document> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let Json(root) = serde_json::from_str(text).ok()?;
    let size = size_of(&root);
    (size.depth <= MAX_DEPTH && size.nodes <= MAX_NODES).then_some(Document { root })
}

struct Json(Node);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

fn plain<E>(text: impl ToString) -> Result<Json, E> {
    Ok(Json(Node::new(Tree::Scalar(Scalar::plain(text.to_string())))))
}

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        plain("null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        plain(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        plain(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        plain(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        match serde_json::Number::from_f64(value) {
            Some(number) => plain(number),
            None => Err(E::custom("not a number")),
        }
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json(Node::new(Tree::Scalar(Scalar::text(value)))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(Json(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(Json(Node::new(Tree::List(items))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        while let Some((key, Json(value))) = access.next_entry::<String, Json>()? {
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom("a key is there twice"));
            }
            entries.push(Entry { at: None, key: Scalar::text(key), value });
        }
        Ok(Json(Node::new(Tree::Map(entries))))
    }
}
