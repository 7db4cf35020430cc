//! What a guest may write as a path, before any of it is looked up.

use std::borrow::Cow;

use super::{Errno, Result};

/// The longest path accepted, in bytes; Linux's `PATH_MAX`.
pub(crate) const PATH_BYTES_MAX: usize = 4096;

/// Refuses what could never name something beneath a directory: an empty path, a NUL, an absolute path.
///
/// `..` and symbolic links are left to the lookup itself, which alone can judge them without a race.
pub(crate) fn check(path: &str) -> Result<&str> {
    if path.is_empty() {
        return Err(Errno::NoEnt);
    }
    if path.len() >= PATH_BYTES_MAX {
        return Err(Errno::NameTooLong);
    }
    if path.contains('\0') {
        return Err(Errno::Inval);
    }
    if path.starts_with('/') {
        return Err(Errno::Perm);
    }
    Ok(path)
}

/// Whether a checked path is the name of an entry of the directory itself. Unless that is a link which is followed, it leads
/// nowhere else.
pub(crate) fn is_name(path: &str) -> bool {
    !path.contains('/') && path != "." && path != ".."
}

/// The directory part of a checked path; `.` where it has none.
pub(crate) fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((parent, _)) if !parent.is_empty() => parent,
        _ => ".",
    }
}

/// The last name of a checked path.
pub(crate) fn name(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// A checked path that asks for a directory, by a slash at its end, if `other` asks for one.
pub(crate) fn with_slash_of<'a>(other: &str, path: &'a str) -> Cow<'a, str> {
    if other.ends_with('/') && !path.ends_with('/') { format!("{path}/").into() } else { path.into() }
}

/// A guest path in one form, without its root: a C library takes `data` and `/data` for the same.
pub(crate) fn without_root(normalised: &str) -> &str {
    if normalised == "." { "" } else { normalised.trim_start_matches('/') }
}

/// A guest path in one form: absolute or relative as written, without `.`, repeated or trailing slashes.
/// `None` if it has a `..` or a NUL, which no grant may have.
pub(crate) fn normalise_guest(path: &str) -> Option<String> {
    if path.contains('\0') || path.len() >= PATH_BYTES_MAX {
        return None;
    }
    let mut normal = String::with_capacity(path.len().max(1));
    if path.starts_with('/') {
        normal.push('/');
    }
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => return None,
            name => {
                if !matches!(normal.as_str(), "" | "/") {
                    normal.push('/');
                }
                normal.push_str(name);
            }
        }
    }
    if normal.is_empty() {
        normal.push('.');
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_relative_path_without_nul_is_looked_up() {
        assert_eq!(check("a/b"), Ok("a/b"));
        assert_eq!(check(""), Err(Errno::NoEnt));
        assert_eq!(check("/etc/passwd"), Err(Errno::Perm));
        assert_eq!(check("a\0b"), Err(Errno::Inval));
        assert_eq!(check(&"a/".repeat(3000)), Err(Errno::NameTooLong));
    }

    #[test]
    fn a_parent_is_never_empty() {
        assert_eq!(parent("a"), ".");
        assert_eq!(parent("a/"), ".");
        assert_eq!(parent("a/b/c"), "a/b");
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for name in ["a", "...", "..a", " ", "a\\b"] {
            assert!(is_name(name), "{name}");
        }
        for path in [".", "..", "a/", "./a", "../a", "a/.."] {
            assert!(!is_name(path), "{path}");
        }
    }

    #[test]
    fn what_one_path_asks_for_can_be_asked_of_another() {
        assert_eq!(with_slash_of("b/", "a"), "a/");
        assert_eq!(with_slash_of("b/", "a/"), "a/");
        assert_eq!(with_slash_of("b", "a"), "a");
    }

    #[test]
    fn guest_paths_have_one_form() {
        assert_eq!(normalise_guest("/data//x/./").as_deref(), Some("/data/x"));
        assert_eq!(normalise_guest("/").as_deref(), Some("/"));
        assert_eq!(normalise_guest("").as_deref(), Some("."));
        assert_eq!(normalise_guest("data/").as_deref(), Some("data"));
        assert_eq!(normalise_guest("/data/../etc"), None);
    }
}
