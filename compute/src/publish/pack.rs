//! From directories to an archive: tar, compressed by gzip, in the layout that Bacalhau's clients unpack (reference
//! requester-api 7.6, 8.2 and 8.4).
//!
//! `stdout`, `stderr`, `exitCode`, then a directory for each result path, every directory before what is in it. Plain files
//! and directories alone: links and whatever else a guest made are left out, so that nothing outside comes in and nothing
//! leads out where it is unpacked.

use std::{
    fs::File,
    io::{self, BufWriter, Read as _, Write},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, MetadataExt as _},
};
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest as _, Sha256};
use skrei_job::Digest;
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use super::{Error, outbox::Place};
use crate::results::Results;

/// An archive that grows asks for room for so much more at a time.
const STEP_BYTES: u64 = 1 << 20;

/// Directories in each other: bounds the descriptors that are open at once.
const DEPTH_MAX: usize = 64;

/// Modes of what is unpacked: whoever runs the guest says what it may do, not the guest.
const FILE_MODE: u32 = 0o644;
const DIRECTORY_MODE: u32 = 0o755;

/// An archive that is on disk under no name yet.
pub(super) struct Packed {
    pub(super) file: NamedTempFile,
    pub(super) digest: Digest,
    pub(super) size: u64,
}

/// Packs into a temporary file in `folder`, as far as there is a place for it.
pub(super) fn pack(
    results: &Results,
    exit_code: i32,
    folder: &Path,
    bytes_max: u64,
    place: &Place,
) -> Result<Packed, Error> {
    let disk = |cause: io::Error| Error::disk(&cause);
    let file = NamedTempFile::new_in(folder).map_err(disk)?;
    let sealed =
        Sealed { file: BufWriter::new(file), hash: Sha256::new(), size: 0, bytes_max, place, granted: 0 };
    let mut archive = Archive(Builder::new(GzEncoder::new(sealed, Compression::fast())));
    for stream in results.output_files().map_err(disk)? {
        archive.file(Path::new(stream.name), &stream.file).map_err(broken_off(bytes_max))?;
    }
    archive
        .content(Path::new("exitCode"), exit_code.to_string().as_bytes())
        .map_err(broken_off(bytes_max))?;
    for directory in results.directories() {
        let opened = Dir::open_ambient_dir(&directory.path, ambient_authority()).map_err(disk)?;
        archive.directory(Path::new(&directory.of.name), &opened, DEPTH_MAX).map_err(|cause| {
            match is_too_deep(&cause) {
                true => Error::TooDeep { name: directory.of.name.clone(), depth_max: DEPTH_MAX },
                false => broken_off(bytes_max)(cause),
            }
        })?;
    }
    let sealed = archive.0.into_inner().and_then(GzEncoder::finish);
    let Sealed { file, hash, size, .. } = sealed.map_err(broken_off(bytes_max))?;
    let file = file.into_inner().map_err(|error| Error::disk(error.error()))?;
    file.as_file().sync_data().map_err(disk)?;
    Ok(Packed { file, digest: Digest::from_bytes(hash.finalize().into()), size })
}

struct Archive<'a>(Builder<GzEncoder<Sealed<'a>>>);

impl Archive<'_> {
    fn directory(&mut self, path: &Path, directory: &Dir, depth_left: usize) -> io::Result<()> {
        if depth_left == 0 {
            return Err(io::Error::other(Bound::Depth));
        }
        let mut header = header(EntryType::Directory, DIRECTORY_MODE, 0);
        header.set_mtime(seconds(directory.dir_metadata()?.mtime()));
        self.0.append_data(&mut header, path, io::empty())?;
        let mut names: Vec<PathBuf> =
            directory.entries()?.map(|entry| Ok(entry?.file_name().into())).collect::<io::Result<_>>()?;
        names.sort();
        for name in names {
            let kind = directory.symlink_metadata(&name)?.file_type();
            if kind.is_dir() {
                self.directory(&path.join(&name), &directory.open_dir(&name)?, depth_left - 1)?;
            } else if kind.is_file() {
                self.file(&path.join(&name), &directory.open(&name)?.into_std())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, file: &File) -> io::Result<()> {
        let metadata = file.metadata()?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let mut header = header(EntryType::Regular, FILE_MODE, metadata.len());
        header.set_mtime(modified.map_or(0, |since| since.as_secs()));
        self.0.append_data(&mut header, path, file.take(metadata.len()))
    }

    fn content(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.0.append_data(&mut header(EntryType::Regular, FILE_MODE, content.len() as u64), path, content)
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

fn seconds(since_epoch: i64) -> u64 {
    u64::try_from(since_epoch).unwrap_or(0)
}

/// Counts and hashes what goes to the disk, up to a bound.
struct Sealed<'a> {
    file: BufWriter<NamedTempFile>,
    hash: Sha256,
    size: u64,
    bytes_max: u64,
    place: &'a Place,
    /// For how much there is a place.
    granted: u64,
}

impl Write for Sealed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.size + bytes.len() as u64 > self.granted {
            let wanted = self.granted + STEP_BYTES.max(bytes.len() as u64);
            self.place.grow(wanted).map_err(|all| io::Error::other(Bound::Outbox(all)))?;
            self.granted = wanted;
        }
        let written = self.file.write(bytes)?;
        self.size += written as u64;
        if self.size > self.bytes_max {
            return Err(io::Error::other(Bound::Size));
        }
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A bound that was passed, on its way through [`io::Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Bound {
    #[error("too large")]
    Size,
    #[error("too deep")]
    Depth,
    /// How much there is a place for in all.
    #[error("no room")]
    Outbox(u64),
}

fn bound(cause: &io::Error) -> Option<Bound> {
    cause.get_ref()?.downcast_ref().copied()
}

fn is_too_deep(cause: &io::Error) -> bool {
    bound(cause) == Some(Bound::Depth)
}

fn broken_off(bytes_max: u64) -> impl Fn(io::Error) -> Error {
    move |cause| match bound(&cause) {
        Some(Bound::Size) => Error::TooLarge { bytes_max },
        Some(Bound::Outbox(bytes_max)) => Error::Full { bytes_max },
        _ => Error::disk(&cause),
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, os::unix::fs::symlink};

    use skrei_job::spec::ResultPath;

    use super::*;

    fn results(folder: &Path) -> Results {
        let path = ResultPath { name: "outputs".to_owned(), path: "/outputs".to_owned() };
        Results::make(folder, &[path], Some(1000)).unwrap()
    }

    /// What an archive holds, in its order: directories end in a slash.
    fn listed(packed: &Packed) -> Vec<(String, String)> {
        let content = fs::read(packed.file.path()).unwrap();
        assert_eq!((Digest::of(&content), content.len() as u64), (packed.digest, packed.size));
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(content.as_slice()));
        let entry = |entry: io::Result<tar::Entry<'_, _>>| {
            let mut entry = entry.unwrap();
            let slash = if entry.header().entry_type().is_dir() { "/" } else { "" };
            let path = format!("{}{slash}", entry.path().unwrap().display());
            let mut text = String::new();
            entry.read_to_string(&mut text).unwrap();
            (path, text)
        };
        archive.entries().unwrap().map(entry).collect()
    }

    #[test]
    fn directories_come_before_what_is_in_them_and_links_stay_out() {
        let folder = tempfile::tempdir().unwrap();
        let results = results(folder.path());
        let outputs = &results.directories()[0].path;
        fs::create_dir_all(outputs.join("b/c")).unwrap();
        fs::write(outputs.join("b/c/deep.txt"), "deep").unwrap();
        fs::write(outputs.join("a.txt"), "a").unwrap();
        symlink("/etc/passwd", outputs.join("passwd")).unwrap();
        symlink("/etc", outputs.join("etc")).unwrap();
        let packed = pack(&results, 3, folder.path(), 1 << 20, &Place::of(1 << 30)).unwrap();
        let found = listed(&packed);
        let paths: Vec<_> = found.iter().map(|(path, _)| path.as_str()).collect();
        let expected =
            ["stdout", "stderr", "exitCode", "outputs/", "outputs/a.txt", "outputs/b/", "outputs/b/c/"];
        assert_eq!(paths, [&expected[..], &["outputs/b/c/deep.txt"]].concat());
        let found: BTreeMap<_, _> = found.into_iter().collect();
        assert_eq!((found["exitCode"].as_str(), found["outputs/b/c/deep.txt"].as_str()), ("3", "deep"));
    }

    #[test]
    fn what_is_too_large_or_too_deep_is_not_packed_and_nothing_is_left() {
        let (folder, outbox) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let results = results(folder.path());
        let outputs = &results.directories()[0].path;
        let noise: Vec<u8> = (0..100_000_u32)
            .flat_map(|number| Digest::of(&number.to_le_bytes()).hex().into_bytes())
            .collect();
        fs::write(outputs.join("noise"), noise).unwrap();
        let refused = pack(&results, 0, outbox.path(), 1 << 20, &Place::of(1 << 30)).err();
        assert!(matches!(refused, Some(Error::TooLarge { .. })), "{refused:?}");
        let refused = pack(&results, 0, outbox.path(), 1 << 30, &Place::of(2 << 20)).err();
        assert!(matches!(refused, Some(Error::Full { bytes_max: 0x20_0000 })), "{refused:?}");
        fs::remove_file(outputs.join("noise")).unwrap();
        fs::create_dir_all(outputs.join("d/".repeat(DEPTH_MAX))).unwrap();
        let refused = pack(&results, 0, outbox.path(), 1 << 20, &Place::of(1 << 30)).err();
        assert!(matches!(refused, Some(Error::TooDeep { .. })), "{refused:?}");
        assert_eq!(fs::read_dir(outbox.path()).unwrap().count(), 0);
    }
}
