//! The guest's memory, read and written with every access checked.

use super::Result;
use crate::fs::{Errno, PATH_BYTES_MAX};

/// Buffers of one scattered read or write that are looked at; more are left for the guest's next call, as
/// POSIX's `IOV_MAX` allows.
const BUFFERS_MAX: u32 = 1024;

/// The guest's memory. Addresses are the guest's, numbers are little-endian, and every access outside is
/// `EFAULT`.
pub(crate) struct View<'m>(&'m mut [u8]);

/// A place in the guest's memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) at: u32,
    pub(crate) len: u32,
}

impl<'m> View<'m> {
    pub(crate) fn new(bytes: &'m mut [u8]) -> View<'m> {
        View(bytes)
    }

    /// How much there is.
    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn bytes(&self, span: Span) -> Result<&[u8]> {
        let start = span.at as usize;
        self.0.get(start..start + span.len as usize).ok_or(Errno::Fault)
    }

    pub(crate) fn bytes_mut(&mut self, span: Span) -> Result<&mut [u8]> {
        let start = span.at as usize;
        self.0.get_mut(start..start + span.len as usize).ok_or(Errno::Fault)
    }

    /// A string; `EILSEQ` if it is not UTF-8.
    pub(crate) fn str(&self, at: u32, len: u32) -> Result<&str> {
        std::str::from_utf8(self.bytes(Span { at, len })?).map_err(|_| Errno::IlSeq)
    }

    /// A path; `ENAMETOOLONG` if it is longer than any, before a byte of it is looked at: as a string it may be as large as
    /// the guest's memory.
    pub(crate) fn path(&self, at: u32, len: u32) -> Result<&str> {
        if len as usize >= PATH_BYTES_MAX { Err(Errno::NameTooLong) } else { self.str(at, len) }
    }

    pub(crate) fn write(&mut self, at: u32, bytes: &[u8]) -> Result<()> {
        let len = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
        self.bytes_mut(Span { at, len })?.copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, at: u32, value: u32) -> Result<()> {
        self.write(at, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, at: u32, value: u64) -> Result<()> {
        self.write(at, &value.to_le_bytes())
    }

    pub(crate) fn array<const N: usize>(&self, at: u32) -> Result<[u8; N]> {
        let bytes = self.bytes(Span { at, len: N as u32 })?;
        bytes.try_into().map_err(|_| Errno::Fault)
    }

    /// The buffers of a scattered read or write (`iovec`, `ciovec`).
    pub(crate) fn buffers(&self, at: u32, count: u32) -> Result<Vec<Span>> {
        let count = count.min(BUFFERS_MAX);
        let list = self.bytes(Span { at, len: count * 8 })?;
        let (entries, _) = list.as_chunks::<8>();
        let spans = entries.iter().map(|entry| {
            let [a, b, c, d, e, f, g, h] = *entry;
            Span { at: u32::from_le_bytes([a, b, c, d]), len: u32::from_le_bytes([e, f, g, h]) }
        });
        Ok(spans.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_touched() {
        let mut bytes = [0; 8];
        let mut view = View::new(&mut bytes);
        assert_eq!(view.write_u32(4, 1), Ok(()));
        assert_eq!(view.write_u32(5, 1), Err(Errno::Fault));
        assert_eq!(view.write_u64(u32::MAX, 1), Err(Errno::Fault));
        assert_eq!(view.bytes(Span { at: 0, len: u32::MAX }).err(), Some(Errno::Fault));
    }

    #[test]
    fn more_buffers_than_fit_in_memory_are_a_fault() {
        let mut bytes = [0; 16];
        assert_eq!(View::new(&mut bytes).buffers(0, 3).err(), Some(Errno::Fault));
    }
}
