//! The guest's output, passed on unchanged as it comes.

use std::io::Write;

use skrei_runtime::{OutputSink, Stream};

use crate::terminal;

/// Writes to our own standard output and standard error. Where nobody reads, the guest waits, as any program
/// would; its time limit is kept all the same (see [`super::GRACE`]).
pub(super) struct Passthrough;

impl OutputSink for Passthrough {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        terminal::make_way();
        // A reader that went away is the guest's loss, not its failure.
        let _ = match stream {
            Stream::Stdout => {
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(bytes).and_then(|()| stdout.flush())
            }
            Stream::Stderr => std::io::stderr().lock().write_all(bytes),
        };
    }
}
