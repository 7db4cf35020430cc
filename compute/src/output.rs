//! What a guest wrote to both streams, in order and bounded.

use skrei_protocol::link::{LogChunk, LogPiece, Stream};

/// What a guest wrote: the bytes of both streams in the order they came, and which stretch belongs to which.
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
}

/// What a stretch counts for beside its bytes, so that a guest that changes streams at every byte is bounded,
/// too. It is also the size of a stretch in the encoded form.
const STRETCH_BYTES: usize = 9;

impl Recording {
    /// Adds what was written, as far as it fits in `bytes_max`; the rest is counted. Once something was dropped
    /// nothing more is kept: what is here is always the beginning.
    pub fn write(&mut self, stream: Stream, bytes: &[u8], bytes_max: usize) {
        let continues = self.stretches.last().is_some_and(|last| last.stream == stream);
        let used = self.bytes.len() + (self.stretches.len() + usize::from(!continues)) * STRETCH_BYTES;
        let room = if self.dropped > 0 { 0 } else { bytes_max.saturating_sub(used) };
        let (kept, rest) = bytes.split_at(room.min(bytes.len()));
        self.dropped += rest.len() as u64;
        self.push(stream, kept);
    }

    /// Says at the end how much was dropped, if anything was.
    pub fn finish(&mut self) {
        if self.dropped > 0 {
            let line = if self.bytes.last().is_none_or(|last| *last == b'\n') { "" } else { "\n" };
            let marker = format!("{line}[{} more bytes were dropped]\n", self.dropped);
            self.push(Stream::Err, marker.as_bytes());
        }
    }

    /// What is left of a log that is kept no longer: how much there was.
    pub(crate) fn removed(bytes: u64) -> Self {
        let mut recording = Self::default();
        let marker =
            format!("[{bytes} bytes of output were removed: their time was over, or there was too much]\n");
        recording.push(Stream::Err, marker.as_bytes());
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
            pieces
                .push(LogPiece { stream: stretch.stream, text: String::from_utf8_lossy(bytes).into_owned() });
            if more_to_come {
                break;
            }
        }
        LogChunk { pieces, next: next as u64, end: ended && next == self.bytes.len() }
    }

    /// One row of bytes: the number of stretches, each stretch, then what was written.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(8 + self.stretches.len() * STRETCH_BYTES + self.bytes.len());
        encoded.extend((self.stretches.len() as u64).to_le_bytes());
        for stretch in &self.stretches {
            encoded.extend((stretch.end as u64).to_le_bytes());
            encoded.push(u8::from(stretch.stream == Stream::Err));
        }
        encoded.extend(&self.bytes);
        encoded
    }

    /// Reads what [`encode`](Self::encode) wrote; anything else is an empty recording.
    pub(crate) fn decode(encoded: &[u8]) -> Self {
        Self::try_decode(encoded).unwrap_or_default()
    }

    fn try_decode(encoded: &[u8]) -> Option<Self> {
        let (count, rest) = encoded.split_first_chunk::<8>()?;
        let split = usize::try_from(u64::from_le_bytes(*count)).ok()?.checked_mul(STRETCH_BYTES)?;
        let (stretches, bytes) = rest.split_at_checked(split)?;
        let stretch = |encoded: &[u8]| {
            let (end, stream) = encoded.split_first_chunk::<8>()?;
            let end = usize::try_from(u64::from_le_bytes(*end)).ok().filter(|end| *end <= bytes.len())?;
            Some(Stretch { end, stream: if stream == [1] { Stream::Err } else { Stream::Out } })
        };
        let stretches: Vec<_> = stretches.chunks(STRETCH_BYTES).map(stretch).collect::<Option<_>>()?;
        stretches.is_sorted_by_key(|stretch| stretch.end).then(|| Self {
            bytes: bytes.to_vec(),
            stretches,
            dropped: 0,
        })
    }

    fn push(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        let end = self.bytes.len();
        match self.stretches.last_mut() {
            Some(last) if last.stream == stream => last.end = end,
            _ => self.stretches.push(Stretch { end, stream }),
        }
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

    fn piece(stream: Stream, text: &str) -> LogPiece {
        LogPiece { stream, text: text.to_owned() }
    }

    #[test]
    fn both_streams_come_back_in_the_order_they_were_written() {
        let mut recording = Recording::default();
        for (stream, text) in [(Stream::Out, "a"), (Stream::Out, "b"), (Stream::Err, "c"), (Stream::Out, "d")]
        {
            recording.write(stream, text.as_bytes(), 1000);
        }
        let chunk = recording.chunk(0, 100, true);
        assert_eq!(
            chunk.pieces,
            [piece(Stream::Out, "ab"), piece(Stream::Err, "c"), piece(Stream::Out, "d")]
        );
        assert_eq!((chunk.next, chunk.end), (4, true));
        assert_eq!(recording.chunk(1, 1, true).pieces, [piece(Stream::Out, "b")]);
        assert_eq!(Recording::decode(&recording.encode()), recording);
        assert_eq!(Recording::decode(b"something else"), Recording::default());
    }

    #[test]
    fn a_character_is_never_cut_in_two() {
        let mut recording = Recording::default();
        recording.write(Stream::Out, "aé".as_bytes(), 1000);
        assert_eq!(recording.chunk(0, 2, true).pieces, [piece(Stream::Out, "a")]);
        recording.write(Stream::Out, &"€".as_bytes()[..2], 1000);
        let chunk = recording.chunk(0, 100, false);
        assert_eq!((chunk.pieces, chunk.next), (vec![piece(Stream::Out, "aé")], 3));
        recording.write(Stream::Out, &"€".as_bytes()[2..], 1000);
        assert_eq!(recording.chunk(3, 100, false).pieces, [piece(Stream::Out, "€")]);
    }

    #[test]
    fn what_does_not_fit_is_counted_and_said() {
        let mut recording = Recording::default();
        recording.write(Stream::Out, b"0123456789", 9 + 4);
        recording.write(Stream::Err, b"x", 1000);
        recording.finish();
        let text: String =
            recording.chunk(0, 1000, true).pieces.into_iter().map(|piece| piece.text).collect();
        assert_eq!(text, "0123\n[7 more bytes were dropped]\n");
    }
}
