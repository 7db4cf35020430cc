//! A guest's project on disk: its directory, its job file, and the module that one names.

use std::path::{Path, PathBuf};

use regex::Regex;

use super::language::Language;
use crate::error::Error;

/// The job file of a project, unless another is named.
pub(crate) const JOB_FILE: &str = "job.yaml";

/// A guest's project.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// Where it is.
    pub(crate) directory: PathBuf,
    /// What it is written in.
    pub(crate) language: Language,
    /// Its job file, if it has one.
    pub(crate) job_file: Option<PathBuf>,
    /// The module that is to be made, relative to the directory.
    pub(crate) module: PathBuf,
}

impl Project {
    /// Looks at a directory.
    ///
    /// # Errors
    /// There is none, or nothing in it that tells a language.
    pub(crate) fn open(directory: &Path, language: Option<Language>, job_file: &Path) -> Result<Self, Error> {
        let shown = directory.display();
        if !directory.is_dir() {
            return Err(Error::not_found(format!("there is no directory `{shown}`")));
        }
        let language = language.or_else(|| Language::of(directory)).ok_or_else(|| {
            Error::refused(format!("nothing in `{shown}` tells what language its program is written in")).hint(
                "say it with --lang, or start with `skrei new`; a program in any other language is built with its own \
                 tools, and a job file names the module",
            )
        })?;
        let job_file = directory.join(job_file);
        let written = std::fs::read_to_string(&job_file).ok();
        let module = written.as_deref().and_then(entry_module).map(PathBuf::from);
        let name =
            directory.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
        let usual = || PathBuf::from(format!("build/{}.wasm", name.as_deref().unwrap_or("main")));
        Ok(Self {
            directory: directory.to_owned(),
            language,
            job_file: written.is_some().then_some(job_file),
            module: module.unwrap_or_else(usual),
        })
    }

    /// The module, from here.
    pub(crate) fn module_path(&self) -> PathBuf {
        self.directory.join(&self.module)
    }
}

/// The module a job file names. The file may be a template, whose variables nobody has given yet, so it is not parsed.
fn entry_module(job_file: &str) -> Option<&str> {
    let line = Regex::new(r#"(?m)^[\s{,]*["']?[Ee]ntry[Mm]odule["']?\s*:\s*["']?([^"'\s,}#]+)"#).ok()?;
    let named = line.captures(job_file)?.get(1)?.as_str();
    // What a variable names is known only when the job is run; an absolute path is an input's.
    let is_file = !named.contains("{{") && !named.starts_with('/');
    is_file.then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_found_in_yaml_and_json_and_in_templates() {
        assert_eq!(
            entry_module("Engine:\n  Params:\n    EntryModule: build/a.wasm # made"),
            Some("build/a.wasm")
        );
        assert_eq!(entry_module("{\"Params\": {\n\"entrymodule\": \"a.wasm\"}}"), Some("a.wasm"));
        assert_eq!(entry_module("X: {{x}}\n  EntryModule: 'a.wat'"), Some("a.wat"));
        assert_eq!(entry_module("EntryModule: {{module}}"), None);
        assert_eq!(entry_module("EntryModule: /wasm/main.wasm"), None);
        assert_eq!(entry_module("Name: x"), None);
    }
}
