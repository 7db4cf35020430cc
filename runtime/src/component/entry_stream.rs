//! Listing a directory, one entry at a time.

use std::collections::VecDeque;

use super::{Descriptor, Permit};
use crate::fs::{Dir, Kind, Result};

/// Entries read ahead.
const BATCH: usize = 64;

/// A directory being listed. It has a place of its own in the listing, and counts as an open directory.
#[expect(unreachable_pub, reason = "the generated interfaces name it")]
pub struct EntryStream {
    dir: Dir,
    _permit: Permit,
    next: u64,
    ahead: VecDeque<(String, Kind)>,
    is_over: bool,
}

impl EntryStream {
    pub(crate) fn new(descriptor: &Descriptor, permit: Permit) -> Result<EntryStream> {
        let dir = descriptor.dir()?.try_clone()?;
        Ok(EntryStream { dir, _permit: permit, next: 0, ahead: VecDeque::new(), is_over: false })
    }

    /// The next name and what it is of. The directory itself and the one above it are left out, as WASI says.
    pub(crate) fn next(&mut self) -> Result<Option<(String, Kind)>> {
        while self.ahead.is_empty() && !self.is_over {
            self.read_ahead()?;
        }
        Ok(self.ahead.pop_front())
    }

    fn read_ahead(&mut self) -> Result<()> {
        let EntryStream { dir, next, ahead, is_over, .. } = self;
        *is_over = true;
        dir.list(*next, |entry| {
            *next = entry.next;
            if !matches!(entry.name, "." | "..") {
                ahead.push_back((entry.name.to_owned(), entry.kind));
            }
            *is_over = ahead.len() < BATCH;
            *is_over
        })
    }
}
