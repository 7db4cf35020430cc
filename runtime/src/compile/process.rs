//! A process that compiles one module, with little to use up and little time.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::serve::{Answer, Request};
use crate::engine::Room;
use crate::{Config, load};

/// Code is so many times as large as its module, at most. It is about four times as a rule.
const CODE_PER_MODULE_MAX: u64 = 64;

/// The program that compiles large modules in a process of its own, so that a hostile one costs no more than it may.
///
/// The program calls [`serve_compiler`](crate::serve_compiler) and does nothing else; a program may be its own
/// compiler, behind an argument. It is given an empty environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompilerProcess {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The smallest module to be compiled so, in bytes. Default 128 KiB: what is smaller is compiled sooner than a
    /// process is started.
    pub module_bytes_min: usize,
    /// How long it may take. Default 5 min: the largest module takes more than a minute of processor time, and
    /// compiling gives way to everything else.
    pub time_max: Duration,
    /// How much memory it may have, in bytes. Default 2 GiB.
    pub memory_bytes: u64,
}

impl CompilerProcess {
    /// A compiler with the defaults.
    pub fn new(program: impl Into<PathBuf>) -> CompilerProcess {
        CompilerProcess {
            program: program.into(),
            args: Vec::new(),
            module_bytes_min: 128 << 10,
            time_max: Duration::from_secs(300),
            memory_bytes: 2 << 30,
        }
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<String>) -> CompilerProcess {
        self.args.push(arg.into());
        self
    }

    /// The code of a module or component in the binary format.
    pub(super) fn compile(&self, config: &Config, room: Room, wasm: &[u8]) -> Result<Vec<u8>, load::Error> {
        let request = Request::new(config, room, self.memory_bytes);
        let answer_max = (wasm.len() as u64).saturating_mul(CODE_PER_MODULE_MAX);
        match self.answer(&request, wasm, answer_max) {
            Ok(answer) => match Answer::parse(answer) {
                Some(Answer::Code(code)) => Ok(code),
                Some(Answer::Invalid(message)) => Err(load::Error::Invalid { message }),
                None => Err(self.failed("it gave no answer")),
            },
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                Err(load::Error::CompileTime { time_max: self.time_max })
            }
            Err(error) => Err(self.failed(&error.to_string())),
        }
    }

    fn failed(&self, what: &str) -> load::Error {
        load::Error::Compiler {
            message: format!("with {} bytes of memory at most: {what}", self.memory_bytes),
        }
    }

    fn answer(&self, request: &Request, wasm: &[u8], answer_max: u64) -> io::Result<Vec<u8>> {
        let mut child = Command::new(&self.program)
            .args(&self.args)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!("`{}` cannot be started: {error}", self.program.display()),
                )
            })?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            unreachable!("both are pipes");
        };
        let answer = thread::scope(|scope| {
            scope.spawn(|| ask(stdin, request, wasm));
            let (said, answer) = mpsc::channel();
            scope.spawn(move || said.send(read(stdout, answer_max)));
            let answer = answer.recv_timeout(self.time_max);
            if answer.is_err() {
                // Ends both threads, too.
                let _ = child.kill();
            }
            answer.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        });
        let ended = finish(child);
        match answer {
            Err(error) if error.kind() == io::ErrorKind::TimedOut => Err(error),
            answer => ended.and(answer),
        }
    }
}

/// A process that ends early says why by itself.
fn ask(mut stdin: ChildStdin, request: &Request, wasm: &[u8]) {
    let _ = stdin.write_all(&request.to_bytes()).and_then(|()| stdin.write_all(wasm));
}

fn read(stdout: ChildStdout, answer_max: u64) -> io::Result<Vec<u8>> {
    let mut answer = Vec::new();
    stdout.take(answer_max).read_to_end(&mut answer)?;
    Ok(answer)
}

/// What a process said counts if it ended well.
fn finish(mut child: Child) -> io::Result<()> {
    let status = child.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("the compiler ended with {status}"))) }
}
