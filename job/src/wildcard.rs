//! Names with `*` in them.

/// Whether a text fits a pattern in which `*` stands for any text, none included, and everything else for itself.
///
/// ```
/// use skrei_job::wildcard::fits;
///
/// assert!(fits("deploy-*", "deploy-certs") && fits("*", "") && fits("a*c*", "abc"));
/// assert!(!fits("deploy-*", "my-deploy-certs") && !fits("a*a", "a"));
/// ```
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        // The first place is the best: it leaves most for what follows.
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
