//! `NAME=@FILE`: a secret on a command line, without its value.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{Read, stdin},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use skrei_job::secret::{Name, VALUE_BYTES_MAX};
use skrei_vault::Secret;

use crate::error::Error;

/// A secret that was read from where the command line says.
#[derive(Debug)]
pub(crate) struct GivenSecret {
    /// Its name.
    pub(crate) name: Name,
    value: Secret,
}

/// Where the value of a secret is.
enum Place<'a> {
    Stdin,
    File(&'a str),
    Variable(&'a str),
}

/// The forms, for messages. The value itself is none of them.
const FORMS: &str = "NAME=@FILE, NAME=env:VARIABLE, or NAME=@- for standard input";

impl GivenSecret {
    /// Name and place. Nothing is read, and what was written is not repeated: it may be the value.
    fn parse(written: &str) -> Result<(Name, Place<'_>), Error> {
        let (name, source) = written.split_once('=').ok_or_else(|| {
            Error::usage("a secret is given as NAME=@FILE, and there is no `=` in what was given").hint(FORMS)
        })?;
        let name: Name = name.parse().map_err(|error| Error::usage(format!("{error}")).hint(FORMS))?;
        let place = match (source.strip_prefix('@'), source.strip_prefix("env:")) {
            (Some("-"), _) => Place::Stdin,
            (Some(path), _) => Place::File(path),
            (None, Some(variable)) => Place::Variable(variable),
            (None, None) => {
                return Err(Error::usage(format!("secret `{name}`: its value is not taken from the command line"))
                    .hint(format!(
                        "what stands there is in the shell's history, and in the list of processes for everybody on \
                         this machine; write {FORMS}"
                    )));
            }
        };
        Ok((name, place))
    }

    /// The names of secrets that are written well; no value is read.
    ///
    /// # Errors
    /// One is written in another form, or a name is there twice.
    pub(crate) fn names(written: &[String]) -> Result<BTreeSet<Name>, Error> {
        let mut names = BTreeSet::new();
        for written in written {
            let (name, _) = Self::parse(written)?;
            if names.contains(&name) {
                return Err(Error::usage(format!("secret `{name}` is given twice")));
            }
            names.insert(name);
        }
        Ok(names)
    }

    /// Reads a secret. `stdin_taken_by` says what is read from standard input already.
    ///
    /// # Errors
    /// It is written in another form, or cannot be read. What was written is not repeated: it may be the value.
    pub(crate) fn read(written: &str, stdin_taken_by: &mut Option<String>) -> Result<Self, Error> {
        let (name, place) = Self::parse(written)?;
        let value = match place {
            Place::Stdin => {
                if let Some(other) = stdin_taken_by.replace(format!("secret `{name}`")) {
                    return Err(Error::usage(format!(
                        "secret `{name}` is to be read from standard input, and so is {other}"
                    ))
                    .hint(format!("read one of them from a file: {name}=@FILE")));
                }
                bounded(&name, "standard input", stdin())?
            }
            Place::File(path) => {
                let file = File::open(path).map_err(|error| {
                    Error::usage(format!("secret `{name}`: file `{path}` cannot be read: {error}"))
                })?;
                bounded(&name, &format!("file `{path}`"), file)?
            }
            Place::Variable(variable) => {
                let value = std::env::var_os(variable).ok_or_else(|| {
                    Error::usage(format!("secret `{name}`: the environment variable `{variable}` is not set"))
                })?;
                bounded(&name, &format!("variable `{variable}`"), value.into_encoded_bytes().as_slice())?
            }
        };
        if value.expose().is_empty() {
            return Err(Error::usage(format!("secret `{name}` is empty")));
        }
        Ok(Self { name, value })
    }

    /// Reads several, one of them from standard input at most.
    ///
    /// # Errors
    /// As for one, or a name is there twice.
    pub(crate) fn read_all(
        written: &[String],
        mut stdin_taken_by: Option<String>,
    ) -> Result<Vec<Self>, Error> {
        let mut all: Vec<Self> = Vec::with_capacity(written.len());
        for written in written {
            let given = Self::read(written, &mut stdin_taken_by)?;
            if all.iter().any(|before| before.name == given.name) {
                return Err(Error::usage(format!("secret `{}` is given twice", given.name)));
            }
            all.push(given);
        }
        Ok(all)
    }

    /// The value.
    pub(crate) fn value(&self) -> &Secret {
        &self.value
    }

    /// The value as the API takes it.
    pub(crate) fn base64(&self) -> String {
        BASE64_STANDARD.encode(self.value.expose())
    }
}

fn bounded(name: &Name, from: &str, reader: impl Read) -> Result<Secret, Error> {
    // With its room from the start: a vector that grows leaves copies behind.
    let mut content = Vec::with_capacity(VALUE_BYTES_MAX + 1);
    let read = reader.take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut content);
    let content = Secret::new(content);
    read.map_err(|error| Error::usage(format!("secret `{name}`: {from} cannot be read: {error}")))?;
    if content.expose().len() > VALUE_BYTES_MAX {
        return Err(Error::usage(format!("secret `{name}`: {from} has more than {VALUE_BYTES_MAX} bytes")));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(written: &str) -> String {
        format!("{:?}", GivenSecret::read(written, &mut None).unwrap_err())
    }

    #[test]
    fn a_value_on_the_command_line_is_refused_and_not_repeated() {
        for written in ["pw=hunter22", "hunter22", "=hunter22", "hunter 22=@x", "pw=envhunter22"] {
            let said = refusal(written);
            assert!(!said.contains("hunter"), "{said}");
            assert!(said.contains("@FILE"), "{said}");
        }
        assert!(refusal("pw=hunter22").contains("history"));
    }

    #[test]
    fn names_are_known_without_a_value() {
        let names = |written: &[&str]| {
            GivenSecret::names(&written.iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
        };
        let known = names(&["pw=@/no/such/file", "other=env:NOT_SET_ANYWHERE", "third=@-"]).unwrap();
        assert_eq!(known.iter().map(Name::as_str).collect::<Vec<_>>(), ["other", "pw", "third"]);
        let refused = format!("{:?}", names(&["pw=hunter22"]).unwrap_err());
        assert!(!refused.contains("hunter") && refused.contains("@FILE"), "{refused}");
        assert!(names(&["pw=@a", "pw=@b"]).is_err());
    }

    #[test]
    fn a_file_and_a_variable_are_read_whole() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), b"a\n\xff").unwrap();
        let given = GivenSecret::read(&format!("pw=@{}", file.path().display()), &mut None).unwrap();
        assert_eq!((given.name.as_str(), given.base64().as_str()), ("pw", "YQr/"));
        let path = GivenSecret::read("path=env:PATH", &mut None).unwrap();
        assert_eq!(path.value.expose(), std::env::var("PATH").unwrap().as_bytes());
        assert!(refusal("pw=@/no/such/file").contains("/no/such/file"));
        std::fs::write(file.path(), b"").unwrap();
        assert!(refusal(&format!("pw=@{}", file.path().display())).contains("empty"));
        let path = "path=env:PATH".to_owned();
        assert!(GivenSecret::read_all(&[path.clone(), path], None).is_err());
        let mut taken = Some("the job file".to_owned());
        assert!(GivenSecret::read("pw=@-", &mut taken).is_err());
    }
}
