//! What a guest writes, kept within bounds and handed on unchanged.

use std::sync::{Arc, Mutex};

use skrei_runtime::{Ending, Limits, OutputSink, Sandbox, Stream};

use crate::grounds::{guest, in_each_world, run};

in_each_world! {
    both_streams_are_captured_apart
    a_capture_keeps_the_first_bytes_and_counts_the_rest
    a_sink_gets_every_byte_in_order_and_beyond_the_bound
}

#[derive(Default)]
struct Recorder(Mutex<Vec<(Stream, Vec<u8>)>>);

impl OutputSink for Recorder {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.0.lock().unwrap().push((stream, bytes.to_vec()));
    }
}

fn both_streams_are_captured_apart() {
    let outcome = run(guest!(chatter), Sandbox::new().args(["1500", "stderr"]));
    assert_eq!(outcome.stderr.bytes.len(), 1500);
    assert_eq!(outcome.stdout.bytes, b"");
}

fn a_capture_keeps_the_first_bytes_and_counts_the_rest() {
    let limits = Limits { stdout_bytes: 10_000, ..Limits::default() };
    let outcome = run(guest!(chatter), Sandbox::new().arg("25000").limits(limits));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(outcome.stdout.bytes.len(), 10_000);
    assert_eq!(outcome.stdout.dropped, 15_000);
    assert!(outcome.stdout.to_string().ends_with("\n[15000 more bytes were dropped]"));
    assert_eq!(outcome.stderr.marker(), None);
}

fn a_sink_gets_every_byte_in_order_and_beyond_the_bound() {
    let recorder = Arc::new(Recorder::default());
    let limits = Limits { stdout_bytes: 3, ..Limits::default() };
    let sandbox = Sandbox::new().arg("5000").output(Arc::clone(&recorder) as _).limits(limits);
    let outcome = run(guest!(chatter), sandbox);
    let writes = recorder.0.lock().unwrap();
    let bytes: usize = writes.iter().map(|(_, bytes)| bytes.len()).sum();
    assert_eq!(bytes, 5000);
    assert!(writes.iter().all(|(stream, _)| *stream == Stream::Stdout));
    assert_eq!(outcome.stdout.bytes, b"...");
}
