//! What a host function can see of the guest that calls it.

use std::any::Any;

use wasmtime::Caller;

use crate::guest::Guest;
use crate::p1;

/// A call of a host function: the memory of the guest that calls, and what the embedder gave the run.
pub struct HostCall<'c>(Caller<'c, Guest>);

/// Why a host function ends its guest, which traps with this message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(String);

impl HostError {
    /// With a message for whoever reads the outcome.
    pub fn new(message: impl Into<String>) -> HostError {
        HostError(message.into())
    }
}

impl<'c> HostCall<'c> {
    pub(super) fn new(caller: Caller<'c, Guest>) -> HostCall<'c> {
        HostCall(caller)
    }

    /// What [`Sandbox::data`](crate::Sandbox::data) gave the run, if it is of this type.
    pub fn data<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.data().data.as_deref()?.downcast_ref()
    }

    /// `len` bytes of the guest's memory from the address `at`.
    ///
    /// # Errors
    /// They do not all lie in its memory, or it exports none named `memory`.
    pub fn bytes(&mut self, at: u32, len: u32) -> Result<&[u8], HostError> {
        self.bytes_mut(at, len).map(|bytes| &*bytes)
    }

    /// The same, to be written to.
    ///
    /// # Errors
    /// As for [`bytes`](Self::bytes).
    pub fn bytes_mut(&mut self, at: u32, len: u32) -> Result<&mut [u8], HostError> {
        let memory = p1::memory_of(&mut self.0).map_err(|error| HostError(error.to_string()))?;
        let start = at as usize;
        let bytes = memory.data_mut(&mut self.0).get_mut(start..start + len as usize);
        bytes.ok_or_else(|| HostError(format!("{len} bytes at address {at} lie outside the guest's memory")))
    }

    /// A text in the guest's memory.
    ///
    /// # Errors
    /// As for [`bytes`](Self::bytes), and if it is not UTF-8.
    pub fn text(&mut self, at: u32, len: u32) -> Result<&str, HostError> {
        let not_utf8 = |_| HostError(format!("the {len} bytes at address {at} are not UTF-8"));
        str::from_utf8(self.bytes(at, len)?).map_err(not_utf8)
    }
}

impl std::fmt::Debug for HostCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostCall").finish_non_exhaustive()
    }
}
