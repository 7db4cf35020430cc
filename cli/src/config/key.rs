//! One key of the configuration.

use super::keys::keys;

/// A key: its name, what a value of it looks like, and what it is for.
#[derive(Debug)]
pub(crate) struct Key {
    /// As documented; compared without regard to case.
    pub(crate) name: &'static str,
    /// What a value looks like.
    pub(crate) kind: Kind,
    /// As one would write it; empty for none.
    pub(crate) default: &'static str,
    /// One or two sentences.
    pub(crate) doc: &'static str,
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// Any text, never shown.
    Secret,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Boolean,
    /// A number from 0 to 65535; 0 lets the system choose.
    Port,
    /// A path; `~` is the home directory.
    Path,
    /// A path, or nothing.
    File,
    /// `30s`, `1h30m`.
    Duration,
    /// A whole number.
    Number,
    /// Texts separated by commas; commas in braces belong to the text.
    List,
    /// Users: a list in a file, or its JSON.
    Users,
    /// `name=value` pairs separated by commas.
    Map,
    /// `80%` or an amount of CPU.
    Cpu,
    /// `80%` or an amount of bytes.
    Bytes,
    /// `100%` or a number of pieces.
    Pieces,
}

impl Kind {
    /// The word in messages and in the reference.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Secret => "text (secret)",
            Self::Word(_) => "word",
            Self::Boolean => "boolean",
            Self::Port => "port",
            Self::Path => "path",
            Self::File => "file",
            Self::Duration => "duration",
            Self::Number => "number",
            Self::List => "list",
            Self::Users => "list of users",
            Self::Map => "map",
            Self::Cpu | Self::Bytes | Self::Pieces => "percent or amount",
        }
    }
}

impl Key {
    /// Whether values of it are nobody's business.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Secret | Kind::Users)
    }
}

/// The key of this name, in any case.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    keys().find(|key| key.name.eq_ignore_ascii_case(name))
}

/// How far a name may be from a known one, as a share of its length, to be taken for a slip.
const NEAR_SHARE: usize = 3;

/// The known key nearest to an unknown name, if any is near.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let written = name.to_lowercase();
    let distance = |key: &Key| {
        let known = key.name.to_lowercase();
        // Whoever forgets the section means the key of that name.
        let last = known.rsplit('.').next().unwrap_or(&known);
        strsim::damerau_levenshtein(&written, &known).min(strsim::damerau_levenshtein(&written, last) + 1)
    };
    let nearest = keys().map(|key| (distance(key), key.name)).min()?;
    (nearest.0 <= (written.chars().count() / NEAR_SHARE).max(1)).then_some(nearest.1)
}

/// What to write instead of an unknown key.
pub(crate) fn hint(name: &str) -> String {
    match nearest(name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`skrei config list` shows every key".to_owned(),
    }
}
