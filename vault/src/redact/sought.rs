//! All forms that are looked for, and which of them may begin where a stream is.

use std::{collections::HashMap, ops::Range};

use super::{SEARCHED_BYTES_MIN, forms::Form};

/// As many bytes tell which forms may have begun with them. No form is shorter.
pub(super) const BEGINNING_BYTES: usize = 4;
const _: () = assert!(BEGINNING_BYTES < SEARCHED_BYTES_MIN);

/// The first bytes of a form, the first of them the highest.
type Beginning = u32;

/// Bits of the sieve.
const SIEVE_BITS: usize = 1 << 16;

/// Forms in the order of their bytes, so that those with the same beginning stand beside each other.
///
/// Whatever is in a stream, most of its bytes are the end of nobody's beginning: one bit says so, and no form is looked at.
pub(super) struct Sought {
    forms: Vec<Form>,
    by_beginning: HashMap<Beginning, Range<u32>>,
    /// One bit for each beginning, some of which share theirs.
    sieve: Box<[u64; SIEVE_BITS / 64]>,
}

impl Sought {
    pub(super) fn new(mut forms: Vec<Form>) -> Self {
        forms.sort_unstable_by(|one, other| one.bytes.as_slice().cmp(&other.bytes));
        let mut by_beginning = HashMap::<Beginning, Range<u32>>::new();
        let mut sieve = Box::new([0; SIEVE_BITS / 64]);
        for (index, form) in (0..).zip(&forms) {
            let Some(first) = form.bytes.first_chunk::<BEGINNING_BYTES>() else { continue };
            let beginning = Beginning::from_be_bytes(*first);
            by_beginning.entry(beginning).or_insert(index..index).end = index + 1;
            let (word, bit) = place(beginning);
            sieve[word] |= bit;
        }
        Self { forms, by_beginning, sieve }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    pub(super) fn form(&self, index: u32) -> &Form {
        &self.forms[index as usize]
    }

    /// Which forms begin with these bytes.
    pub(super) fn beginning(&self, last: Beginning) -> Range<u32> {
        let (word, bit) = place(last);
        match self.sieve[word] & bit {
            0 => 0..0,
            _ => self.by_beginning.get(&last).cloned().unwrap_or_default(),
        }
    }

    /// How many of the last bytes, fewer than tell anything, are the beginning of some form.
    pub(super) fn reach(&self, last: &[u8]) -> usize {
        let is_beginning = |bytes: &[u8]| {
            let at = self.forms.partition_point(|form| form.bytes.as_slice() < bytes);
            self.forms.get(at).is_some_and(|form| form.bytes.starts_with(bytes))
        };
        let longest = last.len().min(BEGINNING_BYTES - 1);
        (1..=longest).rev().find(|length| is_beginning(&last[last.len() - length..])).unwrap_or(0)
    }
}

fn place(beginning: Beginning) -> (usize, u64) {
    // The high bits of a product depend on all bits of its factors.
    let bit = (beginning.wrapping_mul(0x9e37_79b1) >> 16) as usize % SIEVE_BITS;
    (bit / 64, 1 << (bit % 64))
}
