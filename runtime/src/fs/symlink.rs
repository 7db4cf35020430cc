//! Which symbolic links a guest may make.

use std::path::Component;

use cap_std::fs::Dir;

use super::{Errno, Result, path};

/// Refuses a link whose text leads out of `dir`: an absolute target, or one that climbs above it.
///
/// Lookups never follow such a link anyway; this keeps a guest from leaving one behind for a program on the
/// host that does. The climb is counted from where the link really is, after following links in its own path,
/// and `..` is accepted at the front of a target only, where no other link can change what it means. A link
/// that is moved later may still point elsewhere than it did.
pub(crate) fn check_target(dir: &Dir, target: &str, link: &str) -> Result<()> {
    let target = path::check(target)?;
    let climb = leading_parents(target).ok_or(Errno::Perm)?;
    if climb == 0 {
        return Ok(());
    }
    let depth = match dir.canonicalize(path::parent(link)) {
        Ok(parent) => parent.components().filter(|name| matches!(name, Component::Normal(_))).count(),
        Err(error) => return Err(error.into()),
    };
    if climb <= depth { Ok(()) } else { Err(Errno::Perm) }
}

/// How many `..` a target begins with; `None` if it has one later.
fn leading_parents(target: &str) -> Option<usize> {
    let mut names = target.split('/').filter(|name| !matches!(*name, "" | ".")).peekable();
    let mut climb = 0;
    while names.next_if_eq(&"..").is_some() {
        climb += 1;
    }
    names.all(|name| name != "..").then_some(climb)
}

#[cfg(test)]
mod tests {
    use super::leading_parents;

    #[test]
    fn parents_count_at_the_front_and_nowhere_else() {
        assert_eq!(leading_parents("a/b"), Some(0));
        assert_eq!(leading_parents("../../a"), Some(2));
        assert_eq!(leading_parents("./.././a"), Some(1));
        assert_eq!(leading_parents("a/../../b"), None);
    }
}
