//! One entry: what it covers, and how far.

use std::{
    fmt,
    path::{Component, Path, PathBuf},
};

use skrei_job::spec::Mode;

use super::{Error, pattern::Pattern};

/// One entry of an [`AllowList`](super::AllowList), shown as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    written: String,
    pub(super) covers: Covers,
    mode: Mode,
}

/// What an entry covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    /// Real paths that fit a pattern, as written or with its literal directories resolved.
    Pattern { written: Pattern, resolved: Option<Pattern> },
    /// `job` and what lies below, served from `host`.
    Served { host: PathBuf, resolved: Option<PathBuf>, job: PathBuf },
}

impl Entry {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let written = text.trim();
        let error = |message: String, hint: &str| Error::new(written, message, hint);
        if written.is_empty() {
            return Err(error("is empty".to_owned(), "write `PATH[:ro|:rw]`"));
        }
        if written.contains('\0') {
            return Err(error("has a NUL character in it".to_owned(), "no path has one"));
        }
        let (body, mode) = match split_last_colon(written) {
            Some((body, "ro")) => (body, Mode::ReadOnly),
            Some((body, "rw")) => (body, Mode::ReadWrite),
            Some((_, other)) if looks_like_a_mode(other) => {
                return Err(error(
                    format!("ends with `:{other}`, which is no mode"),
                    "the modes are `:ro` and `:rw`; write `\\:` for a colon in a path",
                ));
            }
            _ => (written, Mode::ReadOnly),
        };
        let covers = match split_served(body) {
            None => Covers::Pattern {
                written: Pattern::parse(body).map_err(|mistake| {
                    error(
                        mistake.to_string(),
                        "write `\\` before a character that is part of the path itself",
                    )
                })?,
                resolved: None,
            },
            Some((_, job)) if split_served(job).is_some() => {
                return Err(error(
                    "names more than two paths".to_owned(),
                    "write `\\:` for a colon in a path",
                ));
            }
            Some((host, job)) => {
                let plain = |text: &str| {
                    Pattern::parse(text).ok().and_then(|pattern| pattern.literal()).ok_or_else(|| {
                        error(
                            format!("serves a path from another place, and `{text}` is not a plain absolute path"),
                            "write `HOST_PATH:JOB_PATH[:ro|:rw]` without globs; write `\\:` for a colon in a path",
                        )
                    })
                };
                Covers::Served { host: plain(host)?, resolved: None, job: plain(job)? }
            }
        };
        Ok(Self { written: written.to_owned(), covers, mode })
    }

    /// The most access it gives.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it is about paths under their own name.
    pub(super) fn is_pattern(&self) -> bool {
        matches!(self.covers, Covers::Pattern { .. })
    }

    /// The host path behind a path that jobs ask for, if this entry serves it from another place.
    pub(super) fn serves(&self, asked: &Path) -> Option<PathBuf> {
        match &self.covers {
            Covers::Pattern { .. } => None,
            Covers::Served { host, job, .. } => {
                let below = lexically_normal(asked).strip_prefix(job).ok()?.to_owned();
                Some(if below.as_os_str().is_empty() { host.clone() } else { host.join(below) })
            }
        }
    }

    /// Whether it covers the resolved path. For a served path that means: within the place it is served from.
    pub(super) fn covers(&self, path: &Path) -> bool {
        match &self.covers {
            Covers::Pattern { written, resolved } => {
                written.matches(path) || resolved.as_ref().is_some_and(|pattern| pattern.matches(path))
            }
            Covers::Served { host, resolved, .. } => path.starts_with(resolved.as_ref().unwrap_or(host)),
        }
    }

    /// The one host path it is about, if it has no wildcard.
    pub fn host_path(&self) -> Option<PathBuf> {
        match &self.covers {
            Covers::Pattern { written, .. } => written.literal(),
            Covers::Served { host, .. } => Some(host.clone()),
        }
    }

    pub(super) fn resolve(&mut self, real_path: &impl Fn(&Path) -> Option<PathBuf>) {
        match &mut self.covers {
            Covers::Pattern { written, resolved } => {
                *resolved = Some(written.resolved(real_path)).filter(|pattern| pattern != written);
            }
            Covers::Served { host, resolved, .. } => *resolved = real_path(host),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// Without `.`, `..` and repeated or trailing slashes, by text alone: what jobs call a served path is a name,
/// and no directory of the host.
fn lexically_normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut normal, component| {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
        normal
    })
}

/// A short word of the letters of modes that is none: a slip rather than part of a path.
fn looks_like_a_mode(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.chars().all(|character| "rwoxRWOX".contains(character))
}

/// Splits at the last colon without `\` before it.
fn split_last_colon(text: &str) -> Option<(&str, &str)> {
    colons(text).last().map(|at| (&text[..at], &text[at + 1..]))
}

/// Splits at a colon that a slash follows: two paths.
fn split_served(text: &str) -> Option<(&str, &str)> {
    colons(text).find(|at| text[at + 1..].starts_with('/')).map(|at| (&text[..at], &text[at + 1..]))
}

fn colons(text: &str) -> impl Iterator<Item = usize> {
    let mut escaped = false;
    text.char_indices().filter_map(move |(at, character)| {
        let counts = character == ':' && !escaped;
        escaped = character == '\\' && !escaped;
        counts.then_some(at)
    })
}
