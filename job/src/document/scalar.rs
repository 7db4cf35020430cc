//! One value as it was written, and what YAML 1.2 says it means.

/// A text with the way it was written. Nothing is converted until somebody knows what is wanted, so that `007`,
/// `1.0` and `yes` stay what they are where a text is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The text without quotes, escapes resolved, lines folded as the style says.
    pub text: String,
    /// How it was written.
    pub style: Style,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: may mean a number, a boolean or nothing, if it looks like one.
    Plain,
    /// In single or double quotes: always a text.
    Quoted,
    /// As a block after `|` or `>`: always a text.
    Block,
    /// A template variable is in it: always a text, and never to be shown.
    Value,
}

/// What a scalar means by the core schema of YAML 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing: `null`, `~` or no text at all.
    Null,
    /// `true` or `false`.
    Boolean,
    /// An integer or a decimal number.
    Number,
    /// Anything else.
    Text,
}

impl Scalar {
    /// A text that is a text, whatever it looks like.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Quoted }
    }

    /// A number, boolean or null as written.
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::Plain }
    }

    /// What it means by the core schema.
    pub fn meaning(&self) -> Meaning {
        if self.style == Style::Plain { meaning(&self.text) } else { Meaning::Text }
    }

    /// Whether it is there only in form (`Key:` with nothing after it, or `null`).
    pub fn is_null(&self) -> bool {
        self.meaning() == Meaning::Null
    }
}

/// What a plain scalar of this text means.
fn meaning(text: &str) -> Meaning {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Meaning::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Meaning::Boolean,
        ".nan" | ".NaN" | ".NAN" => Meaning::Number,
        _ if is_number(text) => Meaning::Number,
        _ => Meaning::Text,
    }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some(octal) = text.strip_prefix("0o") {
        return !octal.is_empty() && octal.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_is_fine =
        exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    let mantissa_is_fine = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    exponent_is_fine && mantissa_is_fine
}

/// Reads an integer of the core schema: decimal, `0x` or `0o`.
pub fn integer(text: &str) -> Option<i64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok();
    }
    if let Some(octal) = text.strip_prefix("0o") {
        return i64::from_str_radix(octal, 8).ok();
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_decides_what_a_plain_scalar_means() {
        for (text, expected) in [
            ("", Meaning::Null),
            ("~", Meaning::Null),
            ("true", Meaning::Boolean),
            ("yes", Meaning::Text),
            ("007", Meaning::Number),
            ("1.", Meaning::Number),
            (".5", Meaning::Number),
            ("-1e+9", Meaning::Number),
            ("0x1F", Meaning::Number),
            (".", Meaning::Text),
            ("1e", Meaning::Text),
            ("1_000", Meaning::Text),
            ("500m", Meaning::Text),
            ("-", Meaning::Text),
        ] {
            assert_eq!(Scalar::plain(text).meaning(), expected, "{text}");
            assert_eq!(Scalar::text(text).meaning(), Meaning::Text, "{text}");
        }
    }
}
