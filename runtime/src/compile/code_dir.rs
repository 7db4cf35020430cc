//! Compiled code on disk, kept from one process to the next.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;

use crate::Error;
use crate::runtime::hex;

const KEY: &str = "key";
/// One block of SHA-256.
const KEY_BYTES: usize = 64;
const MAC_BYTES: usize = 32;

/// What a write that was cut short leaves behind.
const NEW_PREFIX: &str = ".new-";
/// Older than this, nobody writes it any more.
const NEW_AGE_MAX: Duration = Duration::from_secs(3600);

/// Code that was compiled before, in a directory of this user's alone.
///
/// Code is machine code that will run unchecked, so nothing is taken from here but what was written with the
/// directory's own key: each entry begins with a keyed digest (HMAC-SHA256, RFC 2104) of its name and content. The
/// name is of the module and of all that its code depends on: the engine's version and settings, and the processor.
/// An entry that was cut short, damaged or swapped is as good as none.
pub(crate) struct CodeDir {
    dir: PathBuf,
    key: [u8; KEY_BYTES],
    bytes_max: u64,
}

impl CodeDir {
    /// Opens the directory and makes it if it is not there.
    ///
    /// # Errors
    /// [`Error::CodeDir`] if it cannot be made or read, or if others than this user may.
    pub(crate) fn open(dir: &Path, bytes_max: u64) -> Result<CodeDir, Error> {
        let opened = make_private(dir).and_then(|()| key(dir));
        let key = opened.map_err(|source| Error::CodeDir { dir: dir.to_owned(), source })?;
        Ok(CodeDir { dir: dir.to_owned(), key, bytes_max })
    }

    /// The code kept for a module with this digest, for this engine.
    pub(crate) fn find(&self, engine: &Engine, module: &str) -> Option<Vec<u8>> {
        let name = name(engine, module);
        let path = self.dir.join(&name);
        let mut entry = Vec::new();
        let mut file = File::open(&path).ok()?;
        file.read_to_end(&mut entry).ok()?;
        if !self.is_genuine(&name, &entry) {
            // It would be read in vain each time.
            let _ = fs::remove_file(&path);
            return None;
        }
        // For the order in which entries go; a filesystem that cannot say is no reason to compile again.
        let _ = file.set_modified(SystemTime::now());
        entry.drain(..MAC_BYTES);
        Some(entry)
    }

    /// Keeps the code of a module with this digest, and makes room for it. What cannot be kept is compiled again.
    pub(crate) fn keep(&self, engine: &Engine, module: &str, code: &[u8]) {
        if code.len() as u64 <= self.bytes_max {
            let _ = self.write(&name(engine, module), code);
            let _ = self.make_room();
        }
    }

    fn mac(&self, name: &str, code: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(name.as_bytes());
        mac.update(code);
        mac
    }

    fn is_genuine(&self, name: &str, entry: &[u8]) -> bool {
        let Some((mac, code)) = entry.split_at_checked(MAC_BYTES) else { return false };
        self.mac(name, code).verify_slice(mac).is_ok()
    }

    fn write(&self, name: &str, code: &[u8]) -> io::Result<()> {
        let new = self.dir.join(format!("{NEW_PREFIX}{}", hex(&random::<8>()?)));
        let mut file = private_file(&new)?;
        let written = file
            .write_all(&self.mac(name, code).finalize().into_bytes())
            .and_then(|()| file.write_all(code))
            .and_then(|()| fs::rename(&new, self.dir.join(name)));
        written.inspect_err(|_| {
            let _ = fs::remove_file(&new);
        })
    }

    /// Removes the entries used longest ago until the rest fits.
    fn make_room(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified()?;
            if name.as_encoded_bytes().starts_with(NEW_PREFIX.as_bytes()) {
                if used.elapsed().is_ok_and(|age| age > NEW_AGE_MAX) {
                    fs::remove_file(entry.path())?;
                }
            } else if name != KEY {
                entries.push((used, metadata.len(), entry.path()));
            }
        }
        entries.sort();
        let mut bytes: u64 = entries.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, entry_bytes, path) in entries {
            if bytes <= self.bytes_max {
                break;
            }
            fs::remove_file(path)?;
            bytes -= entry_bytes;
        }
        Ok(())
    }
}

/// What an entry is called: by its module, and all of the engine that its code depends on.
fn name(engine: &Engine, module: &str) -> String {
    let mut name = Sum(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut name);
    let compatibility = name.0.finalize();
    hex(&Sha256::new().chain_update(compatibility).chain_update(module).finalize())
}

fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let metadata = fs::symlink_metadata(dir)?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    if metadata.is_dir() && is_ours && metadata.mode() & 0o077 == 0 {
        return Ok(());
    }
    let what = "it must be a directory of this user's that nobody else may enter (mode 0700)";
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

/// The directory's key, made by whoever comes first.
fn key(dir: &Path) -> io::Result<[u8; KEY_BYTES]> {
    let path = dir.join(KEY);
    for _ in 0..2 {
        match fs::read(&path).map(<[u8; KEY_BYTES]>::try_from) {
            Ok(Ok(key)) => return Ok(key),
            // Cut short: nothing written with it can be told from anything else.
            Ok(Err(_)) => fs::remove_file(&path)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let new = dir.join(format!("{NEW_PREFIX}{}", hex(&random::<8>()?)));
        private_file(&new)?.write_all(&random::<KEY_BYTES>()?)?;
        // A link fails where a rename would replace the key of another process.
        let linked = fs::hard_link(&new, &path);
        fs::remove_file(&new)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let key = fs::read(&path)?;
    key.try_into().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its key cannot be kept"))
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    // Up to 256 bytes come whole or not at all (getrandom(2)).
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(bytes)
}

/// A digest of what is hashed.
struct Sum(Sha256);

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}
