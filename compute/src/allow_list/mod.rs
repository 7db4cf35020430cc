//! The allow-list: which host paths the node's owner lets jobs have, and how.
//!
//! An entry is `PATH-PATTERN[:ro|:rw]`, or `HOST_PATH:JOB_PATH[:ro|:rw]` to serve what jobs call `JOB_PATH` from
//! another place on this host; without a mode it is `ro`. An empty list allows nothing. The whole grammar is in
//! docs/reference/allow-list.md.
//!
//! Parsing and deciding are pure. A decision is about a path that is resolved already: links followed, `..`
//! gone. `grant` resolves it, and opens what it decided about.

mod entry;
mod error;
mod pattern;
mod promise;

use std::path::{Path, PathBuf};

pub use entry::Entry;
pub use error::Error;
pub use promise::Broken;
use skrei_job::spec::Mode;

/// Which host paths jobs may have. The default allows nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList {
    entries: Vec<Entry>,
}

/// What the allow-list says to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<'a> {
    /// Granted, in exactly the mode asked for.
    Granted {
        /// The first entry that gives it.
        entry: &'a Entry,
        /// The mode asked for.
        mode: Mode,
    },
    /// The path is on the list, but only to read.
    Insufficient {
        /// The entries that cover it.
        entries: Vec<&'a Entry>,
    },
    /// No entry covers the path.
    NotListed,
}

impl AllowList {
    /// Reads the entries of a list, in order.
    ///
    /// # Errors
    /// The first entry that cannot be understood, with what is wrong.
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, Error> {
        let entries =
            entries.into_iter().map(|entry| Entry::parse(entry.as_ref())).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    /// Whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, in the order they are tried.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where on this host the path a job asks for is. A path that an entry serves is never looked up at its own
    /// place; where several entries serve it, the first that gives the mode counts, else the first.
    pub fn host_path(&self, asked: &Path, mode: Mode) -> PathBuf {
        let mut served =
            self.entries.iter().filter_map(|entry| Some((entry, entry.serves(asked)?))).peekable();
        let first = served.peek().map(|(_, path)| path.clone());
        served
            .find(|(entry, _)| entry.mode() >= mode)
            .map(|(_, path)| path)
            .or(first)
            .unwrap_or(asked.to_owned())
    }

    /// Decides about `resolved`, which is where the path a job `asked` for really leads on this host. An entry
    /// that gives too little does not keep a later one from giving enough.
    pub fn decide(&self, asked: &Path, resolved: &Path, mode: Mode) -> Decision<'_> {
        let serving: Vec<_> = self.entries.iter().filter(|entry| entry.serves(asked).is_some()).collect();
        let applying = if serving.is_empty() {
            self.entries.iter().filter(|entry| entry.is_pattern()).collect()
        } else {
            serving
        };
        let entries: Vec<_> = applying.into_iter().filter(|entry| entry.covers(resolved)).collect();
        match entries.iter().find(|entry| entry.mode() >= mode) {
            Some(entry) => Decision::Granted { entry, mode },
            None if entries.is_empty() => Decision::NotListed,
            None => Decision::Insufficient { entries },
        }
    }

    /// The same list, in which entries whose own directories are symbolic links cover where those lead, too.
    ///
    /// `real_path` gives the real path of what exists, and of what does not as far as its directories do. It is
    /// asked once, when the node starts: a link that is changed later does not change what is allowed.
    #[must_use]
    pub fn resolved(mut self, real_path: impl Fn(&Path) -> Option<PathBuf>) -> Self {
        self.entries.iter_mut().for_each(|entry| entry.resolve(&real_path));
        self
    }
}
