//! From an object to the fields of a structure.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor,
        value::{Error, StrDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_json::{Map, Value};

/// Reads an object into the fields of a structure.
pub(super) fn read<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T, Error> {
    T::deserialize(Object(object))
}

struct Object(Map<String, Value>);

impl<'de> Deserializer<'de> for Object {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Known { object: self.0, fields: fields.iter(), value: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a body is read into a structure"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The entries a structure has fields for, as far as they are not null.
struct Known {
    object: Map<String, Value>,
    fields: std::slice::Iter<'static, &'static str>,
    value: Option<(&'static str, Value)>,
}

impl Known {
    fn take(&mut self, name: &str) -> Option<Value> {
        let key = self.object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
        self.object.remove(&key).filter(|value| !value.is_null())
    }
}

impl<'de> MapAccess<'de> for Known {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        while let Some(name) = self.fields.next() {
            if let Some(value) = self.take(name) {
                self.value = Some((name, value));
                let name: StrDeserializer<'_, Error> = (*name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let (name, value) = self.value.take().ok_or_else(|| Error::custom("a value before its name"))?;
        seed.deserialize(value).map_err(|error| Error::custom(format!("`{name}`: {error}")))
    }
}
