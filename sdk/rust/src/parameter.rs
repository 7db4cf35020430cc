//! Typed parameters, from arguments or the environment.

use alloc::{borrow::ToOwned, format, string::String};
use core::{fmt::Display, str::FromStr};
#[cfg(feature = "std")]
use std::{env, fmt};

/// What can be a parameter. Implemented for what is read from a text ([`FromStr`]) by way of the types below, and for
/// what need not be given: an `Option`, or a `bool`, which is false unless it is there.
pub trait Parameter: Sized {
    /// Reads it from what was given, if anything was: the text, or an empty one for a flag without a value.
    ///
    /// # Errors
    /// What is wrong with the text, or that there is none.
    fn read(given: Option<&str>) -> Result<Self, String>;
}

macro_rules! from_text {
    ($($kind:ty: $what:literal)*) => {$(
        impl Parameter for $kind {
            fn read(given: Option<&str>) -> Result<Self, String> {
                read_text(given, $what)
            }
        }
    )*};
}

from_text! {
    String: "a text"
    char: "a single character"
    u8: "a whole number from 0 to 255" u16: "a whole number" u32: "a whole number" u64: "a whole number"
    usize: "a whole number" i8: "a whole number" i16: "a whole number" i32: "a whole number" i64: "a whole number"
    isize: "a whole number" f32: "a number" f64: "a number"
}

#[cfg(feature = "std")]
from_text! {
    std::path::PathBuf: "a path"
}

impl Parameter for bool {
    fn read(given: Option<&str>) -> Result<Self, String> {
        match given.map(str::to_ascii_lowercase).as_deref() {
            None | Some("false" | "0" | "no") => Ok(false),
            Some("" | "true" | "1" | "yes") => Ok(true),
            Some(_) => Err("is neither true nor false".to_owned()),
        }
    }
}

impl<T: Parameter> Parameter for Option<T> {
    fn read(given: Option<&str>) -> Result<Self, String> {
        given.map(|text| T::read(Some(text))).transpose()
    }
}

fn read_text<T: FromStr<Err: Display>>(given: Option<&str>, what: &str) -> Result<T, String> {
    let text = given.ok_or("is missing")?;
    // The text itself may be a secret.
    text.parse().map_err(|error| format!("is not {what}: {error}"))
}

/// A parameter that is missing or wrong.
#[cfg(feature = "std")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParameter {
    name: String,
    problem: String,
}

#[cfg(feature = "std")]
impl Display for BadParameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BadParameter { name, problem } = self;
        write!(f, "parameter `{name}` {problem}; give it as --{} or as {}", dashed(name), variable(name))
    }
}

#[cfg(feature = "std")]
impl std::error::Error for BadParameter {}

/// Reads a parameter: from the argument `--NAME=VALUE` or `--NAME VALUE`, or else from the variable of that name in
/// capitals. In an argument `_` and `-` are the same.
///
/// # Errors
/// It is missing, or not of its type.
#[cfg(feature = "std")]
pub fn parameter<T: Parameter>(name: &str) -> Result<T, BadParameter> {
    let given = from_arguments(name, env::args().skip(1)).or_else(|| env::var(variable(name)).ok());
    let wrong = |problem| BadParameter { name: name.to_owned(), problem };
    T::read(given.as_deref()).map_err(wrong)
}

/// Arguments that name no parameter, such as a slip of the pen.
#[cfg(feature = "std")]
pub(crate) fn strange(known: &[&str], arguments: impl Iterator<Item = String>) -> Option<String> {
    let is_known = |argument: &str| known.iter().any(|name| argument == dashed(name));
    let flags = arguments.take_while(|argument| argument != "--");
    flags
        .filter_map(|argument| {
            let flag = argument.strip_prefix("--")?;
            let name = flag.split('=').next().unwrap_or(flag);
            (!is_known(&dashed(name))).then(|| format!("--{name}"))
        })
        .next()
}

#[cfg(feature = "std")]
fn from_arguments(name: &str, arguments: impl Iterator<Item = String>) -> Option<String> {
    let mut arguments = arguments.take_while(|argument| argument != "--").peekable();
    while let Some(argument) = arguments.next() {
        let Some(flag) = argument.strip_prefix("--") else { continue };
        match flag.split_once('=') {
            Some((flag, value)) if dashed(flag) == dashed(name) => return Some(value.to_owned()),
            None if dashed(flag) == dashed(name) => {
                let value = arguments.next_if(|next| !next.starts_with("--"));
                return Some(value.unwrap_or_default());
            }
            _ => {}
        }
    }
    None
}

#[cfg(feature = "std")]
fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(feature = "std")]
fn variable(name: &str) -> String {
    name.replace('-', "_").to_ascii_uppercase()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    fn given(name: &str, line: &str) -> Option<String> {
        from_arguments(name, line.split(' ').map(str::to_owned))
    }

    #[test]
    fn an_argument_is_found_in_either_form() {
        assert_eq!(given("dry_run", "--dry-run"), Some(String::new()));
        assert_eq!(given("out", "x --out=a=b"), Some("a=b".to_owned()));
        assert_eq!(given("out", "--other --out dir"), Some("dir".to_owned()));
        assert_eq!(given("out", "-- --out dir"), None);
    }

    #[test]
    fn a_parameter_has_its_type_or_says_what_is_wrong() {
        assert_eq!(u16::read(Some("80")), Ok(80));
        assert_eq!(Option::<u16>::read(None), Ok(None));
        assert_eq!(bool::read(Some("")), Ok(true));
        let problem = u16::read(Some("secret")).unwrap_err();
        assert!(problem.starts_with("is not a whole number") && !problem.contains("secret"), "{problem}");
        assert_eq!(String::read(None), Err("is missing".to_owned()));
        let error = BadParameter { name: "dry_run".into(), problem: "is missing".into() };
        assert_eq!(error.to_string(), "parameter `dry_run` is missing; give it as --dry-run or as DRY_RUN");
    }

    #[test]
    fn a_slip_in_an_argument_s_name_is_found() {
        let strange = |line: &str| strange(&["out_dir"], line.split(' ').map(str::to_owned));
        assert_eq!(strange("--out-dir x --out_dir=y file"), None);
        assert_eq!(strange("--outdir x"), Some("--outdir".to_owned()));
    }
}
