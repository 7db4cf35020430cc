//! Where a job file comes from.

use std::{
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
};

use skrei_job::{Problems, document::MAX_BYTES};

use crate::{error::Error, terminal};

/// The name of a job file that came from standard input.
const STDIN: &str = "standard input";

/// Problems shown of one file; whoever fixes these sees the rest.
const PROBLEMS_MAX: usize = 20;

/// A job file as written.
#[derive(Debug)]
pub(super) struct Source {
    /// For messages.
    name: String,
    /// Nothing for standard input.
    path: Option<PathBuf>,
    /// All of it.
    pub(super) content: Vec<u8>,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    pub(super) fn read(file: &str) -> Result<Self, Error> {
        if file == "-" {
            if io::stdin().is_terminal() {
                terminal::note("Reading a job from standard input; Ctrl+D ends it.");
            }
            let content = bounded(io::stdin())
                .map_err(|error| Error::usage(format!("{STDIN} cannot be read: {error}")))?;
            return Ok(Self { name: STDIN.to_owned(), path: None, content });
        }
        let path = PathBuf::from(file);
        let content = std::fs::File::open(&path).and_then(bounded).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Error::not_found(format!("job file `{file}` does not exist")),
            io::ErrorKind::IsADirectory => Error::not_found(format!("job file `{file}` is a directory"))
                .hint(format!("name the file in it: {}", path.join("job.yaml").display())),
            _ => Error::not_found(format!("job file `{file}` cannot be read: {error}")),
        })?;
        Ok(Self { name: file.to_owned(), path: Some(path), content })
    }

    /// Paths in the job file are relative to this.
    pub(super) fn directory(&self) -> &Path {
        self.path.as_deref().and_then(Path::parent).unwrap_or(Path::new(""))
    }

    /// An error that shows each problem with its line.
    pub(super) fn refused(&self, problems: &Problems) -> Error {
        let text = String::from_utf8_lossy(&self.content);
        let all: Vec<_> = problems.iter().collect();
        let mut shown: Vec<_> =
            all.iter().take(PROBLEMS_MAX).map(|problem| problem.show(&self.name, &text)).collect();
        if all.len() > PROBLEMS_MAX {
            shown.push(format!("and {} more", all.len() - PROBLEMS_MAX));
        }
        Error::refused(shown.join("\n\n"))
    }
}

/// Reads no more than a little beyond what a document may have, so that its length can be judged.
fn bounded(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(MAX_BYTES as u64 + 1).read_to_end(&mut content)?;
    Ok(content)
}
