//! From texts to the fields of a structure.

use serde::{
    Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IntoDeserializer, MapAccess, Visitor,
        value::{Error, SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

/// Reads names and values into the fields of a structure.
pub(super) fn read<T: DeserializeOwned>(pairs: &[(String, String)]) -> Result<T, Error> {
    T::deserialize(Pairs(pairs))
}

/// All parameters.
struct Pairs<'a>(&'a [(String, String)]);

impl<'de> Deserializer<'de> for Pairs<'de> {
    type Error = Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Known { pairs: self.0, fields: fields.iter(), value: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("a query is read into a structure"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The parameters a structure has fields for.
struct Known<'de> {
    pairs: &'de [(String, String)],
    fields: std::slice::Iter<'static, &'static str>,
    value: Option<Texts<'de>>,
}

impl<'de> MapAccess<'de> for Known<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        for name in self.fields.by_ref() {
            let texts: Vec<&str> = self
                .pairs
                .iter()
                .filter(|(found, _)| found.eq_ignore_ascii_case(name))
                .map(|(_, text)| text.as_str())
                .collect();
            if !texts.is_empty() {
                self.value = Some(Texts { name, texts });
                let name: StrDeserializer<'_, Error> = (*name).into_deserializer();
                return seed.deserialize(name).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().ok_or_else(|| Error::custom("a value before its name"))?;
        seed.deserialize(value)
    }
}

/// What was given under one name.
struct Texts<'de> {
    name: &'static str,
    texts: Vec<&'de str>,
}

impl<'de> Texts<'de> {
    fn first(&self) -> &'de str {
        self.texts.first().copied().unwrap_or_default()
    }

    fn number<T: std::str::FromStr + Default>(&self) -> Result<T, Error> {
        match self.first() {
            "" => Ok(T::default()),
            text => text.parse().map_err(|_| {
                Error::custom(format!("query parameter `{}` is not a whole number of its size", self.name))
            }),
        }
    }
}

impl<'de> Deserializer<'de> for Texts<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.first())
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_bool(match self.first() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            _ => {
                let message = format!("query parameter `{}` is neither `true` nor `false`", self.name);
                return Err(Error::custom(message));
            }
        })
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.first().is_empty() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(SeqDeserializer::new(self.texts.into_iter()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        words: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text = self.first();
        if !words.contains(&text) {
            let shown: String = text.chars().take(40).collect();
            let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
            let words = words.join(", ");
            return Err(Error::custom(format!(
                "query parameter `{}` is not `{shown}` but one of {words}",
                self.name
            )));
        }
        visitor.visit_enum(text.into_deserializer())
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct map struct identifier ignored_any
    }
}
