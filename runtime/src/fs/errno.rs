//! Why an operation failed, as the guest is told.

use std::{fmt, io};

/// Why an operation failed, in POSIX's words.
///
/// The numbers are those of WASI preview 1's `errno`; later ABIs have the same names under other numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Errno {
    Access = 2,
    Again = 6,
    BadF = 8,
    Busy = 10,
    DeadLk = 16,
    DQuot = 19,
    Exist = 20,
    Fault = 21,
    FBig = 22,
    IlSeq = 25,
    Intr = 27,
    Inval = 28,
    Io = 29,
    IsDir = 31,
    Loop = 32,
    MFile = 33,
    MLink = 34,
    NameTooLong = 37,
    NFile = 41,
    NoEnt = 44,
    NoMem = 48,
    NoSpc = 51,
    NotDir = 54,
    NotEmpty = 55,
    NotSock = 57,
    NotSup = 58,
    NxIo = 60,
    Overflow = 61,
    /// Also the answer to every path that leads out of its mount: POSIX has no such path, and this is what
    /// wasmtime's own filesystem says.
    Perm = 63,
    Rofs = 69,
    SPipe = 70,
    Stale = 72,
    TimedOut = 73,
    TxtBsy = 74,
    XDev = 75,
}

impl Errno {
    /// What it means, for people.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Errno::Access => "permission denied",
            Errno::Again => "it would have to be waited for",
            Errno::BadF => "it is not open for that",
            Errno::Busy => "it is in use",
            Errno::DeadLk => "it waits for itself",
            Errno::DQuot => "the quota is used up",
            Errno::Exist => "it is there already",
            Errno::Fault => "it lies outside the guest's memory",
            Errno::FBig => "it would be too large",
            Errno::IlSeq => "it is not UTF-8",
            Errno::Intr => "it was interrupted",
            Errno::Inval => "that cannot be asked for",
            Errno::Io => "the disk failed",
            Errno::IsDir => "it is a directory",
            Errno::Loop => "there are too many symbolic links",
            Errno::MFile | Errno::NFile => "too many files are open",
            Errno::MLink => "it has too many names",
            Errno::NameTooLong => "the name is too long",
            Errno::NoEnt => "there is no such file or directory",
            Errno::NoMem => "there is no memory left",
            Errno::NoSpc => "there is no space left",
            Errno::NotDir => "it is no directory",
            Errno::NotEmpty => "it is not empty",
            Errno::NotSock => "it is no socket",
            Errno::NotSup => "that is not supported",
            Errno::NxIo => "there is no such device",
            Errno::Overflow => "the number is too large",
            Errno::Perm => "it is not permitted, or leads out of the mount",
            Errno::Rofs => "it is mounted read-only",
            Errno::SPipe => "it has no positions",
            Errno::Stale => "it is gone",
            Errno::TimedOut => "it took too long",
            Errno::TxtBsy => "a program runs from it",
            Errno::XDev => "it is in another mount",
        }
    }
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl std::error::Error for Errno {}

impl From<rustix::io::Errno> for Errno {
    fn from(errno: rustix::io::Errno) -> Errno {
        use rustix::io::Errno as Host;
        match errno {
            Host::ACCESS => Errno::Access,
            Host::AGAIN => Errno::Again,
            Host::BADF => Errno::BadF,
            Host::BUSY => Errno::Busy,
            Host::DEADLK => Errno::DeadLk,
            Host::DQUOT => Errno::DQuot,
            Host::EXIST => Errno::Exist,
            Host::FBIG => Errno::FBig,
            Host::ILSEQ => Errno::IlSeq,
            Host::INTR => Errno::Intr,
            Host::INVAL => Errno::Inval,
            Host::ISDIR => Errno::IsDir,
            Host::LOOP => Errno::Loop,
            Host::MFILE => Errno::MFile,
            Host::MLINK => Errno::MLink,
            Host::NAMETOOLONG => Errno::NameTooLong,
            Host::NFILE => Errno::NFile,
            Host::NOENT => Errno::NoEnt,
            Host::NOMEM => Errno::NoMem,
            Host::NOSPC => Errno::NoSpc,
            Host::NOTDIR => Errno::NotDir,
            Host::NOTEMPTY => Errno::NotEmpty,
            Host::OPNOTSUPP => Errno::NotSup,
            Host::NXIO => Errno::NxIo,
            Host::OVERFLOW => Errno::Overflow,
            Host::PERM => Errno::Perm,
            Host::ROFS => Errno::Rofs,
            Host::SPIPE => Errno::SPipe,
            Host::STALE => Errno::Stale,
            Host::TIMEDOUT => Errno::TimedOut,
            Host::TXTBSY => Errno::TxtBsy,
            Host::XDEV => Errno::XDev,
            _ => Errno::Io,
        }
    }
}

impl From<io::Error> for Errno {
    fn from(error: io::Error) -> Errno {
        if let Some(host) = rustix::io::Errno::from_io_error(&error) {
            return host.into();
        }
        // Errors that cap-std makes up itself carry a kind and no number.
        match error.kind() {
            io::ErrorKind::PermissionDenied => Errno::Perm,
            io::ErrorKind::NotFound => Errno::NoEnt,
            io::ErrorKind::AlreadyExists => Errno::Exist,
            io::ErrorKind::InvalidInput => Errno::Inval,
            io::ErrorKind::Unsupported => Errno::NotSup,
            _ => Errno::Io,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn a_path_that_leads_out_of_its_mount_is_not_permitted() {
        let escape = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "led outside");
        assert_eq!(Errno::from(escape), Errno::Perm);
    }

    #[test]
    fn a_host_error_nobody_foresaw_is_an_input_output_error() {
        assert_eq!(Errno::from(std::io::Error::from_raw_os_error(131)), Errno::Io);
    }
}
