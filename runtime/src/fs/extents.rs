//! Which bytes of a file a run has written.

use std::ops::Range;

/// Ranges remembered of one file. A program that writes one byte here and there far more often than this is
/// charged for rewriting some of them; memory of the host is worth more.
const RANGES_MAX: usize = 1024;

/// Which bytes of a file a run has written: ranges in order that neither overlap nor touch.
#[derive(Debug, Default)]
pub(super) struct Extents {
    ranges: Vec<Range<u64>>,
}

impl Extents {
    /// How many bytes from the start of `range` can be written if at most `left` of them may be new.
    pub(super) fn prefix(&self, range: &Range<u64>, left: u64) -> u64 {
        let (mut at, mut left) = (range.start, left);
        for known in &self.ranges[self.first_reaching(range.start)..] {
            if known.start >= range.end {
                break;
            }
            let gap = known.start.saturating_sub(at);
            if gap > left {
                return at + left - range.start;
            }
            left -= gap;
            at = known.end.min(range.end);
        }
        at = at.max(range.start);
        at + left.min(range.end.saturating_sub(at)) - range.start
    }

    /// How many bytes of `range` are not there yet.
    pub(super) fn missing(&self, range: &Range<u64>) -> u64 {
        let known = self.ranges[self.first_reaching(range.start)..].iter();
        let inside = known
            .take_while(|known| known.start < range.end)
            .map(|known| known.end.min(range.end).saturating_sub(known.start.max(range.start)));
        (range.end - range.start) - inside.sum::<u64>()
    }

    /// Whether a write at `at` goes on from, or stays in, what was written before.
    pub(super) fn reaches(&self, at: u64) -> bool {
        self.ranges.get(self.first_reaching(at)).is_some_and(|known| known.start <= at)
    }

    /// Adds a range; says whether it is remembered. With `joining` it is only if it joins one that is.
    pub(super) fn add(&mut self, range: Range<u64>, joining: bool) -> bool {
        if range.is_empty() {
            return true;
        }
        let first = self.first_reaching(range.start);
        let touching = self.ranges[first..].iter().take_while(|known| known.start <= range.end).count();
        if touching == 0 {
            if joining || self.ranges.len() >= RANGES_MAX {
                return false;
            }
            self.ranges.insert(first, range);
            return true;
        }
        let (start, end) = (self.ranges[first].start, self.ranges[first + touching - 1].end);
        self.ranges[first] = start.min(range.start)..end.max(range.end);
        self.ranges.drain(first + 1..first + touching);
        true
    }

    /// Forgets everything from `size` on; gives how many bytes that was.
    pub(super) fn cut(&mut self, size: u64) -> u64 {
        let before = self.bytes();
        self.ranges.retain(|known| known.start < size);
        if let Some(last) = self.ranges.last_mut() {
            last.end = last.end.min(size);
        }
        before - self.bytes()
    }

    /// How many ranges there are.
    pub(super) fn count(&self) -> usize {
        self.ranges.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.ranges.iter().map(|known| known.end - known.start).sum()
    }

    /// The first range that ends at `at` or later.
    fn first_reaching(&self, at: u64) -> usize {
        self.ranges.partition_point(|known| known.end < at)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn extents_are_the_set_of_bytes_written() {
        let mut extents = Extents::default();
        let mut model = BTreeSet::new();
        // A generator of a few lines is enough to meet every way two ranges can lie.
        let mut state = 42_u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for step in 0..20_000 {
            let start = next(60);
            let range = start..start + next(12);
            let new = range.clone().filter(|byte| !model.contains(byte)).count() as u64;
            assert_eq!(extents.missing(&range), new, "step {step}: {range:?}");
            let left = next(8);
            let mut taken = 0;
            let prefix = range.clone().take_while(|byte| {
                taken += u64::from(!model.contains(byte));
                taken <= left
            });
            assert_eq!(extents.prefix(&range, left), prefix.count() as u64, "step {step}: {range:?}, {left}");
            if next(5) == 0 {
                let gone = model.split_off(&start);
                assert_eq!(extents.cut(start), gone.len() as u64, "step {step}");
            } else {
                assert!(extents.add(range.clone(), false), "step {step}");
                model.extend(range);
            }
            assert_eq!(extents.bytes(), model.len() as u64, "step {step}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut extents = Extents::default();
        for at in 0..RANGES_MAX as u64 {
            assert!(extents.add(at * 2..at * 2 + 1, false));
        }
        assert!(!extents.add(1 << 20..(1 << 20) + 1, false));
        assert!(extents.add(1..2, true), "one that joins two takes no room");
    }
}
