//! Programs of others that build guests. They are looked for, never fetched.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::error::Error;

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

    /// A program that is a module of Python's, if a Python on the path has it.
    pub(crate) fn python_module(module: &str) -> Option<Self> {
        let python = find("python3")?;
        let mut look = Command::new(&python);
        look.args(["-c", &format!("import {module}")]).stdin(Stdio::null());
        let is_there =
            look.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|ended| ended.success());
        is_there.then(|| Self(vec![python.into(), "-m".into(), module.into()]))
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

/// The error for a program that is not there, with how to get it.
pub(crate) fn missing(what: &str, how: &str) -> Error {
    Error::not_found(format!("{what} is not installed, and nothing is fetched unasked")).hint(how)
}
