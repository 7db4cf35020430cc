//! Guest templates: starter projects that this program carries inside.

use std::{fs, io, path::Path};

use super::language::Language;
use crate::error::Error;

/// Files by their paths.
type Files = &'static [(&'static str, &'static [u8])];

/// Every template's files by its name.
const TEMPLATES: &[(&str, Files)] = include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// What a project is called in its template.
const PLACEHOLDER: &str = "hello-skrei";

/// Where templates find libraries in our own tree, and where a project has its copy.
const LIBRARIES: &[(&str, &str)] = &[("../../sdk/rust", "skrei-sdk"), ("../../sdk/go", "./skrei")];

/// The longest name of a project.
const NAME_MAX: usize = 64;

/// Says whether a project can be called so: what every language's tools take for a name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    if starts_well && name.chars().all(plain) && !name.ends_with('-') && name.len() <= NAME_MAX {
        return Ok(());
    }
    Err(Error::usage(format!("`{}` cannot be a project's name", name.escape_debug()))
        .hint("lower-case letters, digits and `-`, a letter first, such as `push-config`"))
}

/// Makes a project in a new directory; gives the files it made.
///
/// # Errors
/// Something is in the way, or cannot be written.
pub(crate) fn instantiate(language: Language, name: &str, directory: &Path) -> Result<Vec<String>, Error> {
    let shown = directory.display();
    fs::create_dir(directory).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Error::refused(format!("`{shown}` is there already"))
            .hint("choose another name, or another place with --dir"),
        _ => Error::refused(format!("`{shown}` cannot be made: {error}")),
    })?;
    let mut made = Vec::new();
    for (path, content) in files(language) {
        let path = path.replace(PLACEHOLDER, name);
        let content = adapted(content, name);
        write(&directory.join(&path), &content)
            .map_err(|error| Error::refused(format!("`{shown}/{path}` cannot be written: {error}")))?;
        made.push(path);
    }
    Ok(made)
}

fn files(language: Language) -> Files {
    let found = TEMPLATES.iter().find(|(id, _)| *id == language.id());
    found.map_or(&[], |(_, files)| files)
}

/// The content with the project's name in the place of the template's, and with its own copies of libraries.
fn adapted(content: &[u8], name: &str) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(content) else { return content.to_vec() };
    let mut text = text.replace(PLACEHOLDER, name);
    for (ours, theirs) in LIBRARIES {
        text = text.replace(ours, theirs);
    }
    text.into_bytes()
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, content)
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn every_language_has_a_template_with_a_job_a_readme_and_a_test() {
        for language in Language::value_variants() {
            let names: Vec<_> = files(*language).iter().map(|(name, _)| *name).collect();
            for name in ["job.yaml", "README.md", "expected.txt", ".gitignore"] {
                assert!(names.contains(&name), "{}: {names:?}", language.id());
            }
        }
        assert_eq!(TEMPLATES.len(), Language::value_variants().len(), "a template without a language");
    }

    #[test]
    fn a_project_has_its_own_name_and_nothing_that_leads_out_of_it() {
        for language in Language::value_variants() {
            let parent = tempfile::tempdir().unwrap();
            let project = parent.path().join("p");
            for file in instantiate(*language, "my-job", &project).unwrap() {
                let content = fs::read(project.join(&file)).unwrap();
                let content = String::from_utf8_lossy(&content);
                assert!(!content.contains(PLACEHOLDER), "{file}");
                assert!(!content.contains("../.."), "{file}: {content}");
            }
            let again = instantiate(*language, "my-job", &project).unwrap_err();
            assert_eq!(again.code(), crate::exit::REFUSED);
        }
    }

    #[test]
    fn a_name_is_one_that_every_tool_takes() {
        for name in ["a", "push-config", "job2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "2job", "Job", "a b", "a/b", "..", "a-", "ä", &"a".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
