//! A component has so many sockets open and no more, whatever it keeps of them and however they came about.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use skrei_runtime::{CancelToken, Config, Ending, Limits, Network, Outcome, Runtime, Sandbox};
use skrei_test_guests::{p2, p3};
use tokio::io::{AsyncWriteExt as _, DuplexStream};

use crate::grounds::{run, runtime};
use crate::limits::Told;

/// How many of anything that is open a guest of these stories may have.
const MOST: usize = 10;

/// What a guest on WASI 0.3 says that could have so many connections at once.
fn refused_at(most: usize) -> String {
    format!("{most} ErrorCode::Other(Some(\"too many open sockets\"))\n")
}

fn networked(arguments: &[&str]) -> Sandbox {
    Sandbox::new().network(Network::Full).args(arguments.iter().copied())
}

fn limited(arguments: &[&str]) -> Sandbox {
    networked(arguments).limits(Limits { open_files: MOST as u32, ..Limits::default() })
}

/// A guest that is told to go on by a line, and says by one how far it is.
struct Talking {
    input: DuplexStream,
    lines: mpsc::Receiver<()>,
    running: JoinHandle<Outcome>,
}

impl Talking {
    fn start(runtime: &Runtime, guest: &[u8], sandbox: Sandbox) -> Talking {
        let (input, reader) = tokio::io::duplex(64);
        let (told, lines) = mpsc::channel();
        let sandbox = sandbox.stdin_reader(reader).output(Arc::new(Told(told)));
        let module = runtime.load(guest).unwrap();
        let running = thread::spawn(move || module.run_blocking(sandbox).unwrap());
        Talking { input, lines, running }
    }

    /// Returns when it said something.
    fn said(&self) {
        self.lines.recv_timeout(Duration::from_secs(30)).unwrap();
    }

    fn go_on(&mut self) {
        let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
        executor.block_on(self.input.write_all(b"\n")).unwrap();
    }

    fn end(self) -> Outcome {
        self.running.join().unwrap()
    }
}

/// A server that takes every call and hangs up none.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

/// Ends of connections that somebody has open: those at a port, or those that lead to it.
fn open(at: impl Fn(u16, u16) -> bool) -> usize {
    let port = |address: &str| u16::from_str_radix(address.split(':').nth(1).unwrap(), 16).unwrap();
    let is_open = |line: &&str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        // One that nobody has any more, or nobody accepted yet, is no inode.
        columns[9] != "0" && at(port(columns[1]), port(columns[2]))
    };
    let count = |_| fs::read_to_string("/proc/self/net/tcp").unwrap().lines().skip(1).filter(is_open).count();
    // It is read piece by piece: when others come and go meanwhile, some lines are there twice or not at all.
    let mut counts: Vec<usize> = (0..9).map(count).collect();
    counts.sort_unstable();
    counts[counts.len() / 2]
}

fn open_to(server: SocketAddr) -> usize {
    open(|_, remote| remote == server.port())
}

fn open_at(server: SocketAddr) -> usize {
    open(|local, _| local == server.port())
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// So many who call a guest as soon as it is there, each of whom says something and waits for it to come back.
fn callers(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let until = Instant::now() + Duration::from_secs(30);
    let call = || loop {
        match TcpStream::connect(address) {
            Ok(mut caller) => {
                caller.write_all(b"x").unwrap();
                caller.set_nonblocking(true).unwrap();
                return caller;
            }
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        thread::sleep(Duration::from_millis(10));
    };
    (0..count).map(|_| call()).collect()
}

/// Hangs up for those who were served; how many.
fn served(waiting: &mut Vec<TcpStream>) -> usize {
    let is_served = |caller: &mut TcpStream| match caller.read(&mut [0; 1]) {
        Ok(bytes) => {
            assert_eq!(bytes, 1, "a caller is turned away");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            false
        }
    };
    // One that hangs up makes room for another: nobody does until all were looked at.
    waiting.extract_if(.., is_served).collect::<Vec<_>>().len()
}

#[test]
fn sockets_count_as_open_files_until_they_are_dropped() {
    for guest in [p2::connect(), p3::connect()] {
        let outcome = run(guest, limited(&["many"]));
        assert_eq!(outcome.stdout.to_string(), "10 10\n", "{:?} {}", outcome.ending, outcome.stderr);
    }
}

#[test]
fn a_socket_that_others_call_takes_room_for_the_next_of_them_too() {
    for guest in [p2::connect(), p3::connect()] {
        let outcome = run(guest, limited(&["many", "listeners"]));
        assert_eq!(outcome.stdout.to_string(), "5 5\n", "{:?} {}", outcome.ending, outcome.stderr);
    }
}

#[test]
fn a_connection_counts_as_long_as_any_stream_of_it_is_there() {
    for kept in ["receive", "receive-to-its-end", "send", "both"] {
        let server = server();
        let sandbox = limited(&["keep", kept, &server.to_string()]);
        let mut guest = Talking::start(runtime(), p3::connect(), sandbox);
        for _ in 0..2 {
            guest.said();
            assert_eq!(open_to(server), MOST, "{kept}");
            guest.go_on();
        }
        let outcome = guest.end();
        assert_eq!(outcome.stdout.to_string(), refused_at(MOST).repeat(2), "{kept}: {}", outcome.stderr);
    }
}

#[test]
fn all_guests_together_have_so_many_connections_whatever_they_keep_of_them() {
    let most = 6;
    let few = Runtime::new(Config { open_files_max: most, ..Config::default() }).unwrap();
    let server = server();
    let arguments = ["keep", "both", &server.to_string()];
    let mut first = Talking::start(&few, p3::connect(), networked(&arguments));
    first.said();
    let mut second = Talking::start(&few, p3::connect(), networked(&arguments));
    second.said();
    assert_eq!(open_to(server), most as usize);
    // The first has them once more, and then no longer.
    for _ in 0..2 {
        first.go_on();
    }
    let said = first.end().stdout.to_string();
    assert_eq!(said, refused_at(most as usize).repeat(2));
    second.go_on();
    second.said();
    assert_eq!(open_to(server), most as usize);
    second.go_on();
    assert_eq!(second.end().stdout.to_string(), refused_at(0) + &refused_at(most as usize));
}

/// What it does for each of them takes room as well.
#[test]
fn as_many_may_call_a_guest_as_it_may_have_sockets() {
    let (address, token) = (free_address(), CancelToken::new());
    let sandbox = networked(&["accept", &address.to_string()]).cancel(token.clone());
    let guest = Talking::start(runtime(), p3::connect(), sandbox);
    let waiting = callers(address, 240);
    let until = Instant::now() + Duration::from_secs(30);
    while !waiting.iter().all(|caller| caller.peek(&mut [0; 1]).is_ok_and(|bytes| bytes == 1)) {
        assert!(Instant::now() < until, "not all of them are served");
        thread::sleep(Duration::from_millis(10));
    }
    token.cancel();
    assert_eq!(guest.end().ending, Ending::Cancelled);
}

/// Twenty call at once a guest that may have ten things open: one is what they call, and one the next of them.
#[test]
fn those_who_call_a_guest_that_has_no_room_wait_until_there_is_some() {
    let few = Runtime::new(Config { open_files_max: MOST as u32, ..Config::default() }).unwrap();
    for (runtime, makes_limits) in [(runtime(), limited as fn(&[&str]) -> Sandbox), (&few, networked)] {
        let (address, token) = (free_address(), CancelToken::new());
        let sandbox = makes_limits(&["accept", &address.to_string()]).cancel(token.clone());
        let guest = Talking::start(runtime, p3::connect(), sandbox);
        let mut waiting = callers(address, 20);
        // Nobody hangs up until all are served who can be.
        let until = Instant::now() + Duration::from_secs(30);
        let is_served = |caller: &TcpStream| caller.peek(&mut [0; 1]).is_ok();
        while waiting.iter().filter(|caller| is_served(caller)).count() < MOST - 2 {
            assert!(Instant::now() < until, "{waiting:?}");
            thread::sleep(Duration::from_millis(10));
        }
        // The next of them is the host's.
        while open_at(address) != MOST {
            assert!(Instant::now() < until, "{}", open_at(address));
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(served(&mut waiting), MOST - 2);
        while !waiting.is_empty() {
            assert!(Instant::now() < until, "{waiting:?}");
            thread::sleep(Duration::from_millis(10));
            served(&mut waiting);
            assert!(open_at(address) <= MOST);
        }
        token.cancel();
        assert_eq!(guest.end().ending, Ending::Cancelled);
        assert_eq!(open_at(address), 0);
    }
}

#[test]
fn a_guest_on_wasi_0_2_accepts_as_many_as_it_has_room_for() {
    let address = free_address();
    let mut guest = Talking::start(runtime(), p2::connect(), limited(&["accept", &address.to_string()]));
    let _callers = callers(address, 20);
    guest.said();
    assert!(open_at(address) <= MOST, "{}", open_at(address));
    guest.go_on();
    let outcome = guest.end();
    assert_eq!(outcome.stdout.to_string(), format!("{}\n", MOST - 2), "{}", outcome.stderr);
}

#[test]
fn a_guest_that_asks_for_streams_without_a_pause_ends_before_they_fill_the_host() {
    let outcome = run(p3::connect(), networked(&["receive-for-ever"]));
    let Ending::Trapped(trap) = outcome.ending else { panic!("{:?}", outcome.ending) };
    assert!(trap.what.contains("resource table"), "{}", trap.what);
}
