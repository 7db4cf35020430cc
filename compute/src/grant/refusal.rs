//! What a node says when it does not grant a path.

use std::{io, path::Path};

use rustix::fs::FileType;
use skrei_job::{
    outcome::{Refusal, Rule},
    spec::Mode,
};

use super::Request;
use crate::{allow_list::Entry, glob};

impl Request<'_> {
    pub(super) fn not_listed(&self, real: &Path) -> Box<Refusal> {
        let entries = self.list.entries();
        let tried = if entries.is_empty() {
            "there are none".to_owned()
        } else {
            format!("tried {}", listed(entries))
        };
        self.allow_list(real, &format!("the path is on no entry of its allow-list ({tried})"))
    }

    pub(super) fn insufficient(&self, real: &Path, entries: &[&Entry]) -> Box<Refusal> {
        let which =
            if entries.len() == 1 { "the entry that allows it is" } else { "the entries that allow it are" };
        self.allow_list(real, &format!("{which} read-only ({})", listed(entries.iter().copied())))
    }

    fn allow_list(&self, real: &Path, why: &str) -> Box<Refusal> {
        let message =
            format!("node `{}` does not allow {} {}: {why}", self.node, self.access(), self.place(real));
        let hint = format!(
            "the node's owner can allow it with `-c Compute.AllowListedLocalPaths={}:{}`",
            glob::escape(&real.to_string_lossy()),
            self.wanted.mode.as_str()
        );
        refusal(Rule::AllowList, message, Some(hint))
    }

    pub(super) fn missing(&self, real: &Path) -> Box<Refusal> {
        let hint = match self.wanted.mode {
            Mode::ReadWrite => "to have it made, set `CreateAs: dir` or `CreateAs: file` in the input source",
            Mode::ReadOnly => {
                "to have it made, set `ReadWrite: true` and `CreateAs: dir` in the input source"
            }
        };
        let message = format!("there is nothing at {} on node `{}`", self.place(real), self.node);
        refusal(Rule::MissingPath, message, Some(hint.to_owned()))
    }

    pub(super) fn file_with_slash(&self, real: &Path) -> Box<Refusal> {
        let message = format!(
            "node `{}` cannot make a file at {}: the path ends with `/`",
            self.node,
            self.place(real)
        );
        refusal(Rule::MissingPath, message, Some("leave the slash out, or use `CreateAs: dir`".to_owned()))
    }

    pub(super) fn unusable(&self, real: &Path, cause: &io::Error) -> Box<Refusal> {
        let message = format!("node `{}` cannot open {}: {cause}", self.node, self.place(real));
        refusal(Rule::MissingPath, message, None)
    }

    pub(super) fn moving(&self, real: &Path) -> Box<Refusal> {
        let message = format!(
            "node `{}` cannot open {}: it was moved while it was looked at",
            self.node,
            self.place(real)
        );
        refusal(Rule::MissingPath, message, None)
    }

    pub(super) fn wrong_kind(&self, real: &Path, kind: FileType) -> Box<Refusal> {
        let message = format!(
            "node `{}` does not mount {}: it is {}, neither a directory nor a regular file",
            self.node,
            self.place(real),
            match kind {
                FileType::Fifo => "a FIFO",
                FileType::Socket => "a socket",
                FileType::CharacterDevice | FileType::BlockDevice => "a device",
                _ => "something else",
            }
        );
        refusal(Rule::Unsupported, message, None)
    }

    pub(super) fn not_absolute(&self) -> Box<Refusal> {
        let message = format!("node `{}`: `{}` is not an absolute host path", self.node, self.wanted.path);
        refusal(Rule::AllowList, message, Some("`SourcePath` starts with `/`".to_owned()))
    }

    fn access(&self) -> &'static str {
        match self.wanted.mode {
            Mode::ReadOnly => "reading (`ro`)",
            Mode::ReadWrite => "writing (`rw`) to",
        }
    }

    /// The path as asked for, and where it really leads if that is elsewhere.
    fn place(&self, real: &Path) -> String {
        let asked = &self.wanted.path;
        if Path::new(asked) == real {
            format!("`{asked}`")
        } else {
            format!("`{asked}` (really `{}`)", real.display())
        }
    }
}

fn refusal(rule: Rule, message: String, hint: Option<String>) -> Box<Refusal> {
    Box::new(Refusal { rule, message, hint })
}

fn listed<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> String {
    entries.into_iter().map(|entry| format!("`{entry}`")).collect::<Vec<_>>().join(", ")
}
