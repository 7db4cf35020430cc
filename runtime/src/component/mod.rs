//! What components have in common, whichever version of WASI they are for.
//!
//! A [`Command`] is a component's code, ready to start. What its guest has on the host are [`Holdings`]; the handles to
//! files among them are [`Descriptor`]s, which carry out what `p2` and `p3` translate.

mod command;
mod descriptor;
mod entry_stream;
mod gated;
mod holdings;
mod http;
mod open_files;
mod sockets;
mod unmet;
mod words;

pub(crate) use command::{CALL_BYTES_MAX, Command};
#[expect(unreachable_pub, reason = "the generated interfaces name it")]
pub use descriptor::Descriptor;
pub(crate) use descriptor::{Abilities, FileHandle, identity_hash};
#[expect(unreachable_pub, reason = "the generated interfaces name it")]
pub use entry_stream::EntryStream;
pub(crate) use holdings::Holdings;
pub(crate) use http::WORD_BYTES_MAX;
pub(crate) use open_files::{OpenFiles, Permit};
pub(crate) use sockets::Room;
pub(crate) use words::{cli_words, filesystem_words, request_words};

use wasmtime::component::ResourceTableError;

use crate::fs::Errno;

/// How a host function of a component failed.
#[derive(Debug)]
#[expect(unreachable_pub, reason = "the generated interfaces name it")]
pub enum Failure {
    /// The guest is told why.
    Told(Errno),
    /// The guest traps: it used a handle it does not have, or has too many.
    Trap(wasmtime::Error),
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Failure {
        Failure::Told(errno)
    }
}

impl From<ResourceTableError> for Failure {
    fn from(error: ResourceTableError) -> Failure {
        Failure::Trap(error.into())
    }
}
