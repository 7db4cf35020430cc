//! Running the binary.

use std::{
    ffi::OsStr,
    process::{Command, Output, Stdio},
};

/// A command line of `skrei` in an environment that knows nothing of the caller's.
pub(crate) fn skrei(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skrei"));
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", std::env::temp_dir().join("no-home-for-tests"));
    command.args(arguments).stdin(Stdio::null());
    command
}

/// How a command ended, and what it said.
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// Runs a command to its end.
    pub(crate) fn to_end(command: &mut Command) -> Self {
        command.output().expect("the binary starts").into()
    }

    /// Everything it said, for messages of failed assertions.
    pub(crate) fn said(&self) -> String {
        format!("exit code {:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }

    /// Asserts the exit code and returns what was said on both streams.
    pub(crate) fn expect(&self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}", self.said());
        format!("{}{}", self.stdout, self.stderr)
    }
}
