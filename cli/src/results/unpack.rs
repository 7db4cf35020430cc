//! Unpacking an archive that nobody has to trust.
//!
//! It goes into an empty directory of its own, in which no link is ever made: so no path leads out, whatever the archive
//! says. A path that tries is refused all the same, and with it the archive.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

use super::{Fetched, Selection};
use crate::error::Error;

/// What an archive may come to on this machine.
const BYTES_MAX: u64 = 64 << 30;
const ENTRIES_MAX: u64 = 1_000_000;

/// What came out of one archive.
#[derive(Debug)]
pub(crate) struct Unpacked {
    /// What its directory is called; empty for none of its own.
    pub(super) label: String,
    /// Where it is now.
    pub(super) folder: PathBuf,
    entries: u64,
}

impl Unpacked {
    /// Whether nothing of it is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries == 0
    }
}

/// Unpacks what is wanted of an archive next to it.
///
/// # Errors
/// If it is damaged, holds what results do not, or the disk does not take it.
pub(crate) fn unpack(fetched: &Fetched, selection: &Selection) -> Result<Unpacked, Error> {
    let folder = fetched.archive.with_extension("unpacked");
    let unreadable = |error: io::Error| Error::unavailable(format!("the download cannot be read: {error}"));
    fs::create_dir(&folder).map_err(|error| unwritten(&folder, &error))?;
    let archive = MultiGzDecoder::new(File::open(&fetched.archive).map_err(unreadable)?);
    let mut unpacked = Unpacked { label: fetched.label.clone(), folder, entries: 0 };
    let (mut entries, mut bytes) = (0, 0_u64);
    for entry in tar::Archive::new(archive).entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let path = entry.path().map_err(|error| damaged(&error))?.into_owned();
        let Some(path) = below(&path) else {
            return Err(suspicious(&format!("`{}` in it leads out of it", path.display())));
        };
        entries += 1;
        bytes = bytes.saturating_add(entry.size());
        if entries > ENTRIES_MAX || bytes > BYTES_MAX {
            return Err(suspicious("it is larger than any results skrei unpacks"));
        }
        let kind = entry.header().entry_type();
        match kind {
            EntryType::XGlobalHeader => continue,
            _ if path.as_os_str().is_empty() || !selection.includes(&path) => continue,
            EntryType::Regular | EntryType::Continuous | EntryType::Directory => {}
            _ => {
                return Err(suspicious(&format!(
                    "`{}` in it is neither a file nor a directory",
                    path.display()
                )));
            }
        }
        put(&unpacked.folder.join(&path), kind, &mut entry)?;
        unpacked.entries += 1;
    }
    Ok(unpacked)
}

fn put(path: &Path, kind: EntryType, content: &mut tar::Entry<'_, impl Read>) -> Result<(), Error> {
    let directory = if kind == EntryType::Directory { Some(path) } else { path.parent() };
    if let Some(directory) = directory {
        fs::create_dir_all(directory).map_err(|error| unwritten(directory, &error))?;
    }
    if kind == EntryType::Directory {
        return Ok(());
    }
    let mut file = File::create_new(path).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => suspicious(&format!("`{}` is in it twice", path.display())),
        _ => unwritten(path, &error),
    })?;
    let mut buffer = vec![0; 64 << 10];
    loop {
        match content.read(&mut buffer).map_err(|error| damaged(&error))? {
            0 => return Ok(()),
            read => {
                io::Write::write_all(&mut file, &buffer[..read]).map_err(|error| unwritten(path, &error))?
            }
        }
    }
}

/// The path without steps that mean nothing; none if it is absolute or goes up.
fn below(path: &Path) -> Option<PathBuf> {
    let mut below = PathBuf::new();
    for step in path.components() {
        match step {
            Component::Normal(name) => below.push(name),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(below)
}

fn damaged(error: &io::Error) -> Error {
    Error::refused(format!("the archive of results is damaged: {error}"))
        .hint("fetch it again; --raw keeps it as it is")
}

fn suspicious(why: &str) -> Error {
    Error::refused(format!("the archive of results is refused: {why}"))
        .hint("nothing was unpacked; --raw keeps the archive as it is")
}

fn unwritten(path: &Path, error: &io::Error) -> Error {
    Error::unavailable(format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use tar::{Builder, Header};
    use tempfile::TempDir;

    use super::*;

    const FILE: EntryType = EntryType::Regular;

    fn fetched(folder: &TempDir, entries: &[(&str, EntryType)]) -> Fetched {
        let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, kind) in entries {
            let mut header = Header::new_gnu();
            // Past the crate's own check of names, as an attacker would.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(if *kind == FILE { 4 } else { 0 });
            if *kind == EntryType::Symlink {
                header.set_link_name("/etc").unwrap();
            }
            header.set_cksum();
            builder.append(&header, if *kind == FILE { &b"text"[..] } else { b"" }).unwrap();
        }
        let archive = folder.path().join("0.tar.gz");
        let content = builder.into_inner().unwrap().finish().unwrap();
        File::create(&archive).unwrap().write_all(&content).unwrap();
        Fetched { label: String::new(), name: "x.tar.gz".to_owned(), archive }
    }

    #[test]
    fn files_and_directories_come_out_also_without_their_parents() {
        let folder = tempfile::tempdir().unwrap();
        let fetched = fetched(&folder, &[(".", EntryType::Directory), ("stdout", FILE), ("a/b/c", FILE)]);
        let unpacked = unpack(&fetched, &Selection::default()).unwrap();
        assert_eq!(fs::read_to_string(unpacked.folder.join("a/b/c")).unwrap(), "text");
        assert!(unpacked.folder.join("stdout").is_file() && !unpacked.is_empty());
    }

    #[test]
    fn a_selection_leaves_the_rest_out() {
        let folder = tempfile::tempdir().unwrap();
        let fetched = fetched(&folder, &[("stdout", FILE), ("a/b", FILE), ("a/c", FILE)]);
        let unpacked = unpack(&fetched, &Selection::parse(Some("a/b")).unwrap()).unwrap();
        assert!(unpacked.folder.join("a/b").is_file());
        assert!(!unpacked.folder.join("stdout").exists() && !unpacked.folder.join("a/c").exists());
    }

    #[test]
    fn tricks_with_paths_and_links_are_refused() {
        for entries in [
            &[("../x", FILE)][..],
            &[("a/../../x", FILE)],
            &[("/tmp/x", FILE)],
            &[("a", EntryType::Symlink), ("a/passwd", FILE)],
            &[("a", EntryType::Link)],
            &[("a", EntryType::Fifo)],
            &[("a", FILE), ("a", FILE)],
        ] {
            let folder = tempfile::tempdir().unwrap();
            let fetched = fetched(&folder, entries);
            let refused = unpack(&fetched, &Selection::default());
            assert!(refused.is_err(), "{entries:?}");
            assert!(!folder.path().join("x").exists() && !Path::new("/tmp/x").exists());
        }
    }
}
