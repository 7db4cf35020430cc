//! Programs of others that build guests. They are looked for, never fetched.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::Error;

/// Where a project has packages of Python's, so that nobody's system is touched.
const ENVIRONMENT: &str = ".venv";

/// Finds a program as a shell would.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// A program and its arguments so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tool(Vec<OsString>);

impl Tool {
    /// One that is on the path.
    pub(crate) fn on_path(name: &str) -> Option<Self> {
        find(name).map(|path| Self(vec![path.into()]))
    }

    /// A program at a place relative to the directory that it is run in.
    pub(crate) fn relative(path: &str) -> Self {
        Self(vec![format!("./{path}").into()])
    }

    /// A program at a place that is known.
    pub(crate) fn at(path: &Path) -> Option<Self> {
        path.is_file().then(|| Self(vec![path.into()]))
    }

    /// A program that is a package of Python's, in the project's own environment or on the path.
    pub(crate) fn python_program(project: &Path, name: &str) -> Option<Self> {
        in_environment(project, name).or_else(|| Self::on_path(name))
    }

    /// A program that is a module of Python's, if the project's own Python has it or one on the path.
    pub(crate) fn python_module(project: &Path, module: &str) -> Option<Self> {
        let own = in_environment(project, "python3").and_then(|python| Self::module_of(python, module));
        own.or_else(|| Self::module_of(Self::on_path("python3")?, module))
    }

    fn module_of(python: Self, module: &str) -> Option<Self> {
        let mut look = Command::new(&python.0[0]);
        look.args(["-c", &format!("import {module}")]).stdin(Stdio::null());
        let is_there =
            look.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|ended| ended.success());
        is_there.then(|| python.with("-m").with(module))
    }

    /// The same with one more argument.
    #[must_use]
    pub(crate) fn with(mut self, argument: impl Into<OsString>) -> Self {
        self.0.push(argument.into());
        self
    }

    /// Runs it to its end in a directory; what it says goes to standard error.
    ///
    /// # Errors
    /// It cannot be started, or does not end well. What was wrong it has said itself.
    pub(crate) fn run(
        &self,
        directory: &Path,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        variables: &[(&str, &str)],
    ) -> Result<(), Error> {
        let name = self.0[0].to_string_lossy().into_owned();
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]).args(arguments.into_iter().map(Into::into));
        command.current_dir(directory).envs(variables.iter().copied()).stdin(Stdio::null());
        // Data is ours to print.
        command.stdout(std::io::stderr());
        match command.status() {
            Ok(ended) if ended.success() => Ok(()),
            Ok(ended) => {
                Err(Error::refused(format!("the project does not build: `{name}` ended with {ended}")))
            }
            Err(error) => Err(Error::refused(format!("`{name}` cannot be run: {error}"))),
        }
    }
}

fn in_environment(project: &Path, name: &str) -> Option<Tool> {
    let path = project.join(ENVIRONMENT).join("bin").join(name);
    // It is run from another directory.
    Tool::at(&std::path::absolute(path).ok()?)
}

/// How to get a package of Python's where [`Tool::python_program`] looks: systems let nobody install into their own Python.
pub(crate) fn pip_install(project: &Path, package: &str) -> String {
    let environment = if project == Path::new(".") { ENVIRONMENT.into() } else { project.join(ENVIRONMENT) };
    let environment = environment.display();
    format!("python3 -m venv {environment} && {environment}/bin/pip install {package}")
}

/// The error for a program that is not there, with how to get it.
pub(crate) fn missing(what: &str, how: &str) -> Error {
    Error::not_found(format!("{what} is not installed, and nothing is fetched unasked")).hint(how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_project_has_in_an_environment_of_its_own_comes_first() {
        let project = tempfile::tempdir().unwrap();
        let bin = project.path().join(".venv/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("sh"), "").unwrap();
        assert_eq!(Tool::python_program(project.path(), "sh"), Some(Tool(vec![bin.join("sh").into()])));
        assert_ne!(Tool::on_path("sh"), Tool::python_program(project.path(), "sh"));
        assert_eq!(Tool::python_program(project.path(), "no-such-program"), None);
        assert_eq!(
            pip_install(Path::new("."), "ziglang==1"),
            "python3 -m venv .venv && .venv/bin/pip install ziglang==1"
        );
        assert!(pip_install(Path::new("a"), "b").ends_with("&& a/.venv/bin/pip install b"));
    }
}
