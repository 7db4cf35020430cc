//! From a job file on disk to a manifest that can be submitted: everything wrong with it is said at once.

pub(crate) mod modules;
mod source;
mod variables;

use std::path::Path;

use bytes::Bytes;
use skrei_job::{Document, Manifest, Problem, Problems, Spec, document::Node, read, template};

use crate::{error::Error, secret};
use source::Source;

/// How a job file is given.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The job file, YAML or JSON; `-` reads standard input
    #[arg(value_name = "FILE", default_value = "-", hide_default_value = true)]
    file: String,
    /// A template variable: everything after the first `=` is its value; `@FILE` and `@-` read it; repeatable
    #[arg(short = 'V', long, value_name = "NAME=VALUE")]
    template_vars: Vec<String>,
    /// Environment variables for the template, by a regular expression on their names; `*` takes all
    #[arg(short = 'E', long, value_name = "PATTERN")]
    template_envs: Option<String>,
    /// Take the file as it is, with `{{` and all
    #[arg(long, conflicts_with_all = ["template_vars", "template_envs"])]
    no_template: bool,
}

/// A job file, its variables filled in.
#[derive(Debug)]
pub(crate) struct Written {
    source: Source,
    document: Document,
}

/// A job with nothing wrong in it, and what has to be uploaded with it.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What is meant.
    pub(crate) spec: Spec,
    /// To be submitted.
    pub(crate) manifest: Manifest,
    /// Modules that it names by digest.
    pub(crate) modules: Vec<Bytes>,
    /// What was ignored.
    pub(crate) warnings: Vec<String>,
}

impl Args {
    /// A file and variables for it, given otherwise.
    pub(crate) fn new(file: &Path, template_vars: Vec<String>) -> Self {
        Self {
            file: file.to_string_lossy().into_owned(),
            template_vars,
            template_envs: None,
            no_template: false,
        }
    }

    /// What of it is read from standard input, for messages.
    pub(crate) fn takes_stdin(&self) -> Option<String> {
        let variable = self.template_vars.iter().find(|text| text.ends_with("=@-"));
        match self.file.as_str() {
            "-" => Some("the job file".to_owned()),
            _ => variable.map(|_| "a template variable".to_owned()),
        }
    }

    /// Reads the file and fills its variables in.
    ///
    /// # Errors
    /// The file or a variable cannot be read, or what is wrong with the template or the document.
    pub(crate) fn read(&self) -> Result<Written, Error> {
        let variables =
            variables::read(&self.template_vars, self.template_envs.as_deref(), self.file == "-")?;
        let source = Source::read(&self.file)?;
        let document = if self.no_template {
            Document::parse(&source.content)
        } else {
            template::render(&source.content, &variables)
        };
        match document {
            Ok(document) => Ok(Written { source, document }),
            Err(problems) => Err(source.refused(&problems)),
        }
    }
}

/// Checks a job that was put together from flags; modules that it names are looked for in `directory`.
///
/// # Errors
/// Everything that is wrong with it.
pub(crate) fn check(job: &serde_json::Value, directory: &std::path::Path) -> Result<Checked, Error> {
    let mut reading = read::body(job);
    let supplied = modules::supply(&mut reading.manifest, directory);
    reading.problems.extend(supplied.problems);
    match reading.check(None) {
        Ok(checked) => Ok(Checked {
            manifest: checked.spec.manifest().clone(),
            spec: checked.spec,
            modules: supplied.modules,
            warnings: checked.warnings.iter().map(Problem::to_string).collect(),
        }),
        Err(problems) => Err(Error::refused(problems.to_string())),
    }
}

impl Written {
    /// The document as YAML; private keys only if asked for.
    pub(crate) fn rendered(&self, show_secrets: bool) -> String {
        let mut document = self.document.clone();
        if !show_secrets {
            mask(&mut document.root);
        }
        document.to_yaml()
    }

    /// Checks the job and its modules.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line.
    pub(crate) fn check(&self) -> Result<Checked, Error> {
        let mut reading = read::file(&self.document);
        let supplied = modules::supply(&mut reading.manifest, self.source.directory());
        if let Some(problems) = Problems::new(supplied.problems) {
            reading.problems.extend(problems.located(&self.document).into_vec());
        }
        match reading.check(Some(&self.document)) {
            Ok(checked) => Ok(Checked {
                manifest: checked.spec.manifest().clone(),
                spec: checked.spec,
                modules: supplied.modules,
                warnings: checked.warnings.iter().map(Problem::to_string).collect(),
            }),
            Err(problems) => Err(self.source.refused(&problems)),
        }
    }
}

/// Puts what stands for it in the place of every text with a private key in it.
fn mask(node: &mut Node) {
    use skrei_job::document::{Scalar, Tree};
    match &mut node.tree {
        Tree::Scalar(scalar) if secret::is_in(&scalar.text) => {
            *scalar = Scalar::text(secret::shown(&scalar.text))
        }
        Tree::Scalar(_) => {}
        Tree::List(items) => items.iter_mut().for_each(mask),
        Tree::Map(entries) => entries.iter_mut().for_each(|entry| mask(&mut entry.value)),
    }
}
