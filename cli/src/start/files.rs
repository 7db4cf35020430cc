//! How many files this process may have open: each connection is one of them.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many are asked for, where the system's bound for this user allows it.
const WANTED: u64 = 65_536;

/// Sees to it that many files can be open; how many can. Systems often begin with a thousand, out of regard for programs
/// that cannot deal with more.
pub(super) fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(now) = current.filter(|now| *now < WANTED) else { return current.unwrap_or(u64::MAX) };
    let next = maximum.map_or(WANTED, |maximum| maximum.min(WANTED)).max(now);
    match setrlimit(Resource::Nofile, Rlimit { current: Some(next), maximum }) {
        Ok(()) => next,
        Err(error) => {
            tracing::debug!(%error, "no more files can be open than before");
            now
        }
    }
}
