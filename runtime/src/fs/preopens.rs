//! From the mounts of a sandbox to the directories a guest starts with.

use std::sync::Arc;

use super::entries::{Content, Entries, FileEntry};
use super::mount::Source;
use super::terms::Terms;
use super::tree::Tree;
use super::{Dir, Handles, Mount, MountError, Preopen, Quota};

/// One preopen per directory mount and one per directory that holds file mounts, in the order of the mounts.
/// Mounts without a quota of their own share `quota`.
pub(crate) fn preopens(
    mounts: Vec<Mount>,
    quota: &Quota,
    handles: &Arc<Handles>,
) -> Result<Vec<Preopen>, MountError> {
    let mut preopens: Vec<Preopen> = Vec::with_capacity(mounts.len());
    for mount in mounts {
        let place = mount.place()?;
        let Mount { ownership, mode, .. } = mount;
        let quota = mount.quota.unwrap_or_else(|| quota.clone());
        let terms = Terms::new(mount.guest_path.clone(), mode, ownership, quota, Arc::clone(handles));
        let content = match mount.source {
            Source::Dir(dir) => {
                let dir = Dir::Tree(Tree::new(dir, terms));
                preopens.push(Preopen { guest_path: place.preopen, dir });
                continue;
            }
            Source::File { parent, name } => Content::Host { parent: Tree::new(parent, terms), name },
            Source::Channel(channel) => Content::Channel(channel),
            Source::Memory(file) => Content::Memory(file),
        };
        let guest_name = place.entry.ok_or(MountError::GuestPath { path: mount.guest_path })?;
        let file = FileEntry { guest_name, content };
        let shared = preopens.iter_mut().find(|preopen| preopen.guest_path == place.preopen);
        match shared.map(|preopen| &mut preopen.dir) {
            Some(Dir::Entries(entries)) => entries.push(file),
            _ => {
                let dir = Dir::Entries(Entries::new(vec![file]));
                preopens.push(Preopen { guest_path: place.preopen, dir });
            }
        }
    }
    Ok(preopens)
}
