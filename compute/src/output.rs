//! What a guest wrote to both streams, in order, with the time of each part, and bounded.

use std::time::Duration;

use skrei_job::Timestamp;
use skrei_protocol::link::{LogChunk, LogPiece, Stream};

/// What a guest wrote: the bytes of both streams in the order they came, which stretch belongs to which, and when it
/// was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    bytes: Vec<u8>,
    stretches: Vec<Stretch>,
    dropped: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    end: usize,
    stream: Stream,
    /// When its first byte was written; never before that of the stretch it follows.
    at: Timestamp,
}

/// What a stretch counts for beside its bytes, so that a guest that changes streams at every byte is bounded,
/// too. It is also the size of a stretch in the encoded form.
const STRETCH_BYTES: usize = 17;

/// The same in the form that knew no times.
const STRETCH_BYTES_UNTIMED: usize = 9;

/// Set in the number of stretches where each has its time. A program that knows no times takes the number for one that
/// cannot be.
const TIMED: u64 = 1 << 63;

/// How much later something may be written and still belong to the stretch before: what a time of ours may be off.
const GRAIN: Duration = Duration::from_millis(100);

impl Recording {
    /// Adds what was written now, as far as it fits in `bytes_max`; the rest is counted. Once something was dropped
    /// nothing more is kept: what is here is always the beginning.
    pub fn write(&mut self, stream: Stream, bytes: &[u8], now: Timestamp, bytes_max: usize) {
        // What ends a line that was begun before is as old as that; what comes behind it is not.
        let (of_line, others) = bytes.split_at(self.of_line(stream, bytes));
        self.add(stream, of_line, now, bytes_max);
        self.add(stream, others, now, bytes_max);
    }

    fn add(&mut self, stream: Stream, bytes: &[u8], now: Timestamp, bytes_max: usize) {
        let continues = self.continues(stream, now);
        let used = self.bytes.len() + (self.stretches.len() + usize::from(!continues)) * STRETCH_BYTES;
        let room = if self.dropped > 0 { 0 } else { bytes_max.saturating_sub(used) };
        let (kept, rest) = bytes.split_at(room.min(bytes.len()));
        self.dropped += rest.len() as u64;
        self.push(stream, kept, now);
    }

    /// Says at the end how much was dropped, if anything was.
    pub fn finish(&mut self, now: Timestamp) {
        if self.dropped > 0 {
            let line = if self.bytes.last().is_none_or(|last| *last == b'\n') { "" } else { "\n" };
            let marker = format!("{line}[{} more bytes were dropped]\n", self.dropped);
            self.push(Stream::Err, marker.as_bytes(), now);
        }
    }

    /// What is left of a log that is kept no longer: how much there was, and when it ended.
    pub(crate) fn removed(bytes: u64, ended: Timestamp) -> Self {
        let mut recording = Self::default();
        let marker =
            format!("[{bytes} bytes of output were removed: their time was over, or there was too much]\n");
        recording.push(Stream::Err, marker.as_bytes(), ended);
        recording
    }

    /// How many bytes are kept.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The position from which on lines were begun at that time or later: all of them, and few from just before.
    pub fn since(&self, time: Timestamp) -> u64 {
        let earlier = self.stretches.partition_point(|stretch| stretch.at.after(GRAIN) <= time);
        let begin = earlier.checked_sub(1).map_or(0, |last| self.stretches[last].end);
        begin as u64
    }

    /// Consecutive output from a position on, about `bytes_max` of it. While the guest runs (`ended` is false)
    /// the first bytes of a character are held back until the others are there.
    pub fn chunk(&self, from: u64, bytes_max: usize, ended: bool) -> LogChunk {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.bytes.len());
        let stop = from.saturating_add(bytes_max).min(self.bytes.len());
        let mut pieces = Vec::new();
        let mut next = from;
        for (index, stretch) in self.stretches.iter().enumerate().filter(|(_, stretch)| stretch.end > from) {
            if next >= stop {
                break;
            }
            let mut bytes = &self.bytes[next..stretch.end.min(stop)];
            let is_last = index + 1 == self.stretches.len();
            let more_to_come = stretch.end > stop || is_last && !ended;
            if more_to_come {
                bytes = &bytes[..bytes.len() - started_character(bytes)];
            }
            next += bytes.len();
            if bytes.is_empty() {
                break;
            }
            let text = String::from_utf8_lossy(bytes).into_owned();
            pieces.push(LogPiece { stream: stretch.stream, at: Some(stretch.at), text });
            if more_to_come {
                break;
            }
        }
        LogChunk { pieces, next: next as u64, end: ended && next == self.bytes.len() }
    }

    /// One row of bytes: the number of stretches, marked as [`TIMED`], each stretch, then what was written.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(8 + self.stretches.len() * STRETCH_BYTES + self.bytes.len());
        encoded.extend((self.stretches.len() as u64 | TIMED).to_le_bytes());
        for stretch in &self.stretches {
            encoded.extend((stretch.end as u64).to_le_bytes());
            encoded.push(u8::from(stretch.stream == Stream::Err));
            encoded.extend(stretch.at.as_nanos().to_le_bytes());
        }
        encoded.extend(&self.bytes);
        encoded
    }

    /// Reads what [`encode`](Self::encode) wrote; anything else is an empty recording. What was written down without
    /// times counts as written when it `ended`.
    pub(crate) fn decode(encoded: &[u8], ended: Timestamp) -> Self {
        Self::try_decode(encoded, ended).unwrap_or_default()
    }

    fn try_decode(encoded: &[u8], ended: Timestamp) -> Option<Self> {
        let (count, rest) = encoded.split_first_chunk::<8>()?;
        let count = u64::from_le_bytes(*count);
        let size = if count & TIMED == 0 { STRETCH_BYTES_UNTIMED } else { STRETCH_BYTES };
        let split = usize::try_from(count & !TIMED).ok()?.checked_mul(size)?;
        let (stretches, bytes) = rest.split_at_checked(split)?;
        let stretch = |encoded: &[u8]| {
            let (end, rest) = encoded.split_first_chunk::<8>()?;
            let end = usize::try_from(u64::from_le_bytes(*end)).ok().filter(|end| *end <= bytes.len())?;
            let (stream, at) = rest.split_first()?;
            let at = at.first_chunk::<8>().map(|nanos| Timestamp::from_nanos(i64::from_le_bytes(*nanos)));
            let stream = if *stream == 1 { Stream::Err } else { Stream::Out };
            Some(Stretch { end, stream, at: at.unwrap_or(ended) })
        };
        let stretches: Vec<_> = stretches.chunks(size).map(stretch).collect::<Option<_>>()?;
        let is_sorted = stretches.is_sorted_by_key(|stretch| (stretch.end, stretch.at));
        is_sorted.then(|| Self { bytes: bytes.to_vec(), stretches, dropped: 0 })
    }

    fn push(&mut self, stream: Stream, bytes: &[u8], now: Timestamp) {
        if bytes.is_empty() {
            return;
        }
        let continues = self.continues(stream, now);
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes.len();
        match self.stretches.last_mut() {
            Some(last) if continues => last.end = end,
            last => {
                // A clock that was set back must not put what came later before what came earlier.
                let at = last.map_or(now, |last| now.max(last.at));
                self.stretches.push(Stretch { end, stream, at });
            }
        }
    }

    /// How many of these bytes go on with a line that the stream has begun.
    fn of_line(&self, stream: Stream, bytes: &[u8]) -> usize {
        let is_in_line = self.bytes.last().is_some_and(|last| *last != b'\n')
            && self.stretches.last().is_some_and(|last| last.stream == stream);
        let line = || bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1);
        if is_in_line { line() } else { 0 }
    }

    /// Whether what is written to a stream now belongs to the last stretch. Time alone parts no line: a line is as old
    /// as its beginning.
    fn continues(&self, stream: Stream, now: Timestamp) -> bool {
        let is_in_line = self.bytes.last().is_some_and(|last| *last != b'\n');
        self.stretches
            .last()
            .is_some_and(|last| last.stream == stream && (is_in_line || now < last.at.after(GRAIN)))
    }
}

/// How many bytes at the end are the beginning of a character that is not complete.
fn started_character(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => bytes.len() - error.valid_up_to(),
        // Something before is no UTF-8; only the end matters here.
        Err(_) => (1..=3.min(bytes.len()))
            .find(|length| {
                let tail = &bytes[bytes.len() - length..];
                matches!(std::str::from_utf8(tail), Err(error) if error.valid_up_to() == 0 && error.error_len().is_none())
            })
            .unwrap_or(0),
        Ok(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(stream: Stream, second: u64, text: &str) -> LogPiece {
        LogPiece { stream, at: Some(Timestamp::from_seconds(second)), text: text.to_owned() }
    }

    /// What was written to both streams, each at its second.
    fn recorded(written: &[(Stream, u64, &str)]) -> Recording {
        let mut recording = Recording::default();
        for (stream, second, text) in written {
            recording.write(*stream, text.as_bytes(), Timestamp::from_seconds(*second), 1000);
        }
        recording
    }

    #[test]
    fn both_streams_come_back_in_the_order_they_were_written() {
        let recording = recorded(&[
            (Stream::Out, 1, "a"),
            (Stream::Out, 1, "b"),
            (Stream::Err, 1, "c"),
            (Stream::Out, 2, "d"),
        ]);
        let chunk = recording.chunk(0, 100, true);
        let expected = [piece(Stream::Out, 1, "ab"), piece(Stream::Err, 1, "c"), piece(Stream::Out, 2, "d")];
        assert_eq!(chunk.pieces, expected);
        assert_eq!((chunk.next, chunk.end), (4, true));
        assert_eq!(recording.chunk(1, 1, true).pieces, [piece(Stream::Out, 1, "b")]);
        let ended = Timestamp::from_seconds(9);
        assert_eq!(Recording::decode(&recording.encode(), ended), recording);
        assert_eq!(Recording::decode(b"something else", ended), Recording::default());
    }

    #[test]
    fn a_log_may_be_read_from_a_time_on() {
        let recording = recorded(&[
            (Stream::Out, 10, "t"),
            (Stream::Out, 15, "en\nfifteen\n"),
            (Stream::Out, 20, "twenty\n"),
            (Stream::Err, 20, "at once\n"),
            (Stream::Out, 30, "thirty\n"),
        ]);
        for (second, text) in [
            (0, "ten\nfifteen\ntwenty\nat once\nthirty\n"),
            (10, "ten\nfifteen\ntwenty\nat once\nthirty\n"),
            (11, "fifteen\ntwenty\nat once\nthirty\n"),
            (16, "twenty\nat once\nthirty\n"),
            (20, "twenty\nat once\nthirty\n"),
            (21, "thirty\n"),
            (31, ""),
        ] {
            let chunk = recording.chunk(recording.since(Timestamp::from_seconds(second)), 1000, true);
            let read: String = chunk.pieces.into_iter().map(|piece| piece.text).collect();
            assert_eq!(read, text, "since {second}");
        }
    }

    #[test]
    fn a_clock_that_is_set_back_hides_nothing_that_came_later() {
        let recording = recorded(&[(Stream::Out, 20, "before\n"), (Stream::Err, 5, "after\n")]);
        let chunk = recording.chunk(0, 1000, true);
        assert_eq!(chunk.pieces, [piece(Stream::Out, 20, "before\n"), piece(Stream::Err, 20, "after\n")]);
        assert_eq!(Recording::decode(&recording.encode(), Timestamp::default()), recording);
    }

    #[test]
    fn output_written_down_without_times_counts_as_written_when_it_ended() {
        let mut encoded = 2_u64.to_le_bytes().to_vec();
        for (end, stream) in [(4_u64, 0), (8, 1)] {
            encoded.extend(end.to_le_bytes());
            encoded.push(stream);
        }
        encoded.extend(b"one\ntwo\n");
        let recording = Recording::decode(&encoded, Timestamp::from_seconds(7));
        let expected = [piece(Stream::Out, 7, "one\n"), piece(Stream::Err, 7, "two\n")];
        assert_eq!(recording.chunk(0, 100, true).pieces, expected);
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let mut recording = recorded(&[(Stream::Out, 1, "aé")]);
        let now = Timestamp::from_seconds(1);
        assert_eq!(recording.chunk(0, 2, true).pieces, [piece(Stream::Out, 1, "a")]);
        recording.write(Stream::Out, &"€".as_bytes()[..2], now, 1000);
        let chunk = recording.chunk(0, 100, false);
        assert_eq!((chunk.pieces, chunk.next), (vec![piece(Stream::Out, 1, "aé")], 3));
        recording.write(Stream::Out, &"€".as_bytes()[2..], now, 1000);
        assert_eq!(recording.chunk(3, 100, false).pieces, [piece(Stream::Out, 1, "€")]);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_said() {
        let (mut recording, now) = (Recording::default(), Timestamp::from_seconds(1));
        recording.write(Stream::Out, b"0123456789", now, STRETCH_BYTES + 4);
        recording.write(Stream::Err, b"x", now, 1000);
        recording.finish(now);
        let text: String =
            recording.chunk(0, 1000, true).pieces.into_iter().map(|piece| piece.text).collect();
        assert_eq!(text, "0123\n[7 more bytes were dropped]\n");
    }
}
