//! Running the program and looking at what it said.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// A directory of its own, in which the program is run.
pub(crate) struct Desk {
    directory: TempDir,
}

/// What a run left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    /// Puts a file onto the desk; its path.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs `skrei` with these words.
    pub(crate) fn skrei(&self, words: &[&str]) -> Said {
        self.skrei_with(words, b"")
    }

    /// Runs `skrei` with these words and this standard input.
    pub(crate) fn skrei_with(&self, words: &[&str], stdin: &[u8]) -> Said {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Whoever does not read it may be gone already.
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The command, with nothing of our own environment that it would listen to.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skrei"));
        command.args(words).current_dir(self.path()).env("HOME", self.path());
        for (name, _) in std::env::vars() {
            if name.starts_with("SKREI_") || name.starts_with("BACALHAU_") {
                command.env_remove(name);
            }
        }
        command
    }
}

impl Said {
    /// What was printed and the exit code, as one text for comparison.
    pub(crate) fn transcript(&self) -> String {
        format!("{}{}[exit code {}]", self.stdout, self.stderr, self.code)
    }
}
