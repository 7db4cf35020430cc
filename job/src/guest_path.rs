//! Paths as a guest sees them: absolute, with `/`, and never upwards.

/// The absolute form without empty steps and `.`; a relative path counts from `/`, as in Bacalhau.
///
/// # Errors
/// Why it is no guest path, as the end of a sentence that names it.
pub fn normalise(path: &str) -> Result<String, &'static str> {
    if path.trim().is_empty() {
        return Err("is empty");
    }
    if path.contains('\0') {
        return Err("has a NUL character in it");
    }
    let mut normal = String::with_capacity(path.len() + 1);
    for step in path.split('/').filter(|step| !matches!(*step, "" | ".")) {
        if step == ".." {
            return Err("has `..` in it");
        }
        normal.push('/');
        normal.push_str(step);
    }
    if normal.is_empty() {
        normal.push('/');
    }
    Ok(normal)
}

/// Whether a normalised path lies below another.
pub fn is_within(path: &str, outer: &str) -> bool {
    outer == "/" && path != "/" || path.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_and_dots_do_not_matter_and_going_up_is_refused() {
        for (path, expected) in [
            ("main.wasm", Ok("/main.wasm")),
            ("/main.wasm", Ok("/main.wasm")),
            ("//a/./b//", Ok("/a/b")),
            ("/", Ok("/")),
            ("a/../b", Err("has `..` in it")),
            ("..", Err("has `..` in it")),
            (" ", Err("is empty")),
        ] {
            assert_eq!(normalise(path).as_deref(), expected.as_ref().map(|path| *path), "{path}");
        }
        assert!(is_within("/a/b", "/a") && is_within("/a", "/"));
        assert!(!is_within("/ab", "/a") && !is_within("/a", "/a"));
    }
}
