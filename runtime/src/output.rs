//! What a guest writes to standard output and standard error.

use std::fmt;
use std::sync::Arc;

/// Which of the two a guest wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Takes a guest's output as it is written.
pub trait OutputSink: Send + Sync {
    /// Called once per write of the guest, in order, with the bytes of that write unchanged.
    ///
    /// The call comes on the guest's thread and must not block: while it does, no limit can end the run.
    fn write(&self, stream: Stream, bytes: &[u8]);
}

/// Changes what a guest writes to one stream before anybody gets it.
pub trait OutputFilter: Send {
    /// Takes what the guest wrote; adds to `out` what there is to hand on by now. It is called on the guest's thread and
    /// must not block.
    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>);

    /// The guest writes no more; adds to `out` what is left.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// One stream's output as far as it was kept: the first bytes, up to the limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    /// The bytes kept.
    pub bytes: Vec<u8>,
    /// How many bytes followed that were not kept.
    pub dropped: u64,
}

impl Captured {
    /// The line that stands for what was dropped, or `None` if everything is here.
    pub fn marker(&self) -> Option<String> {
        (self.dropped > 0).then(|| format!("[{} more bytes were dropped]", self.dropped))
    }
}

impl fmt::Display for Captured {
    /// The bytes as text, anything but UTF-8 replaced, and the [`marker`](Captured::marker) on a line of its own
    /// at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.bytes);
        f.write_str(&text)?;
        match self.marker() {
            Some(marker) if text.is_empty() || text.ends_with('\n') => f.write_str(&marker),
            Some(marker) => write!(f, "\n{marker}"),
            None => Ok(()),
        }
    }
}

/// Both streams of one run.
pub(crate) struct Output {
    stdout: Capture,
    stderr: Capture,
    sink: Option<Arc<dyn OutputSink>>,
    filters: Option<[Box<dyn OutputFilter>; 2]>,
}

struct Capture {
    captured: Captured,
    bytes_max: usize,
}

impl Output {
    pub(crate) fn new(
        limits: &crate::Limits,
        sink: Option<Arc<dyn OutputSink>>,
        filters: Option<[Box<dyn OutputFilter>; 2]>,
    ) -> Output {
        let (stdout, stderr) = (Capture::new(limits.stdout_bytes), Capture::new(limits.stderr_bytes));
        Output { stdout, stderr, sink, filters }
    }

    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let Some([stdout, stderr]) = &mut self.filters else { return self.hand_on(stream, bytes) };
        let mut filtered = Vec::with_capacity(bytes.len());
        match stream {
            Stream::Stdout => stdout.write(bytes, &mut filtered),
            Stream::Stderr => stderr.write(bytes, &mut filtered),
        }
        self.hand_on(stream, &filtered);
    }

    fn hand_on(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match stream {
            Stream::Stdout => self.stdout.write(bytes),
            Stream::Stderr => self.stderr.write(bytes),
        }
        if let Some(sink) = &self.sink {
            sink.write(stream, bytes);
        }
    }

    /// Standard output and standard error, so far. What a filter holds back comes out with them.
    pub(crate) fn take_captured(&mut self) -> (Captured, Captured) {
        if let Some(mut filters) = self.filters.take() {
            for (stream, filter) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut filters) {
                let mut rest = Vec::new();
                filter.finish(&mut rest);
                self.hand_on(stream, &rest);
            }
            self.filters = Some(filters);
        }
        let Output { stdout, stderr, .. } = self;
        (std::mem::take(&mut stdout.captured), std::mem::take(&mut stderr.captured))
    }
}

impl Capture {
    fn new(bytes_max: usize) -> Capture {
        Capture { captured: Captured::default(), bytes_max }
    }

    fn write(&mut self, bytes: &[u8]) {
        let room = self.bytes_max - self.captured.bytes.len();
        let (kept, dropped) = bytes.split_at(room.min(bytes.len()));
        self.captured.bytes.extend_from_slice(kept);
        self.captured.dropped += dropped.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_truncated_capture_says_so_on_its_own_line() {
        let captured = Captured { bytes: b"half a li".to_vec(), dropped: 2 };
        assert_eq!(captured.to_string(), "half a li\n[2 more bytes were dropped]");
    }

    #[test]
    fn a_whole_capture_is_just_its_text() {
        let captured = Captured { bytes: b"line\n".to_vec(), dropped: 0 };
        assert_eq!(captured.to_string(), "line\n");
    }
}
