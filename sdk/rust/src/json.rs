//! As much of JSON as it takes to write it.

use alloc::{string::String, vec::Vec};
use core::fmt::Write as _;

/// What can be a value in JSON.
pub trait ToJson {
    /// Adds it to `text`.
    fn write_json(&self, text: &mut String);
}

macro_rules! whole_numbers {
    ($($number:ty)*) => {$(
        impl ToJson for $number {
            fn write_json(&self, text: &mut String) {
                // Writing to a string cannot fail.
                let _ = write!(text, "{self}");
            }
        }
    )*};
}

whole_numbers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize bool);

impl ToJson for f64 {
    /// What is no number is `null`.
    fn write_json(&self, text: &mut String) {
        if self.is_finite() {
            let _ = write!(text, "{self}");
        } else {
            text.push_str("null");
        }
    }
}

impl ToJson for str {
    fn write_json(&self, text: &mut String) {
        text.push('"');
        for letter in self.chars() {
            match letter {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                control if control < ' ' => {
                    let _ = write!(text, "\\u{:04x}", u32::from(control));
                }
                plain => text.push(plain),
            }
        }
        text.push('"');
    }
}

impl ToJson for String {
    fn write_json(&self, text: &mut String) {
        self.as_str().write_json(text);
    }
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn write_json(&self, text: &mut String) {
        (**self).write_json(text);
    }
}

impl<T: ToJson> ToJson for Option<T> {
    /// Nothing is `null`.
    fn write_json(&self, text: &mut String) {
        match self {
            Some(value) => value.write_json(text),
            None => text.push_str("null"),
        }
    }
}

impl<T: ToJson> ToJson for [T] {
    fn write_json(&self, text: &mut String) {
        text.push('[');
        for (place, item) in self.iter().enumerate() {
            if place > 0 {
                text.push(',');
            }
            item.write_json(text);
        }
        text.push(']');
    }
}

impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn write_json(&self, text: &mut String) {
        self.as_slice().write_json(text);
    }
}

impl<T: ToJson> ToJson for Vec<T> {
    fn write_json(&self, text: &mut String) {
        self.as_slice().write_json(text);
    }
}

#[cfg(test)]
pub(crate) fn is_one_line(text: &str) -> bool {
    !text.contains(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn json(value: impl ToJson) -> String {
        let mut text = String::new();
        value.write_json(&mut text);
        text
    }

    #[test]
    fn values_are_written_as_json_has_them() {
        assert_eq!(json("a\"\\\u{1}é"), r#""a\"\\\u0001é""#);
        assert_eq!(json(vec![Some(1.5), None]), "[1.5,null]");
        assert_eq!(json(f64::INFINITY), "null");
        assert_eq!(json((&true, "x").0), "true");
    }
}
