//! The log store: output of executions, live while they run and from the journal afterwards.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use skrei_job::{ExecutionId, Timestamp};
use skrei_protocol::link::{LogChunk, ReadLog, Stream};
use skrei_runtime::OutputSink;
use tokio::{sync::Notify, time::Instant};

use crate::{journal::Journal, output::Recording};

/// Output in one answer: a message stays small, and a reader that is far behind takes turns with others.
const CHUNK_BYTES_MAX: usize = 64 << 10;

/// How long a reader waits for output before it gets an empty answer and asks again.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Output of one execution while it waits or runs.
///
/// The guest appends under a lock that readers hold only to copy one chunk: however slow a reader is, the guest
/// does not wait for it.
#[derive(Debug)]
pub(crate) struct Log {
    state: Mutex<State>,
    changed: Notify,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct State {
    recording: Recording,
    ended: bool,
}

impl Log {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), bytes_max }
    }

    /// Ends the log; gives all there is.
    pub(crate) fn finish(&self) -> Recording {
        let recording = {
            let mut state = self.lock();
            if !state.ended {
                state.ended = true;
                state.recording.finish(now());
            }
            state.recording.clone()
        };
        self.changed.notify_waiters();
        recording
    }

    /// Output from where the request says on; waits for some if there is none, the log has not ended, and the request says
    /// so, too.
    pub(crate) async fn read(&self, request: &ReadLog) -> LogChunk {
        let until = Instant::now() + WAIT_MAX;
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let chunk = {
                let state = self.lock();
                page(&state.recording, request, state.ended)
            };
            let nothing_yet = chunk.pieces.is_empty() && !chunk.end;
            if !(request.wait && nothing_yet) || tokio::time::timeout_at(until, changed).await.is_err() {
                return chunk;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutputSink for Log {
    fn write(&self, stream: skrei_runtime::Stream, bytes: &[u8]) {
        let stream = match stream {
            skrei_runtime::Stream::Stdout => Stream::Out,
            skrei_runtime::Stream::Stderr => Stream::Err,
        };
        self.lock().recording.write(stream, bytes, now(), self.bytes_max);
        self.changed.notify_waiters();
    }
}

/// Logs of all executions a node knows.
#[derive(Debug)]
pub(crate) struct LogStore {
    live: Mutex<BTreeMap<ExecutionId, Arc<Log>>>,
    journal: Arc<Journal>,
    bytes_max: usize,
}

impl LogStore {
    pub(crate) fn new(journal: Arc<Journal>, bytes_max: usize) -> Self {
        Self { live: Mutex::default(), journal, bytes_max }
    }

    /// Begins the log of an execution.
    pub(crate) fn begin(&self, execution: &ExecutionId) -> Arc<Log> {
        let log = Arc::new(Log::new(self.bytes_max));
        self.live().insert(execution.clone(), Arc::clone(&log));
        log
    }

    /// Lets go of a log: from here on it is read from the journal.
    pub(crate) fn forget(&self, execution: &ExecutionId) {
        self.live().remove(execution);
    }

    /// Answers a reader.
    pub(crate) async fn read(&self, request: &ReadLog) -> Result<LogChunk, String> {
        let execution = &request.execution;
        let live = self.live().get(execution).cloned();
        if let Some(log) = live {
            return Ok(log.read(request).await);
        }
        match self.journal.output(execution).await {
            Ok(Some(recording)) => Ok(page(&recording, request, true)),
            Ok(None) => Err(format!("this node has no log of execution `{execution}`")),
            Err(error) => Err(format!("the log of execution `{execution}` cannot be read: {error}")),
        }
    }

    fn live(&self) -> MutexGuard<'_, BTreeMap<ExecutionId, Arc<Log>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a recording has for a reader.
fn page(recording: &Recording, request: &ReadLog, ended: bool) -> LogChunk {
    let earliest = request.since.map_or(0, |time| recording.since(time));
    recording.chunk(request.from.max(earliest), CHUNK_BYTES_MAX, ended)
}

/// The time by this machine's clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
