//! Opening a path in every way there is.

use crate::{Result, descriptors, place};

pub const READ: wasi::Rights = wasi::RIGHTS_FD_READ | wasi::RIGHTS_FD_SEEK;
pub const WRITE: wasi::Rights = wasi::RIGHTS_FD_WRITE | wasi::RIGHTS_FD_SEEK;

/// How to open: `lookupflags`, `oflags`, rights and `fdflags`.
#[derive(Clone, Copy)]
pub struct How(pub wasi::Lookupflags, pub wasi::Oflags, pub wasi::Rights, pub wasi::Fdflags);

pub const TO_READ: How = How(wasi::LOOKUPFLAGS_SYMLINK_FOLLOW, 0, READ, 0);
pub const TO_CREATE: How = How(wasi::LOOKUPFLAGS_SYMLINK_FOLLOW, wasi::OFLAGS_CREAT, WRITE, 0);

pub fn perform(words: &[&str]) -> Option<Result> {
    let follow = wasi::LOOKUPFLAGS_SYMLINK_FOLLOW;
    let (create, exclusive) = (wasi::OFLAGS_CREAT, wasi::OFLAGS_CREAT | wasi::OFLAGS_EXCL);
    let how = match words[0] {
        "read" => return Some(open(words[1], TO_READ).and_then(descriptors::read_all)),
        "open-read" => TO_READ,
        "open-nofollow" => How(0, 0, READ, 0),
        "open-write" => How(follow, 0, WRITE, 0),
        "open-read-write" => How(follow, 0, READ | WRITE, 0),
        "open-append" => How(follow, 0, WRITE, wasi::FDFLAGS_APPEND),
        "open-truncate" => How(follow, wasi::OFLAGS_TRUNC, WRITE, 0),
        "open-truncate-read" => How(follow, wasi::OFLAGS_TRUNC, READ, 0),
        "open-create" => TO_CREATE,
        "open-create-nofollow" => How(0, create, WRITE, 0),
        "open-create-read" => How(follow, create, READ, 0),
        "open-create-new" => How(follow, exclusive, WRITE, 0),
        "open-create-truncate" => How(follow, create | wasi::OFLAGS_TRUNC, WRITE, 0),
        "open-directory" => How(follow, wasi::OFLAGS_DIRECTORY, 0, 0),
        "open-nothing" => How(follow, 0, 0, 0),
        _ => return None,
    };
    Some(open(words[1], how).and_then(close))
}

pub fn open(operand: &str, How(lookup, oflags, rights, fdflags): How) -> Result<wasi::Fd> {
    let (fd, path) = place(operand);
    unsafe { wasi::path_open(fd, lookup, path, oflags, rights, 0, fdflags) }
}

pub fn close(fd: wasi::Fd) -> Result {
    unsafe { wasi::fd_close(fd) }.map(|()| String::new())
}
