//! Where the results of an execution are until they are published.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use skrei_job::spec::ResultPath;
use skrei_runtime::{OutputSink, Stream};
use tempfile::TempDir;

use crate::folder;

/// The most that is kept of one stream's output, in bytes, as in Bacalhau.
const STREAM_BYTES_MAX: u64 = 1 << 30;

/// The results of one execution: an empty directory of the node's own for each result path, mounted at its path
/// and at its name, and what the guest wrote to both streams if that is published, too. They are there from before the
/// guest starts until this is dropped, which removes them; whoever publishes them takes this out of
/// [`Kept`](crate::prepare::Kept) and drops it afterwards. What a node that was killed left is removed when it starts.
#[derive(Debug)]
pub(crate) struct Results {
    directories: Vec<Directory>,
    output: Option<Arc<Output>>,
    /// Holds them.
    folder: TempDir,
}

/// The directory behind one result path.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The result path.
    pub(crate) of: ResultPath,
    /// Where the node has it.
    pub(crate) path: PathBuf,
}

/// What a guest wrote to one stream.
#[derive(Debug)]
pub(crate) struct StreamFile {
    /// `stdout` or `stderr`.
    pub(crate) name: &'static str,
    /// Open at its beginning.
    pub(crate) file: File,
}

impl Results {
    /// Makes the directories, in a folder of their own beneath `results_dir`. With `output_bytes`, as many bytes of each
    /// stream are kept, too.
    pub(crate) fn make(
        results_dir: &Path,
        paths: &[ResultPath],
        output_bytes: Option<u64>,
    ) -> io::Result<Self> {
        let folder = folder::private(results_dir)?;
        let make = |(number, of): (usize, &ResultPath)| {
            let path = folder.path().join(number.to_string());
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            Ok(Directory { of: of.clone(), path })
        };
        let directories = paths.iter().enumerate().map(make).collect::<io::Result<_>>()?;
        let output = match output_bytes {
            Some(bytes) => Some(Arc::new(Output::make(folder.path(), bytes.min(STREAM_BYTES_MAX))?)),
            None => None,
        };
        Ok(Self { directories, output, folder })
    }

    /// One for each result path, in the order of the job.
    pub(crate) fn directories(&self) -> &[Directory] {
        &self.directories
    }

    /// Takes the guest's output, if it is kept.
    pub(crate) fn output(&self) -> Option<Arc<Output>> {
        self.output.clone()
    }

    /// What the guest wrote, once it is done.
    ///
    /// # Errors
    /// If it could not all be written to the disk.
    pub(crate) fn output_files(&self) -> io::Result<Vec<StreamFile>> {
        let Some(output) = &self.output else { return Ok(Vec::new()) };
        let open = |(name, kept): (&'static str, &Mutex<Kept>)| {
            kept.lock().unwrap_or_else(PoisonError::into_inner).finish()?;
            Ok(StreamFile { name, file: File::open(self.folder.path().join(name))? })
        };
        [(STDOUT, &output.stdout), (STDERR, &output.stderr)].into_iter().map(open).collect()
    }
}

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// Both streams of a guest on their way to the disk.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: Mutex<Kept>,
    stderr: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    file: BufWriter<File>,
    room: u64,
    dropped: u64,
    failed: Option<io::Error>,
}

impl Output {
    fn make(folder: &Path, bytes_max: u64) -> io::Result<Self> {
        let make = |name| {
            let file = BufWriter::new(File::create_new(folder.join(name))?);
            Ok::<_, io::Error>(Mutex::new(Kept { file, room: bytes_max, dropped: 0, failed: None }))
        };
        Ok(Self { stdout: make(STDOUT)?, stderr: make(STDERR)? })
    }
}

impl OutputSink for Output {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let kept = match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        };
        kept.lock().unwrap_or_else(PoisonError::into_inner).write(bytes);
    }
}

impl Kept {
    fn write(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let (kept, rest) = bytes.split_at(room.min(bytes.len()));
        self.room -= kept.len() as u64;
        self.dropped += rest.len() as u64;
        if self.failed.is_none() {
            self.failed = self.file.write_all(kept).err();
        }
    }

    /// Says at the end how much was dropped, as the log does.
    fn finish(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if self.dropped > 0 {
            write!(self.file, "\n[{} more bytes were dropped]\n", std::mem::take(&mut self.dropped))?;
        }
        self.file.flush()
    }
}

/// Hands output on to the log, and to the results if it is published.
pub(crate) struct Tee {
    pub(crate) log: Arc<dyn OutputSink>,
    pub(crate) results: Option<Arc<Output>>,
}

impl OutputSink for Tee {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        self.log.write(stream, bytes);
        if let Some(results) = &self.results {
            results.write(stream, bytes);
        }
    }
}
