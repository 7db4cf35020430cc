//! Directories carried in a job: tar, compressed by gzip (RFC 1952), as Bacalhau's clients send what is larger than 512
//! bytes (reference requester-api 7.2).

use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::{Component, Path},
};

use flate2::read::MultiGzDecoder;
use tar::EntryType;

/// What an archive may hold unpacked, in bytes: more than a job's own limit can honestly be.
const BYTES_MAX: u64 = 64 << 20;

/// What it may hold in number, directories included.
const ENTRIES_MAX: usize = 10_000;

/// The headers of as many entries, with long names.
const HEADERS_MAX: u64 = ENTRIES_MAX as u64 * 4096;

/// The longest path in it, and how deep one may be: each directory on the way is an entry, too.
const PATH_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 64;

/// How much of a name is shown.
const SHOWN_CHARS_MAX: usize = 100;

/// The ending of files that are modules.
const MODULE: &str = "wasm";

/// What an archive holds, by relative path with `/` between names. No path leads out, and none is both file and
/// directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Archive {
    /// The content of a file, or none for a directory.
    pub entries: BTreeMap<String, Option<Vec<u8>>>,
}

/// Why an archive was refused. The content is never shown, names are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Cut short, damaged, or something else.
    #[error("it is not a tar archive compressed by gzip, or it is damaged")]
    Damaged,
    /// Bytes or entries beyond what is accepted.
    #[error("it holds more than {} MiB, or more than {ENTRIES_MAX} files", BYTES_MAX >> 20)]
    TooLarge,
    /// A link, a device, or something else that is no file.
    #[error("`{0}` in it is neither a file nor a directory")]
    Kind(String),
    /// A name that leads out, one that is there twice, or one that is too long or too deep.
    #[error("`{0}` in it is not a path below it, is there twice, or is longer or deeper than paths may be")]
    Path(String),
    /// The module is one of several files, or there is none.
    #[error("it holds {0} files that end in `.{MODULE}` where there must be one")]
    Modules(usize),
}

impl Archive {
    /// Unpacks into memory.
    ///
    /// # Errors
    /// Whatever is wrong with it; nothing of it can be used then.
    pub fn unpack(compressed: &[u8]) -> Result<Self, ArchiveError> {
        let mut limited = MultiGzDecoder::new(compressed).take(BYTES_MAX + HEADERS_MAX);
        let mut archive = Self::default();
        let unpacked = archive.read(&mut limited);
        // What is beyond the limit looks like an end that comes too soon.
        if limited.limit() == 0 { Err(ArchiveError::TooLarge) } else { unpacked.map(|()| archive) }
    }

    /// The one module on its top level.
    ///
    /// # Errors
    /// [`ArchiveError::Modules`] if there is none, or more than one.
    pub fn module(self) -> Result<Vec<u8>, ArchiveError> {
        let is_module = |path: &str| {
            let path = Path::new(path);
            path.components().count() == 1 && path.extension().is_some_and(|ending| ending == MODULE)
        };
        let modules = self.entries.into_iter().filter(|(path, _)| is_module(path));
        let mut modules: Vec<_> = modules.filter_map(|(_, content)| content).collect();
        match (modules.len(), modules.pop()) {
            (1, Some(module)) => Ok(module),
            (count, _) => Err(ArchiveError::Modules(count)),
        }
    }

    fn read(&mut self, tar: &mut impl Read) -> Result<(), ArchiveError> {
        let damaged = |_: io::Error| ArchiveError::Damaged;
        let mut bytes = 0;
        for entry in tar::Archive::new(&mut *tar).entries().map_err(damaged)? {
            let mut entry = entry.map_err(damaged)?;
            let path = entry.path_bytes();
            if path.len() > PATH_BYTES_MAX {
                return Err(ArchiveError::Path(shown(&path)));
            }
            let written = String::from_utf8_lossy(&path).into_owned();
            let content = match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous => {
                    bytes = entry.size().saturating_add(bytes);
                    if bytes > BYTES_MAX {
                        return Err(ArchiveError::TooLarge);
                    }
                    let mut content = Vec::new();
                    entry.read_to_end(&mut content).map_err(damaged)?;
                    if content.len() as u64 != entry.size() {
                        return Err(ArchiveError::Damaged);
                    }
                    Some(content)
                }
                EntryType::Directory => None,
                // What the tool that made it says about itself.
                EntryType::XGlobalHeader => continue,
                _ => return Err(ArchiveError::Kind(shown(written.as_bytes()))),
            };
            self.add(written, content)?;
        }
        // Up to the checksum that it ends with: one that was cut short behind its last file is damaged, too.
        io::copy(tar, &mut io::sink()).map_err(damaged)?;
        Ok(())
    }

    fn add(&mut self, written: String, content: Option<Vec<u8>>) -> Result<(), ArchiveError> {
        let wrong = || ArchiveError::Path(shown(written.as_bytes()));
        let names = names(&written).filter(|names| names.len() <= DEPTH_MAX).ok_or_else(wrong)?;
        let Some((_, parents)) = names.split_last() else {
            // The directory itself.
            return if content.is_none() { Ok(()) } else { Err(wrong()) };
        };
        for depth in 1..=parents.len() {
            match self.entries.entry(parents[..depth].join("/")).or_default() {
                None => {}
                Some(_) => return Err(wrong()),
            }
        }
        let is_file = content.is_some();
        let known = self.entries.insert(names.join("/"), content);
        if self.entries.len() > ENTRIES_MAX {
            return Err(ArchiveError::TooLarge);
        }
        match known {
            // A directory may be listed after what is in it, or again.
            None | Some(None) if !is_file || known.is_none() => Ok(()),
            _ => Err(wrong()),
        }
    }
}

/// The beginning of a name, without what would do something to a terminal.
fn shown(name: &[u8]) -> String {
    let beginning = &name[..name.len().min(SHOWN_CHARS_MAX * 4)];
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    String::from_utf8_lossy(beginning).chars().map(plain).take(SHOWN_CHARS_MAX).collect()
}

/// The names of a relative path, without those that mean nothing; none if it leads out.
fn names(path: &str) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => names.push(name.to_str().filter(|name| !name.contains('\0'))?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use tar::{Builder, Header};

    use super::*;

    fn compressed(tar: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(tar).unwrap();
        encoder.finish().unwrap()
    }

    fn packed(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = Header::new_gnu();
            // Past the crate's own check of names, as an attacker would.
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        compressed(&builder.into_inner().unwrap())
    }

    const FILE: EntryType = EntryType::Regular;
    const DIRECTORY: EntryType = EntryType::Directory;

    #[test]
    fn files_and_directories_come_out_by_their_paths() {
        let packed = packed(&[
            ("./", DIRECTORY, b""),
            ("./site/a.txt", FILE, b"a"),
            ("site/", DIRECTORY, b""),
            ("empty", DIRECTORY, b""),
        ]);
        let archive = Archive::unpack(&packed).unwrap();
        let expected = [("empty", None), ("site", None), ("site/a.txt", Some(b"a".to_vec()))];
        let expected = expected.map(|(path, content)| (path.to_owned(), content));
        assert_eq!(archive.entries, BTreeMap::from(expected));
    }

    #[test]
    fn nothing_leads_out_or_is_anything_but_a_file() {
        for path in ["../x", "a/../../x", "/etc/passwd"] {
            assert_eq!(
                Archive::unpack(&packed(&[(path, FILE, b"")])),
                Err(ArchiveError::Path(path.to_owned()))
            );
        }
        for kind in [EntryType::Symlink, EntryType::Link, EntryType::Fifo, EntryType::Char] {
            let refused = Archive::unpack(&packed(&[("x", kind, b"")]));
            assert_eq!(refused, Err(ArchiveError::Kind("x".to_owned())));
        }
        for twice in [[("x", FILE), ("x", FILE)], [("x", FILE), ("x/y", FILE)], [("x/y", FILE), ("x", FILE)]]
        {
            let refused = Archive::unpack(&packed(&twice.map(|(path, kind)| (path, kind, b"".as_slice()))));
            assert!(matches!(refused, Err(ArchiveError::Path(_))), "{twice:?}: {refused:?}");
        }
    }

    #[test]
    fn a_long_path_costs_no_more_than_it_is_long() {
        // Each of its directories is an entry under the whole path up to there: a megabyte would become a terabyte.
        let name = |path: &str| {
            let mut builder = Builder::new(Vec::new());
            let mut header = Header::new_gnu();
            header.set_entry_type(FILE);
            header.set_size(0);
            builder.append_data(&mut header, path, &b""[..]).unwrap();
            Archive::unpack(&compressed(&builder.into_inner().unwrap()))
        };
        for path in ["d/".repeat(1 << 20) + "x", "d/".repeat(DEPTH_MAX) + "x", "x".repeat(PATH_BYTES_MAX + 1)]
        {
            let refused = name(&path).unwrap_err();
            assert!(
                matches!(&refused, ArchiveError::Path(shown) if shown.len() == SHOWN_CHARS_MAX),
                "{refused}"
            );
        }
        assert_eq!(name(&("d/".repeat(DEPTH_MAX - 1) + "x")).unwrap().entries.len(), DEPTH_MAX);
        assert_eq!(shown(b"a\x1b[2Jb"), "a\u{fffd}[2Jb");
    }

    #[test]
    fn a_bomb_and_a_damaged_archive_are_refused() {
        let bomb = compressed(&vec![0; (BYTES_MAX + HEADERS_MAX) as usize + 1]);
        assert_eq!(Archive::unpack(&bomb), Err(ArchiveError::TooLarge));
        let zeros = vec![0; BYTES_MAX as usize / 4 + 1];
        let big =
            packed(&[("a", FILE, &zeros), ("b", FILE, &zeros), ("c", FILE, &zeros), ("d", FILE, &zeros)]);
        assert_eq!(Archive::unpack(&big), Err(ArchiveError::TooLarge));
        let whole = packed(&[("a", FILE, b"content")]);
        assert!(Archive::unpack(&whole).is_ok());
        for length in 0..whole.len() {
            assert_eq!(Archive::unpack(&whole[..length]), Err(ArchiveError::Damaged), "{length}");
        }
        let mut other = whole;
        let checksum = other.len() - 8;
        other[checksum] ^= 1;
        assert_eq!(Archive::unpack(&other), Err(ArchiveError::Damaged));
        assert_eq!(Archive::unpack(b"plain text"), Err(ArchiveError::Damaged));
    }

    #[test]
    fn the_module_is_the_one_on_top() {
        let module = |entries| Archive::unpack(&packed(entries)).unwrap().module();
        assert_eq!(module(&[("main.wasm", FILE, b"m"), ("notes.txt", FILE, b"")]), Ok(b"m".to_vec()));
        assert_eq!(module(&[("dir/main.wasm", FILE, b"m")]), Err(ArchiveError::Modules(0)));
        assert_eq!(module(&[("a.wasm", FILE, b""), ("b.wasm", FILE, b"")]), Err(ArchiveError::Modules(2)));
    }
}
