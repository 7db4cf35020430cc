//! From the mounts of a sandbox to the directories a guest starts with.

use std::sync::Arc;

use super::entries::{Content, Entries, FileEntry};
use super::mount::Source;
use super::terms::Terms;
use super::tree::Tree;
use super::{Dir, Granted, Handles, Mount, MountError, Preopen, Quota};

/// One preopen per directory mount and one per directory that holds file mounts, in the order of the mounts.
/// Mounts without a quota of their own share `quota`.
pub(crate) fn preopens(
    mounts: Vec<Granted>,
    quota: &Quota,
    handles: &Arc<Handles>,
) -> Result<Vec<Preopen>, MountError> {
    let mut preopens: Vec<Preopen> = Vec::with_capacity(mounts.len());
    // What is on no disk has a number of its own, by which the guest tells it from the rest.
    for (Granted { mount, place }, number) in mounts.into_iter().zip((1_u64..).step_by(2)) {
        let Mount { ownership, mode, .. } = mount;
        let quota = mount.quota.unwrap_or_else(|| quota.clone());
        let terms = Terms::new(mount.guest_path.clone(), mode, ownership, quota, Arc::clone(handles));
        let content = match mount.source {
            Source::Dir(dir) => {
                let dir = Dir::Tree(Tree::new(dir, terms));
                preopens.push(Preopen { guest_path: place.preopen, dir });
                continue;
            }
            Source::File { parent, name } => {
                Content::Host { parent: Arc::new(Tree::new(parent, terms)), name }
            }
            Source::Channel(channel) => Content::Channel(channel.numbered(number)),
            Source::Memory(file) => Content::Memory(file.numbered(number)),
        };
        let guest_name = place.entry.ok_or(MountError::GuestPath { path: mount.guest_path })?;
        let file = FileEntry { guest_name, content };
        let shared = preopens.iter_mut().find(|preopen| preopen.guest_path == place.preopen);
        match shared.map(|preopen| &mut preopen.dir) {
            Some(Dir::Entries(entries)) => entries.push(file),
            _ => {
                let dir = Dir::Entries(Entries::new(vec![file], number + 1));
                preopens.push(Preopen { guest_path: place.preopen, dir });
            }
        }
    }
    Ok(preopens)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::fs::Descriptors;

    fn granted(mounts: impl IntoIterator<Item = Mount>) -> Vec<Granted> {
        mounts.into_iter().fold(Vec::new(), |mut granted, mount| {
            granted.push(Granted::beside(mount, &granted).unwrap());
            granted
        })
    }

    fn handles() -> Arc<Handles> {
        Arc::new(Handles::new(Descriptors::new(u32::MAX)))
    }

    #[test]
    fn what_is_on_no_disk_is_told_apart_like_files_are() {
        let memory = |path: &str| Mount::memory(b"the same".to_vec(), path);
        let mounts = [memory("/a/one"), memory("/a/two"), memory("/b/one")];
        let preopens = preopens(granted(mounts), &Quota::new(0, 0), &handles()).unwrap();
        let identity = |dir: usize, path: &str| preopens[dir].dir.stat_at(path, false).unwrap().identity();
        let all =
            [identity(0, "."), identity(0, "one"), identity(0, "two"), identity(1, "."), identity(1, "one")];
        let different: std::collections::BTreeSet<_> = all.into_iter().collect();
        assert_eq!(different.len(), all.len(), "{all:?}");
        assert_eq!(identity(0, "one"), identity(0, "./one"));
    }

    #[test]
    fn a_directory_of_file_mounts_takes_nothing_of_the_host_each_time_it_is_opened() {
        let temp = tempfile::tempdir().unwrap();
        let mounts = (0..20).map(|number| {
            std::fs::write(temp.path().join(number.to_string()), "").unwrap();
            Mount::open(temp.path().join(number.to_string()), format!("/a/{number}"), Mode::ReadOnly).unwrap()
        });
        let preopens = preopens(granted(mounts), &Quota::new(0, 0), &handles()).unwrap();
        let here = temp.path().canonicalize().unwrap();
        let open_on_host = || {
            let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
            open.filter(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path == here)).count()
        };
        let before = open_on_host();
        let clones: Vec<_> = (0..50).map(|_| preopens[0].dir.try_clone().unwrap()).collect();
        assert_eq!((before, open_on_host()), (20, 20));
        drop(clones);
    }
}
