//! How much a run may add to the disk.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::extents::Extents;
use super::{Errno, Result};

/// Files of which is remembered what was written to them. Beyond it every write counts, rewriting too.
const INODES_MAX: usize = 65_536;

/// Ranges remembered of all files together, 16 bytes each. A file that the run made is one range, since holes count;
/// many take many files that were there before, each written here and there.
const RANGES_MAX: usize = 2 * INODES_MAX;

/// A file or directory of the host, as long as it exists: device and inode number.
pub(crate) type Inode = (u64, u64);

/// How much a run may add to the disk: bytes, and names of files, directories and links.
///
/// Mounts that are given clones of one quota share it. What counts is what the run writes, each byte of a file
/// once: writing it again is free, whoever made the file. A hole counts as if it were written, so that a sparse
/// file is never larger than what was paid for it. What would pass the quota fails with `EDQUOT`; a write that
/// fits in part is carried out in part.
///
/// Cutting a file gives back what the run had written there. Removing its last name does, once no guest has it
/// open any more. Removing what was there before gives back nothing, and so does what another process removes.
/// A name given back is one the run made.
///
/// What the host pays beside it is bounded by the number of files: the last block of each, its inode and its
/// directory entry.
#[derive(Clone, Debug)]
pub struct Quota {
    ledger: Arc<Mutex<Ledger>>,
    bytes: u64,
    files: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    bytes_used: u64,
    files_used: u64,
    /// Of all files together.
    ranges: usize,
    inodes: BTreeMap<Inode, Written>,
}

/// What a run did to one file.
#[derive(Debug, Default)]
struct Written {
    extents: Extents,
    /// Bytes that count, at places that are not remembered: those appended, and those beyond what extents hold.
    unplaced: u64,
    /// Names of it that the run made and that count.
    names: u32,
    /// It has no name any more and is still open.
    gone: bool,
}

impl Quota {
    /// At most so many bytes and so many files, directories and links.
    pub fn new(bytes: u64, files: u64) -> Quota {
        Quota { ledger: Arc::default(), bytes, files }
    }

    /// The most bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The most files, directories and links.
    pub fn files(&self) -> u64 {
        self.files
    }

    /// Bytes that count now.
    pub fn bytes_used(&self) -> u64 {
        self.lock().bytes_used
    }

    /// Files, directories and links that count now.
    pub fn files_used(&self) -> u64 {
        self.lock().files_used
    }

    /// Takes room for one more name.
    pub(super) fn take_name(&self) -> Result<()> {
        let mut ledger = self.lock();
        if ledger.files_used >= self.files {
            return Err(Errno::DQuot);
        }
        ledger.files_used += 1;
        Ok(())
    }

    /// Gives back a name that was not made after all.
    pub(super) fn return_name(&self) {
        let mut ledger = self.lock();
        ledger.files_used = ledger.files_used.saturating_sub(1);
    }

    /// Room taken with [`take_name`](Self::take_name) was used for a name of this file.
    pub(super) fn name_made(&self, inode: Inode) {
        if let Some(written) = self.lock().written(inode) {
            written.names = written.names.saturating_add(1);
        }
    }

    /// How many of `len` bytes may be written at `start`; they count from now on. `size` is asked for only where
    /// the write may leave a hole. `EDQUOT` if not one may be written.
    pub(super) fn write(
        &self,
        inode: Inode,
        start: u64,
        len: u64,
        size: impl FnOnce() -> Result<u64>,
    ) -> Result<u64> {
        let end = start.checked_add(len).ok_or(Errno::FBig)?;
        let mut ledger = self.lock();
        let known = ledger.inodes.get(&inode).is_some_and(|written| written.extents.reaches(start));
        let from = if known || start == 0 || len == 0 { start } else { size()?.min(start) };
        let left = self.bytes.saturating_sub(ledger.bytes_used);
        let fits = match ledger.inodes.get(&inode) {
            Some(written) => written.extents.prefix(&(from..end), left),
            None => left.min(end - from),
        };
        // A hole that does not fit leaves nothing for the bytes behind it.
        let allowed = (from + fits).saturating_sub(start);
        if allowed == 0 && len > 0 {
            return Err(Errno::DQuot);
        }
        ledger.charge(inode, from..start + allowed);
        Ok(allowed)
    }

    /// How many of `len` bytes may be appended; they count from now on.
    pub(super) fn append(&self, inode: Inode, len: u64) -> Result<u64> {
        let mut ledger = self.lock();
        let allowed = len.min(self.bytes.saturating_sub(ledger.bytes_used));
        if allowed == 0 && len > 0 {
            return Err(Errno::DQuot);
        }
        ledger.bytes_used += allowed;
        if let Some(written) = ledger.written(inode) {
            written.unplaced += allowed;
        }
        Ok(allowed)
    }

    /// Takes back part of the last append, which was not carried out.
    pub(super) fn unappend(&self, inode: Inode, len: u64) {
        let mut ledger = self.lock();
        if let Some(written) = ledger.inodes.get_mut(&inode) {
            let back = len.min(written.unplaced);
            written.unplaced -= back;
            ledger.bytes_used -= back;
        }
    }

    /// Takes room for all of a range, or none.
    pub(super) fn extend(&self, inode: Inode, range: Range<u64>) -> Result<()> {
        let mut ledger = self.lock();
        let missing = match ledger.inodes.get(&inode) {
            Some(written) => written.extents.missing(&range),
            None => range.end - range.start,
        };
        if missing > self.bytes.saturating_sub(ledger.bytes_used) {
            return Err(Errno::DQuot);
        }
        ledger.charge(inode, range);
        Ok(())
    }

    /// The file was cut to `size`: nothing behind it is on the disk any more, whoever has it open.
    pub(super) fn cut(&self, inode: Inode, size: u64) {
        let mut ledger = self.lock();
        let Some(written) = ledger.inodes.get_mut(&inode) else { return };
        let unplaced = if size == 0 { std::mem::take(&mut written.unplaced) } else { 0 };
        let before = written.extents.count();
        let back = written.extents.cut(size) + unplaced;
        let cut = before - written.extents.count();
        ledger.bytes_used -= back;
        ledger.ranges -= cut;
    }

    /// Whether the run did anything to this file that counts.
    pub(super) fn knows(&self, inode: Inode) -> bool {
        self.lock().inodes.contains_key(&inode)
    }

    /// A name of this file was removed. With `freed` it was the last thing that kept it on the disk.
    pub(super) fn name_removed(&self, inode: Inode, freed: bool) {
        let mut ledger = self.lock();
        let Some(written) = ledger.inodes.get_mut(&inode) else { return };
        if written.names > 0 {
            written.names -= 1;
            ledger.files_used = ledger.files_used.saturating_sub(1);
        }
        if freed {
            ledger.give_back(inode);
        }
    }

    /// The file has no name any more, and is open still.
    pub(super) fn gone(&self, inode: Inode) {
        if let Some(written) = self.lock().inodes.get_mut(&inode) {
            written.gone = true;
        }
    }

    /// The file was opened by a name, so it is not one that had none: that one's number was given to it. What
    /// was written to the other cannot be given back any more.
    pub(super) fn opened(&self, inode: Inode) {
        let mut ledger = self.lock();
        if ledger.inodes.get(&inode).is_some_and(|written| written.gone) {
            ledger.forget(inode);
        }
    }

    /// No guest has the file open any more.
    pub(super) fn closed(&self, inode: Inode) {
        let mut ledger = self.lock();
        if ledger.inodes.get(&inode).is_some_and(|written| written.gone) {
            ledger.give_back(inode);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // Every change is made whole before anything can panic.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ledger {
    /// What is remembered of a file; none if too much is remembered already.
    fn written(&mut self, inode: Inode) -> Option<&mut Written> {
        if self.inodes.len() >= INODES_MAX && !self.inodes.contains_key(&inode) {
            return None;
        }
        Some(self.inodes.entry(inode).or_default())
    }

    fn charge(&mut self, inode: Inode, range: Range<u64>) {
        let full = self.ranges >= RANGES_MAX;
        let Some(written) = self.written(inode) else {
            self.bytes_used += range.end - range.start;
            return;
        };
        let (new, before) = (written.extents.missing(&range), written.extents.count());
        if !written.extents.add(range, full) {
            written.unplaced += new;
        }
        let after = written.extents.count();
        self.ranges = self.ranges + after - before;
        self.bytes_used += new;
    }

    fn give_back(&mut self, inode: Inode) {
        if let Some(written) = self.forget(inode) {
            self.bytes_used -= written.extents.bytes() + written.unplaced;
        }
    }

    /// Remembers nothing of a file any more; what it was charged stays charged.
    fn forget(&mut self, inode: Inode) -> Option<Written> {
        let written = self.inodes.remove(&inode)?;
        self.ranges -= written.extents.count();
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Inode = (1, 1);

    fn no_hole() -> Result<u64> {
        Ok(u64::MAX)
    }

    #[test]
    fn a_write_that_passes_the_quota_is_carried_out_in_part_and_then_not_at_all() {
        let quota = Quota::new(10, 1);
        assert_eq!(quota.write(FILE, 0, 8, no_hole), Ok(8));
        assert_eq!(quota.write(FILE, 8, 8, no_hole), Ok(2));
        assert_eq!(quota.write(FILE, 10, 1, no_hole), Err(Errno::DQuot));
        assert_eq!(quota.write(FILE, 0, 10, no_hole), Ok(10), "writing it again is free");
        assert_eq!(quota.write(FILE, 10, 0, no_hole), Ok(0), "nothing is always written");
    }

    #[test]
    fn a_hole_counts_as_if_it_were_written() {
        let quota = Quota::new(10, 1);
        assert_eq!(quota.write(FILE, 1 << 40, 1, || Ok(0)), Err(Errno::DQuot));
        assert_eq!(quota.write(FILE, 8, 4, || Ok(0)), Ok(2));
        assert_eq!(quota.bytes_used(), 10);
        assert_eq!(quota.write((1, 2), u64::MAX, 2, || Ok(0)), Err(Errno::FBig));
    }

    #[test]
    fn what_is_cut_or_removed_is_given_back_once() {
        let quota = Quota::new(10, 1);
        quota.write(FILE, 0, 6, no_hole).expect("room");
        quota.append(FILE, 4).expect("room");
        quota.cut(FILE, 3);
        assert_eq!(quota.bytes_used(), 7);
        quota.cut(FILE, 0);
        quota.cut(FILE, 0);
        assert_eq!(quota.bytes_used(), 0);
        quota.write(FILE, 0, 6, no_hole).expect("room");
        quota.name_removed(FILE, true);
        quota.name_removed(FILE, true);
        assert_eq!((quota.bytes_used(), quota.files_used()), (0, 0));
    }

    #[test]
    fn a_file_without_a_name_counts_until_it_is_closed() {
        let quota = Quota::new(10, 1);
        quota.take_name().expect("room");
        quota.name_made(FILE);
        quota.write(FILE, 0, 10, no_hole).expect("room");
        quota.name_removed(FILE, false);
        quota.gone(FILE);
        assert_eq!((quota.bytes_used(), quota.files_used()), (10, 0));
        quota.closed(FILE);
        assert_eq!(quota.bytes_used(), 0);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_not_still_counts() {
        let quota = Quota::new(u64::MAX, 1);
        let written = RANGES_MAX as u64 + 1000;
        for number in 0..written {
            quota.write((1, number / 512), number % 512 * 2, 1, no_hole).expect("room");
        }
        let remembered = |quota: &Quota| quota.lock().ranges;
        assert_eq!((remembered(&quota), quota.bytes_used()), (RANGES_MAX, written));
        for inode in 0..=written / 512 {
            quota.cut((1, inode), 0);
        }
        assert_eq!((remembered(&quota), quota.bytes_used()), (0, 0));
    }

    #[test]
    fn a_number_used_again_does_not_give_back_what_its_last_owner_wrote() {
        let quota = Quota::new(10, 1);
        quota.write(FILE, 0, 10, no_hole).expect("room");
        quota.gone(FILE);
        quota.opened(FILE);
        quota.closed(FILE);
        assert_eq!(quota.bytes_used(), 10);
    }
}
