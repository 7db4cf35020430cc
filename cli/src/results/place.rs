//! Putting results where they belong, and never over something else.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Fetched, Unpacked};
use crate::error::Error;

/// The directory for archives that are kept.
const RAW: &str = "raw";

/// Moves everything that was unpacked into `folder`: what has a label into a directory of that name.
///
/// # Errors
/// If something of the same name is there already; then nothing is moved.
pub(crate) fn place(unpacked: &[Unpacked], folder: &Path) -> Result<(), Error> {
    let mut moves = Vec::new();
    for result in unpacked.iter().filter(|result| !result.is_empty()) {
        if !result.label.is_empty() {
            moves.push((result.folder.clone(), folder.join(&result.label)));
            continue;
        }
        for entry in fs::read_dir(&result.folder).map_err(|error| unmoved(&result.folder, &error))? {
            let entry = entry.map_err(|error| unmoved(&result.folder, &error))?;
            moves.push((entry.path(), folder.join(entry.file_name())));
        }
    }
    carry_out(moves)
}

/// Moves archives as they are into a directory `raw` of `folder`.
///
/// # Errors
/// As for [`place`].
pub(crate) fn keep_raw(fetched: &[Fetched], folder: &Path) -> Result<(), Error> {
    let raw = folder.join(RAW);
    fs::create_dir_all(&raw).map_err(|error| unmoved(&raw, &error))?;
    carry_out(fetched.iter().map(|fetched| (fetched.archive.clone(), raw.join(&fetched.name))).collect())
}

fn carry_out(moves: Vec<(PathBuf, PathBuf)>) -> Result<(), Error> {
    if let Some((_, there)) = moves.iter().find(|(_, to)| to.symlink_metadata().is_ok()) {
        return Err(in_the_way(there));
    }
    for (from, to) in moves {
        // Somebody else may have been faster.
        match renameat_with(CWD, &from, CWD, &to, RenameFlags::NOREPLACE) {
            Ok(()) => {}
            Err(rustix::io::Errno::EXIST) => return Err(in_the_way(&to)),
            Err(error) => return Err(unmoved(&to, &error.into())),
        }
    }
    Ok(())
}

fn in_the_way(path: &Path) -> Error {
    Error::refused(format!("`{}` is there already and is not written over", path.display()))
        .hint("choose another directory with --output-dir, or move it away")
}

fn unmoved(path: &Path, error: &io::Error) -> Error {
    Error::unavailable(format!("`{}` cannot be written: {error}", path.display()))
}
