//! What goes to a module, before it has a place there.

use wasmtime::{Val, ValType};

use super::{Flat, aligned, larger};

/// Bytes for a module's memory, with the addresses of other blocks in them.
#[derive(Debug, Default)]
pub struct Block {
    pub(super) bytes: Vec<u8>,
    pub(super) align: usize,
    pub(super) holes: Vec<Hole>,
}

/// A place for the address of a block, before the place for how many elements that has.
#[derive(Debug)]
pub(super) struct Hole {
    pub(super) at: usize,
    pub(super) block: Block,
    /// Whether a module that makes no room does without.
    pub(super) dispensable: bool,
}

/// What a call gives, as a module has it.
#[derive(Debug)]
pub enum Lowered {
    /// Nothing.
    Nothing,
    /// A number.
    Number(Val),
    /// What the module names a place for.
    Block(Block),
}

impl Block {
    /// Room for one of these.
    pub(in crate::host) fn of<V: Flat>() -> Block {
        Block::sized(V::SIZE, V::ALIGN)
    }

    pub(super) fn sized(size: usize, align: usize) -> Block {
        Block { bytes: vec![0; size], align, holes: Vec::new() }
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The address of `block` and the number of its elements.
    pub(super) fn lead_to(&mut self, at: usize, block: Block, len: usize) {
        // What does not fit is refused when room is made for it.
        self.put(at + 4, &u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
        self.holes.push(Hole { at, block, dispensable: false });
    }

    /// A module that makes no room does without what this leads to.
    pub(super) fn dispense(&mut self) {
        self.holes.iter_mut().for_each(|hole| hole.dispensable = true);
    }

    /// As the one number that it is.
    pub(in crate::host) fn number(&self, kind: &ValType, signed: bool) -> Val {
        let mut wide =
            [if signed && self.bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 }; 8];
        let len = self.bytes.len().min(8);
        wide[..len].copy_from_slice(&self.bytes[..len]);
        let wide = u64::from_le_bytes(wide);
        match kind {
            ValType::I64 => Val::I64(wide.cast_signed()),
            ValType::F32 => Val::F32(wide as u32),
            ValType::F64 => Val::F64(wide),
            _ => Val::I32((wide as u32).cast_signed()),
        }
    }
}

/// `result<V, E>`, in which a module that makes no room does without the error's words.
pub(in crate::host) fn lower_result<V: Flat, E: Flat>(result: std::result::Result<V, E>) -> Block {
    let align = larger(V::ALIGN, E::ALIGN);
    let at = aligned(1, align);
    let mut block = Block::sized(aligned(at + larger(V::SIZE, E::SIZE), align), align);
    match result {
        Ok(value) => value.lower(&mut block, at),
        Err(error) => {
            block.put(0, &[1]);
            error.lower(&mut block, at);
            block.dispense();
        }
    }
    block
}
