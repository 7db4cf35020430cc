//! Files that the host replaces for a guest.

use crate::fs::{self, Dir, Errno, Open, Opened};
use crate::guest::Guest;

/// Files of one set, at most.
const FILES_MAX: usize = 64;

/// Why files were not replaced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{path}`: {reason}")]
#[non_exhaustive]
pub struct InstallError {
    /// Where it failed, as the guest knows the place.
    pub path: String,
    /// What is in the way.
    pub reason: &'static str,
}

impl InstallError {
    fn new(path: impl Into<String>, errno: Errno) -> InstallError {
        InstallError { path: path.into(), reason: errno.words() }
    }
}

/// Replaces files of a directory of the guest's, by its own rights.
pub(super) fn install(
    guest: &mut Guest,
    directory: &str,
    files: &[(String, Vec<u8>)],
) -> Result<(), InstallError> {
    if files.len() > FILES_MAX {
        let reason = "more than 64 files are to be replaced together";
        return Err(InstallError { path: directory.to_owned(), reason });
    }
    let failed = |errno| InstallError::new(directory, errno);
    let path = fs::normalise_guest(directory).ok_or_else(|| failed(Errno::Inval))?;
    let found = in_preopen(guest, &path).or_else(|| {
        // Where a program is that was never told to be elsewhere.
        (!path.starts_with('/')).then(|| in_preopen(guest, &format!("/{path}"))).flatten()
    });
    let (preopen, below) = found.ok_or_else(|| failed(Errno::NoEnt))?;
    let open = Open { read: true, directory: true, follow: true, ..Open::default() };
    let dir = match preopen.open(&below, &open).map_err(failed)? {
        Opened::Dir(dir) => dir,
        Opened::File(_) => return Err(failed(Errno::NotDir)),
    };
    let failed = |fs::Uninstalled { name, errno }| InstallError::new(format!("{directory}/{name}"), errno);
    fs::install(&dir, files).map_err(failed)
}

/// The directory a guest started with that a path lies in, the innermost of several, and the way from there.
fn in_preopen<'g>(guest: &'g Guest, path: &str) -> Option<(&'g Dir, String)> {
    let preopens = guest.table.preopens().chain(guest.holdings.granted());
    let below = preopens.filter_map(|(granted, dir)| Some((granted.len(), dir, below(granted, path)?)));
    let (_, dir, way) = below.max_by_key(|(depth, _, _)| *depth)?;
    Some((dir, way.to_owned()))
}

/// The way from one path to another beneath it; both in one form.
fn below<'p>(granted: &str, path: &'p str) -> Option<&'p str> {
    let here = |rest: &'p str| if rest.is_empty() { "." } else { rest };
    match granted {
        "/" => path.strip_prefix('/').map(here),
        "." if !path.starts_with('/') => Some(path),
        granted => match path.strip_prefix(granted)? {
            "" => Some("."),
            rest => rest.strip_prefix('/'),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_leads_down_by_whole_names() {
        for (granted, path, way) in [
            ("/a", "/a", Some(".")),
            ("/a", "/a/b/c", Some("b/c")),
            ("/a", "/ab", None),
            ("/", "/", Some(".")),
            ("/", "/a", Some("a")),
            (".", "a/b", Some("a/b")),
            (".", "/a", None),
            ("data", "data/a", Some("a")),
        ] {
            assert_eq!(below(granted, path), way, "{granted} {path}");
        }
    }
}
