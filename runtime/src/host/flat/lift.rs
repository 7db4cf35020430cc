//! What comes from a module.

use wasmtime::Val;

use super::{Flat, HostError, Result, outside, unaligned};
use crate::component::CALL_BYTES_MAX;

/// What one call brings along.
pub struct Lift<'m> {
    memory: &'m [u8],
    numbers: std::slice::Iter<'m, Val>,
    /// What it may still bring: the same bytes may be named many times.
    bytes_left: usize,
}

impl<'m> Lift<'m> {
    /// From these numbers, and a memory.
    pub(super) fn new(memory: &'m [u8], numbers: &'m [Val]) -> Lift<'m> {
        Lift { memory, numbers: numbers.iter(), bytes_left: CALL_BYTES_MAX }
    }

    pub(super) fn number(&mut self) -> Result<&Val> {
        self.numbers.next().ok_or_else(|| HostError::new("a parameter is missing"))
    }

    pub(super) fn i32(&mut self) -> Result<i32> {
        match self.number()? {
            Val::I32(number) => Ok(*number),
            _ => Err(HostError::new("a parameter is of another type")),
        }
    }

    pub(super) fn i64(&mut self) -> Result<i64> {
        match self.number()? {
            Val::I64(number) => Ok(*number),
            _ => Err(HostError::new("a parameter is of another type")),
        }
    }

    pub(super) fn address(&mut self) -> Result<usize> {
        Ok(self.i32()?.cast_unsigned() as usize)
    }

    /// Whether so much lies at an address, which is one for it.
    pub(super) fn check(&mut self, at: usize, len: usize, align: usize) -> Result<()> {
        if !at.is_multiple_of(align) {
            return Err(unaligned(at, align));
        }
        if len > self.memory.len() || at > self.memory.len() - len {
            return Err(outside(at, len));
        }
        self.bring(len)
    }

    /// Counts what the call brings.
    pub(super) fn bring(&mut self, bytes: usize) -> Result<()> {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| {
            HostError::new(format!("the call brings along more than {CALL_BYTES_MAX} bytes"))
        })?;
        Ok(())
    }

    /// What [`check`](Self::check) said is there.
    pub(super) fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.memory[at..].first_chunk().copied().unwrap_or([0; N])
    }

    pub(super) fn u32(&self, at: usize) -> usize {
        u32::from_le_bytes(self.array(at)) as usize
    }

    pub(super) fn text(&mut self, at: usize, len: usize) -> Result<String> {
        self.check(at, len, 1)?;
        let text = str::from_utf8(&self.memory[at..at + len]);
        text.map(str::to_owned)
            .map_err(|_| HostError::new(format!("the {len} bytes at address {at} are not UTF-8")))
    }

    pub(super) fn list<V: Flat>(&mut self, at: usize, len: usize) -> Result<Vec<V>> {
        self.check(at, len.saturating_mul(V::SIZE), V::ALIGN)?;
        // Here it takes more room than there.
        self.bring(len.saturating_mul(size_of::<V>()))?;
        (0..len).map(|number| V::load(self, at + number * V::SIZE)).collect()
    }
}
