//! Modules as files of the sandbox.

use crate::{Sandbox, load};

/// The content of the file at a guest path; none if nothing is there.
pub(super) fn read(sandbox: &Sandbox, path: &str, bytes_max: usize) -> Result<Option<Vec<u8>>, Unread> {
    // As the guest's C library would: the mount that says most of the path comes first.
    let mut mounts: Vec<_> = sandbox
        .mounts
        .iter()
        .map(|granted| &granted.mount)
        .filter_map(|mount| Some((mount.inner(path)?.len(), mount)))
        .collect();
    mounts.sort_by_key(|(rest, _)| *rest);
    for (_, mount) in mounts {
        match mount.read_module(path, bytes_max as u64) {
            Ok(None) => {}
            Ok(Some(wasm)) if wasm.len() > bytes_max => {
                return Err(Unread::TooLarge(load::Error::TooLarge { bytes: wasm.len(), bytes_max }));
            }
            found => return found.map_err(|error| Unread::Failed(error.to_string())),
        }
    }
    Ok(None)
}

/// Why there is no content.
pub(super) enum Unread {
    TooLarge(load::Error),
    Failed(String),
}
