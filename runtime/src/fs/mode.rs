//! What a guest may do inside a mount.

use std::fmt;

/// What a guest may do inside a mount. Nothing the guest asks for widens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// Look and read. Every change fails as on a read-only filesystem (`EROFS`).
    ReadOnly,
    /// Read, create, change and remove.
    ReadWrite,
}

impl fmt::Display for Mode {
    /// The short form used on command lines and in job files: `ro` or `rw`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Mode::ReadOnly => "ro",
            Mode::ReadWrite => "rw",
        })
    }
}
