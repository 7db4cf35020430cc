//! How many files this process may have open, connections among them, and for what.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many are asked for, where the system's bound for this user allows it.
const WANTED: u64 = 65_536;

/// What of them each server of a process may have. The rest is left for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    /// Connections to an orchestrator.
    pub(super) connections: usize,
    /// What the guests of one node have open, all together.
    pub(super) of_guests: u32,
}

impl Files {
    /// Shares out what this process may have open, which is as much as the system allows, between an orchestrator, if there
    /// is one, and nodes.
    pub(crate) fn share_out(orchestrator: bool, nodes: usize) -> Self {
        Self::of(raise(), orchestrator, nodes)
    }

    fn of(files: u64, orchestrator: bool, nodes: usize) -> Self {
        // Alone, an orchestrator leaves a quarter to everything else, and a node half. Both together leave a quarter, too.
        let connections = if nodes == 0 { files / 4 * 3 } else { files / 4 };
        let of_guests = files / 2 / u64::try_from(nodes.max(1)).unwrap_or(u64::MAX);
        Self {
            connections: usize::try_from(connections).unwrap_or(usize::MAX) * usize::from(orchestrator),
            of_guests: u32::try_from(of_guests).unwrap_or(u32::MAX),
        }
    }
}

/// Sees to it that many files can be open; how many can. Systems often begin with a thousand, out of regard for programs
/// that cannot deal with more.
fn raise() -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_one_process_leave_it_a_quarter_of_its_files_whichever_they_are() {
        for files in [64_u64, 1024, 4096, 65_536, u64::MAX] {
            for (orchestrator, nodes) in
                [(true, 0), (false, 1), (true, 1), (false, 7), (true, 7), (true, 100)]
            {
                let shared = Files::of(files, orchestrator, nodes);
                let guests = u128::from(shared.of_guests) * nodes as u128;
                assert!(shared.connections as u128 + guests <= u128::from(files / 4 * 3), "{shared:?}");
            }
        }
    }

    #[test]
    fn an_orchestrator_alone_has_three_quarters_and_nodes_share_a_half() {
        assert_eq!(Files::of(1000, true, 0).connections, 750);
        assert_eq!(Files::of(1000, true, 1), Files { connections: 250, of_guests: 500 });
        assert_eq!(Files::of(1000, false, 4), Files { connections: 0, of_guests: 125 });
        assert_eq!(Files::of(u64::MAX, false, 1).of_guests, u32::MAX);
    }

    #[test]
    fn as_many_files_as_the_system_allows_can_be_open_before_they_are_shared_out() {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        let shared = Files::share_out(false, 1);
        let now = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(now >= maximum.unwrap_or(WANTED).min(WANTED), "{now}");
        assert_eq!(u64::from(shared.of_guests), u64::from(u32::MAX).min(now / 2));
    }
}
