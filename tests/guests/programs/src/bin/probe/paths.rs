//! Operations by path.

use crate::{Result, place};

const FOLLOW: wasi::Lookupflags = wasi::LOOKUPFLAGS_SYMLINK_FOLLOW;

pub fn perform(words: &[&str]) -> Option<Result> {
    Some(match words {
        ["mkdir", path] => at(path, |fd, path| unsafe { wasi::path_create_directory(fd, path) }),
        ["rmdir", path] => at(path, |fd, path| unsafe { wasi::path_remove_directory(fd, path) }),
        ["unlink", path] => at(path, |fd, path| unsafe { wasi::path_unlink_file(fd, path) }),
        ["symlink", target, path] => at(path, |fd, path| unsafe { wasi::path_symlink(target, fd, path) }),
        ["touch", path] => at(path, |fd, path| unsafe {
            wasi::path_filestat_set_times(fd, FOLLOW, path, 0, 0, wasi::FSTFLAGS_MTIM)
        }),
        ["touch-link", path] => at(path, |fd, path| unsafe {
            wasi::path_filestat_set_times(fd, 0, path, 0, 0, wasi::FSTFLAGS_MTIM)
        }),
        ["rename", old, new] => {
            between(old, new, |fd, old, to, new| unsafe { wasi::path_rename(fd, old, to, new) })
        }
        ["link", old, new] => {
            between(old, new, |fd, old, to, new| unsafe { wasi::path_link(fd, 0, old, to, new) })
        }
        ["stat", path] => kind(path, FOLLOW),
        ["lstat", path] => kind(path, 0),
        ["readlink", path] => {
            let (fd, path) = place(path);
            let mut buffer = [0; 256];
            let read = unsafe { wasi::path_readlink(fd, path, buffer.as_mut_ptr(), buffer.len()) };
            read.map(|read| String::from_utf8_lossy(&buffer[..read]).into_owned())
        }
        // A path as long as the host could want.
        ["stat-long", preopen, length] => {
            let path = "a".repeat(length.parse().expect("a length"));
            kind(&format!("{preopen}:{path}"), FOLLOW)
        }
        ["stat-nul", preopen] => kind(&format!("{preopen}:file\0.txt"), FOLLOW),
        _ => return None,
    })
}

fn at(path: &str, operation: impl FnOnce(wasi::Fd, &str) -> Result<()>) -> Result {
    let (fd, path) = place(path);
    operation(fd, path).map(|()| String::new())
}

fn between(
    old: &str,
    new: &str,
    operation: impl FnOnce(wasi::Fd, &str, wasi::Fd, &str) -> Result<()>,
) -> Result {
    let ((fd, old), (to, new)) = (place(old), place(new));
    operation(fd, old, to, new).map(|()| String::new())
}

fn kind(path: &str, lookup: wasi::Lookupflags) -> Result {
    let (fd, path) = place(path);
    let stat = unsafe { wasi::path_filestat_get(fd, lookup, path) }?;
    Ok(match stat.filetype {
        wasi::FILETYPE_DIRECTORY => "directory",
        wasi::FILETYPE_REGULAR_FILE => "file",
        wasi::FILETYPE_SYMBOLIC_LINK => "link",
        _ => "other",
    }
    .to_owned())
}
