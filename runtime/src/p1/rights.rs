//! Preview 1's rights: what a descriptor says it can do.

use crate::fs::Descriptor;

pub(super) const FD_DATASYNC: u64 = 1 << 0;
pub(super) const FD_READ: u64 = 1 << 1;
pub(super) const FD_SEEK: u64 = 1 << 2;
pub(super) const FD_FDSTAT_SET_FLAGS: u64 = 1 << 3;
pub(super) const FD_SYNC: u64 = 1 << 4;
pub(super) const FD_TELL: u64 = 1 << 5;
pub(super) const FD_WRITE: u64 = 1 << 6;
pub(super) const FD_ADVISE: u64 = 1 << 7;
pub(super) const FD_ALLOCATE: u64 = 1 << 8;
const PATH_FILESTAT_SET_SIZE: u64 = 1 << 19;
pub(super) const FD_FILESTAT_GET: u64 = 1 << 21;
pub(super) const FD_FILESTAT_SET_SIZE: u64 = 1 << 22;
pub(super) const FD_FILESTAT_SET_TIMES: u64 = 1 << 23;
pub(super) const POLL_FD_READWRITE: u64 = 1 << 27;

/// Everything but what needs a socket (bits 28 and 29).
const ALL: u64 = (1 << 28) - 1;

/// Everything that makes no sense on a directory.
const FILE_ONLY: u64 =
    FD_READ | FD_SEEK | FD_TELL | FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE | FD_ADVISE;

const FILE: u64 = FD_DATASYNC
    | FD_SEEK
    | FD_FDSTAT_SET_FLAGS
    | FD_SYNC
    | FD_TELL
    | FD_ADVISE
    | FD_FILESTAT_GET
    | FD_FILESTAT_SET_TIMES
    | POLL_FD_READWRITE;

/// What a descriptor says it can do, and what those opened through it may say.
///
/// Rights are not what protects anything here: preview 1 deprecated them, and a mount's mode is checked by each
/// operation. They matter because a guest's C library asks for no more rights than its directory passes on. A
/// directory therefore passes on all of them in either mode, so that opening for writing meets `EROFS` at once
/// rather than `EBADF` later.
pub(super) fn of(descriptor: &Descriptor) -> (u64, u64) {
    match descriptor {
        Descriptor::Stdin => (FD_READ | FD_FILESTAT_GET | POLL_FD_READWRITE, 0),
        Descriptor::Stdout | Descriptor::Stderr => (FD_WRITE | FD_FILESTAT_GET | POLL_FD_READWRITE, 0),
        // There is no call for the last but opening with `O_TRUNC`, which needs no right here; who sees this one tries to
        // give it up.
        Descriptor::Preopen(_) | Descriptor::Dir(_) => (ALL & !FILE_ONLY & !PATH_FILESTAT_SET_SIZE, ALL),
        Descriptor::File(file) => {
            let read = if file.readable() { FD_READ } else { 0 };
            let write = if file.writable() { FD_WRITE | FD_ALLOCATE | FD_FILESTAT_SET_SIZE } else { 0 };
            (FILE | read | write, 0)
        }
    }
}
