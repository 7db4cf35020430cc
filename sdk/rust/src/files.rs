//! Files that no reader ever sees half of.
//!
//! A program that watches a directory (a web server that reloads its certificate, say) reads a file at any
//! moment. So a file is written under another name in the same directory, brought to the disk, and only then
//! renamed: whoever opens it finds the old content or the new one.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// Tells the temporary files of one program apart.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// How many names are tried before giving up: leftovers of programs that were killed may be in the way.
const NAMES_MAX: u32 = 64;

/// Puts several files into a directory, together or not at all; the last to change is the last of the list.
///
/// All contents are brought to the disk under temporary names first, so that a full disk or a missing permission
/// leaves every file as it was; only renames are left then. If one of those fails, the files renamed before get their
/// old content back. Between two renames a reader can see new files beside old ones, and a machine that goes down
/// there leaves them so, as no file system offers more.
///
/// WASI knows no file modes. The mode and owner of what lands here are those the job asks for (`FileMode`,
/// `FileModes`, `Owner`), and each file has them before it is at its place.
///
/// # Errors
/// What the system says, with the file's path. Every file is as it was, and temporary ones are removed.
///
/// ```
/// # let directory = tempfile::tempdir()?;
/// # let directory = directory.path();
/// skrei_sdk::files::install(directory, &[("fullchain.pem", b"..."), ("privkey.pem", b"...")])?;
/// # std::io::Result::Ok(())
/// ```
pub fn install(directory: impl AsRef<Path>, files: &[(&str, &[u8])]) -> io::Result<()> {
    let directory = directory.as_ref();
    let mut staged = Vec::with_capacity(files.len());
    for (name, content) in files {
        staged.push(Staged::write(directory, name, content)?);
    }
    let mut landed: Vec<Landed> = Vec::with_capacity(staged.len());
    for (place, file) in staged.into_iter().enumerate() {
        // Nothing comes after the last that could fail.
        let is_last = place + 1 == files.len();
        match file.land(!is_last) {
            Ok(file) => landed.push(file),
            Err(error) => {
                // The last to change is the first to change back.
                landed.into_iter().rev().for_each(Landed::take_back);
                return Err(error);
            }
        }
    }
    drop(landed);
    sync_directory(directory)
}

/// Replaces one file, or makes it.
///
/// # Errors
/// What the system says, with the file's path. The temporary file is removed.
pub fn write_atomic(path: impl AsRef<Path>, content: &[u8]) -> io::Result<()> {
    let path = path.as_ref();
    let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, format!("`{}` does not name a file", path.display()))
    })?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    install(directory, &[(name, content)])
}

/// A file on the disk that has not got its name yet. Removed on drop if it never gets it.
struct Staged {
    temporary: PathBuf,
    path: PathBuf,
    renamed: bool,
}

impl Staged {
    fn write(directory: &Path, name: &str, content: &[u8]) -> io::Result<Staged> {
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            let message = format!("`{name}` is not the name of a file in `{}`", directory.display());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        let path = directory.join(name);
        let (mut file, temporary) = create(directory, name).map_err(|error| about(&path, &error))?;
        let staged = Staged { temporary, path, renamed: false };
        let written = file.write_all(content).and_then(|()| file.sync_all());
        written.map_err(|error| about(&staged.path, &error))?;
        Ok(staged)
    }

    /// Gives the file its name. What had the name before is kept for [`Landed::take_back`], if that may come.
    fn land(mut self, may_be_taken_back: bool) -> io::Result<Landed> {
        let failed = |error: io::Error| about(&self.path, &error);
        let before =
            if may_be_taken_back { keep(&self.path, &self.temporary).map_err(failed)? } else { None };
        let landed = Landed { path: self.path.clone(), before };
        fs::rename(&self.temporary, &self.path).map_err(failed)?;
        self.renamed = true;
        Ok(landed)
    }
}

/// A file that has its name. Dropped, it forgets what had the name before.
struct Landed {
    path: PathBuf,
    /// What had the name before, under another one; none if nothing had it.
    before: Option<PathBuf>,
}

impl Landed {
    fn take_back(mut self) {
        // The error that led here is the one to be told; what can be done about another is nothing.
        let _ = match self.before.take() {
            Some(before) => fs::rename(before, &self.path),
            None => fs::remove_file(&self.path),
        };
    }
}

impl Drop for Landed {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = fs::remove_file(before);
        }
    }
}

/// Gives the file at `path` a second name, by a link or, where there are none, by a copy. None if nothing is there.
fn keep(path: &Path, temporary: &Path) -> io::Result<Option<PathBuf>> {
    let before = temporary.with_extension("old");
    // Left by a program that was killed.
    let _ = fs::remove_file(&before);
    match fs::hard_link(path, &before) {
        Ok(()) => Ok(Some(before)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(_) => fs::copy(path, &before).map(|_| Some(before)),
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Makes a new file beside the one it will replace. Hidden, and readable by its owner alone where that is known.
fn create(directory: &Path, name: &str) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut tried = 0;
    loop {
        let temporary = directory.join(format!(".{name}.{}.tmp", COUNT.fetch_add(1, Ordering::Relaxed)));
        match options.open(&temporary) {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tried < NAMES_MAX => tried += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Brings the renames to the disk.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some hosts cannot sync a directory; the content is on the disk all the same.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        Err(error) if error.raw_os_error() == Some(BAD_DESCRIPTOR) => Ok(()),
        other => other.map_err(|error| about(directory, &error)),
    }
}

/// `EBADF`, which hosts give that open directories without the right to sync them: 8 in WASI, 9 on Unix.
const BAD_DESCRIPTOR: i32 = if cfg!(target_os = "wasi") { 8 } else { 9 };

fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn files_are_made_and_replaced_and_nothing_is_left_over() {
        let directory = tempfile::tempdir().unwrap();
        install(directory.path(), &[("a", b"1"), ("b", b"2")]).unwrap();
        install(directory.path(), &[("a", b"3"), ("b", b"")]).unwrap();
        assert_eq!(names(directory.path()), ["a", "b"]);
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"3");
        assert_eq!(fs::read(directory.path().join("b")).unwrap(), b"");
    }

    #[test]
    fn a_failure_leaves_every_file_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        install(directory.path(), &[("a", b"old")]).unwrap();
        let refused = install(directory.path(), &[("a", b"new"), ("no/such", b"new")]).unwrap_err();
        assert!(refused.to_string().contains("`no/such`"), "{refused}");
        assert_eq!(names(directory.path()), ["a"]);
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"old");
    }

    #[test]
    fn a_rename_that_fails_takes_back_those_before_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::write(path("a"), "old").unwrap();
        fs::create_dir_all(path("c/in-the-way")).unwrap();
        install(directory.path(), &[("a", b"new"), ("b", b"new"), ("c", b"new")]).unwrap_err();
        assert_eq!(names(directory.path()), ["a", "c"], "what was not there is gone again");
        assert_eq!(fs::read(path("a")).unwrap(), b"old");
    }

    #[test]
    fn a_directory_in_the_way_is_named_and_no_temporary_file_stays() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("a")).unwrap();
        let refused = write_atomic(directory.path().join("a"), b"x").unwrap_err();
        assert!(refused.to_string().contains(&directory.path().join("a").display().to_string()), "{refused}");
        assert_eq!(names(directory.path()), ["a"]);
    }

    #[test]
    fn leftovers_of_a_killed_program_are_no_hindrance() {
        let directory = tempfile::tempdir().unwrap();
        for count in 0..8 {
            fs::write(directory.path().join(format!(".a.{count}.tmp")), "left").unwrap();
        }
        write_atomic(directory.path().join("a"), b"x").unwrap();
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"x");
    }

    #[test]
    fn a_missing_directory_is_an_error() {
        assert!(write_atomic("/no/such/directory/a", b"x").is_err());
        assert!(write_atomic("/", b"x").is_err());
    }
}
