//! Template variables: literal, from a file, from standard input, from the environment.

use std::io::Read;

use regex::Regex;
use skrei_job::template::Variables;

use crate::{error::Error, secret, terminal};

/// The longest value read from a file.
const VALUE_BYTES_MAX: u64 = 10 << 20;

/// Reads all variables. `stdin_taken` says that the job file itself comes from standard input.
pub(super) fn read(
    given: &[String],
    environment: Option<&str>,
    stdin_taken: bool,
) -> Result<Variables, Error> {
    let mut variables = Variables::new();
    if let Some(pattern) = environment {
        import(&mut variables, pattern)?;
    }
    let mut stdin_taken_by = stdin_taken.then(|| "the job file".to_owned());
    for text in given {
        let (name, value) = Variables::split(text).map_err(|error| {
            Error::usage(format!("--template-vars: {error}"))
                .hint("--template-vars name=value, or name=@file")
        })?;
        let content = match value.strip_prefix('@') {
            None => value.as_bytes().to_vec(),
            Some("-") => {
                let taken_by = stdin_taken_by.replace(format!("`{name}`"));
                if let Some(other) = taken_by {
                    return Err(Error::usage(format!(
                        "template variable `{name}` is to be read from standard input, and so is {other}"
                    ))
                    .hint(format!("read one of them from a file: {name}=@FILE")));
                }
                bounded(name, "standard input", std::io::stdin())?
            }
            Some(path) => {
                let file = std::fs::File::open(path).map_err(|error| {
                    Error::usage(format!("template variable `{name}`: file `{path}` cannot be read: {error}"))
                })?;
                bounded(name, &format!("`{path}`"), file)?
            }
        };
        if looks_secret(&content) {
            terminal::warn(&advice(name, value));
        }
        variables.set(name, content).map_err(|error| Error::usage(format!("--template-vars: {error}")))?;
    }
    Ok(variables)
}

/// Whether this is what nobody else should see.
fn looks_secret(content: &[u8]) -> bool {
    str::from_utf8(content).is_ok_and(secret::is_in)
}

/// What to do instead. A value that was given literally is not repeated.
fn advice(name: &str, value: &str) -> String {
    let source = if value.starts_with('@') { value } else { "@FILE" };
    format!(
        "template variable `{name}` looks like a private key: every version of the job will have it, for everybody who may \
         see the job.\nGive it as a secret: --secret {name}={source}, and write {{{{secret \"{name}\"}}}} in the job file"
    )
}

fn bounded(name: &str, from: &str, reader: impl Read) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    let read = reader.take(VALUE_BYTES_MAX + 1).read_to_end(&mut content);
    read.map_err(|error| {
        Error::usage(format!("template variable `{name}`: {from} cannot be read: {error}"))
    })?;
    if content.len() as u64 > VALUE_BYTES_MAX {
        return Err(Error::usage(format!(
            "template variable `{name}`: {from} has more than {VALUE_BYTES_MAX} bytes"
        )));
    }
    Ok(content)
}

fn import(variables: &mut Variables, pattern: &str) -> Result<(), Error> {
    let pattern = if pattern == "*" { "" } else { pattern };
    let pattern = Regex::new(pattern).map_err(|error| {
        Error::usage(format!("--template-envs: not a regular expression: {error}"))
            .hint("`*` alone takes all variables")
    })?;
    // Variables that are not text cannot be named in a template.
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    for (name, value) in texts.filter(|(name, _)| pattern.is_match(name)) {
        variables.import(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use skrei_job::template;

    use super::*;

    fn filled_in(given: &[&str]) -> Result<String, String> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let variables = read(&given, None, false).map_err(|error| format!("{error:?}"))?;
        let document =
            template::render("a: \"{{a}}\"\n", &variables).map_err(|problems| problems.to_string())?;
        Ok(document.root.to_value()["a"].as_str().unwrap().to_owned())
    }

    #[test]
    fn everything_after_the_first_equals_sign_arrives() {
        assert_eq!(filled_in(&["a=1,b=2"]).unwrap(), "1,b=2");
        assert_eq!(filled_in(&["a=x\ny=="]).unwrap(), "x\ny==");
        assert_eq!(filled_in(&["a=1", "a=2"]).unwrap(), "2");
    }

    #[test]
    fn a_file_arrives_byte_for_byte() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "one: two # three\n{{four}}\n").unwrap();
        let arrived = filled_in(&[&format!("a=@{}", file.path().display())]).unwrap();
        assert_eq!(arrived, "one: two # three\n{{four}}\n");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        assert!(
            filled_in(&["a=@/no/such/file"])
                .unwrap_err()
                .contains("template variable `a`: file `/no/such/file`")
        );
        assert!(filled_in(&["secret-without-name"]).unwrap_err().contains("there is no `=`"));
        assert!(!filled_in(&["secret-without-name"]).unwrap_err().contains("secret"));
    }
}
