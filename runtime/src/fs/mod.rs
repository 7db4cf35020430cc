//! The guest's filesystem: what it may reach on the host, and what each operation does there.
//!
//! A [`Mount`] is one grant. [`preopens()`] turns a sandbox's mounts into the directories a guest starts with,
//! the [`Table`] holds those and everything opened through them, and [`Dir`] and [`File`] carry out the
//! operations. Nothing here knows a WASI version: adapters translate calls, numbers and memory, and every rule
//! about modes and containment stays in this folder (docs/decisions/0003-own-filesystem.md).
//!
//! Three things hold for every operation:
//! - A path is resolved beneath the directory handle it is relative to, by the kernel (`openat2` with
//!   `RESOLVE_BENEATH`) or, where that is missing, component by component. No check is made on a path that
//!   another process could change before it is used.
//! - The mode comes from the mount alone and travels with every handle opened through it.
//! - Only regular files and directories are ever opened, so no operation waits on anybody else.
//!
//! What a run adds is counted against the [`Quota`] of its mount before it is carried out, and what it makes gets
//! the mode and owner of the mount's [`Ownership`] before the guest has it
//! (docs/decisions/0008-what-a-run-may-add.md).

mod any_file;
mod channel;
mod descriptors;
mod dir;
mod entries;
mod errno;
mod extents;
mod file;
mod handles;
mod install;
mod landing;
mod listing;
mod memory;
mod mode;
mod module_file;
mod mount;
mod open;
mod ownership;
mod path;
mod place;
mod preopens;
mod quota;
mod removal;
mod stat;
mod table;
mod terms;
mod times;
mod tree;

pub(crate) use any_file::File;
pub use channel::ChannelSink;
pub(crate) use descriptors::{Descriptors, Slot};
pub(crate) use dir::Dir;
pub(crate) use errno::Errno;
pub(crate) use handles::Handles;
pub(crate) use install::{Uninstalled, install};
pub(crate) use listing::Entry;
pub use mode::Mode;
pub use mount::{Mount, MountError};
pub(crate) use open::{Open, Opened};
pub use ownership::{Owner, Ownership, Permissions};
pub(crate) use path::{PATH_BYTES_MAX, normalise_guest};
pub(crate) use place::{Granted, Place};
pub(crate) use preopens::preopens;
pub use quota::Quota;
pub(crate) use stat::{Kind, Stat};
pub(crate) use table::{Descriptor, Preopen, Table};
pub use terms::MountUsage;
pub(crate) use terms::Mounts;
pub(crate) use times::{FileTime, Time, Times};

/// The outcome of one operation: its value, or the reason the guest is told.
pub(crate) type Result<T> = std::result::Result<T, Errno>;
