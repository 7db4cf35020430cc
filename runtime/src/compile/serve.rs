//! The compiler's own side: one module in, its code out.

use std::io::{self, Read, Write};

use rustix::process::{Resource, Rlimit, Signal, nice, set_parent_process_death_signal, setrlimit};

use crate::engine::Room;
use crate::{Config, engine};

/// Compiling gives way to guests that run.
const NICE: i32 = 10;

/// The kinds of room, by their numbers in a request.
const ROOMS: [Room; 3] = [Room::Pooled, Room::Concurrent, Room::OnDemand];

/// What the code depends on, and what the process may use: four numbers of eight bytes, little-endian.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    stack_bytes: u64,
    memory_bytes: u64,
    is_parallel: bool,
    room: Room,
}

impl Request {
    const BYTES: usize = 32;

    pub(super) fn new(config: &Config, room: Room, memory_bytes: u64) -> Request {
        Request {
            stack_bytes: config.stack_bytes as u64,
            memory_bytes,
            is_parallel: config.parallel_compilation,
            room,
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let room = ROOMS.iter().position(|room| *room == self.room).unwrap_or_default() as u64;
        let numbers = [self.stack_bytes, self.memory_bytes, self.is_parallel.into(), room];
        numbers.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    fn parse(bytes: [u8; Self::BYTES]) -> Request {
        let mut numbers = bytes.as_chunks().0.iter().map(|&number| u64::from_le_bytes(number));
        let mut next = || numbers.next().unwrap_or_default();
        Request {
            stack_bytes: next(),
            memory_bytes: next(),
            is_parallel: next() != 0,
            // Whoever asks is this program itself.
            room: ROOMS[usize::try_from(next()).unwrap_or(0).min(ROOMS.len() - 1)],
        }
    }
}

/// What the compiler says: a byte for the kind, then what there is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Code(Vec<u8>),
    Invalid(String),
}

impl Answer {
    pub(super) fn parse(mut bytes: Vec<u8>) -> Option<Answer> {
        let kind = *bytes.first()?;
        bytes.drain(..1);
        match kind {
            b'c' => Some(Answer::Code(bytes)),
            b'i' => Some(Answer::Invalid(String::from_utf8_lossy(&bytes).into_owned())),
            _ => None,
        }
    }

    fn write(&self, output: &mut impl Write) -> io::Result<()> {
        let (kind, bytes) = match self {
            Answer::Code(code) => (b'c', code.as_slice()),
            Answer::Invalid(message) => (b'i', message.as_bytes()),
        };
        output.write_all(&[kind])?;
        output.write_all(bytes)?;
        output.flush()
    }
}

/// Compiles the one module or component that comes on standard input, for a [`CompilerProcess`](crate::CompilerProcess), and says
/// so on standard output.
///
/// To be called first thing by a program of its own: it gives up memory and priority for good, and ends with the
/// process that started it.
///
/// # Errors
/// Standard input is no request, the limits cannot be set, or nobody reads the answer.
pub fn serve() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    nice(NICE)?;
    serve_on(&mut io::stdin().lock(), &mut io::stdout().lock(), |memory_bytes| {
        let most = Some(memory_bytes);
        Ok(setrlimit(Resource::Data, Rlimit { current: most, maximum: most })?)
    })
}

fn serve_on(
    input: &mut impl Read,
    output: &mut impl Write,
    limit_memory: impl FnOnce(u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut request = [0; Request::BYTES];
    input.read_exact(&mut request)?;
    let request = Request::parse(request);
    limit_memory(request.memory_bytes)?;
    let mut wasm = Vec::new();
    input.read_to_end(&mut wasm)?;
    answer(&request, &wasm)?.write(output)
}

fn answer(request: &Request, wasm: &[u8]) -> io::Result<Answer> {
    let config = Config {
        guests_max: 1,
        stack_bytes: usize::try_from(request.stack_bytes).map_err(io::Error::other)?,
        parallel_compilation: request.is_parallel,
        ..Config::default()
    };
    let engine = engine::new(&config, request.room).map_err(io::Error::other)?;
    let code = if super::is_component(wasm) {
        engine.precompile_component(wasm)
    } else {
        engine.precompile_module(wasm)
    };
    match code {
        Ok(code) => Ok(Answer::Code(code)),
        Err(error) => Ok(Answer::Invalid(format!("{error:#}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(wasm: &[u8]) -> Answer {
        let config = Config { parallel_compilation: false, ..Config::default() };
        let mut input = Request::new(&config, Room::Pooled, 5).to_bytes();
        input.extend(wasm);
        let (mut output, mut limit) = (Vec::new(), 0);
        serve_on(&mut input.as_slice(), &mut output, |bytes| {
            limit = bytes;
            Ok(())
        })
        .unwrap();
        assert_eq!(limit, 5);
        Answer::parse(output).unwrap()
    }

    #[test]
    fn code_of_another_process_runs_in_this_ones_engine() {
        let Answer::Code(code) = served(skrei_test_guests::noop()) else { panic!("no code") };
        let engine = engine::new(&Config::default(), Room::Pooled).unwrap();
        super::super::from_code(&engine, false, &code).unwrap();
    }

    #[test]
    fn what_is_no_module_is_said_so() {
        let Answer::Invalid(message) = served(b"\0asm\x01\0\0\0\xff") else { panic!("no message") };
        assert!(!message.is_empty());
    }

    #[test]
    fn a_request_comes_back_from_its_bytes() {
        let request =
            Request { stack_bytes: 1, memory_bytes: u64::MAX, is_parallel: true, room: Room::OnDemand };
        assert_eq!(Request::parse(request.to_bytes().try_into().unwrap()), request);
    }
}
