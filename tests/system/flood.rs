//! Very many connections of those who want nothing, while others are served.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use skrei_protocol::client::Client;
use skrei_tls::Trust;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

use super::harness::{Orchestrator, PATIENCE};

/// Connections that lie idle.
const IDLE: usize = 10_000;

/// Connections whose handshake was begun and is never gone on with.
const SLOW: usize = 2_000;

/// Files of this process that the tests beside this one may need.
const SPARE: u64 = 1_500;

/// Whether this process may open so many files; it is said if it may not. What it starts may, too.
#[expect(clippy::print_stderr, reason = "whoever runs the tests is to see what was not tested")]
fn may_open(files: usize) -> bool {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = u64::try_from(files).unwrap() + SPARE;
    if maximum.is_some_and(|maximum| maximum < wanted) {
        eprintln!(
            "SKIPPED: {files} connections take a hard limit of {wanted} open files (ulimit -Hn), and it is {maximum:?}"
        );
        return false;
    }
    if current.is_some_and(|current| current < wanted) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).unwrap();
    }
    true
}

/// A connection from one of many addresses of this machine: one address is not let have so many. Its ports are none that the
/// system gives to others, so that no test beside this one finds the port taken that it was about to take.
async fn connect(number: usize, from: u16, port: u16) -> io::Result<TcpStream> {
    let (last, of_address) = (u8::try_from(number % 50).unwrap(), u16::try_from(number / 50).unwrap());
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 1, last + 1), from + of_address)))?;
    socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await
}

/// So many connections from ports that begin with this one, a few hundred at a time.
async fn many(count: usize, from: u16, port: u16, said: &'static [u8], answered: bool) -> Vec<TcpStream> {
    let mut beginning = JoinSet::new();
    let mut open = Vec::with_capacity(count);
    for number in 0..count {
        beginning.spawn(async move {
            let mut stream = connect(number, from, port).await.unwrap();
            stream.write_all(said).await.unwrap();
            if answered {
                stream.read_u8().await.unwrap();
            }
            stream
        });
        if beginning.len() >= 200 {
            open.extend(beginning.join_next().await.map(Result::unwrap));
        }
    }
    while let Some(stream) = beginning.join_next().await {
        open.push(stream.unwrap());
    }
    open
}

/// Whether the other side still holds it.
fn is_open(stream: &TcpStream) -> bool {
    loop {
        match stream.try_read(&mut [0; 1024]) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// New clients, each of which is answered.
async fn is_served(endpoint: &str, trust: &Trust) {
    for _ in 0..20 {
        let client = Client::trusting(endpoint, trust).unwrap();
        tokio::time::timeout(PATIENCE, client.alive()).await.expect("in time").expect("an answer");
    }
}

fn threads(pid: u32) -> usize {
    Path::new(&format!("/proc/{pid}/task")).read_dir().unwrap().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_idle_connections_keep_nobody_from_being_served() {
    if !may_open(IDLE) {
        return;
    }
    let orchestrator = Orchestrator::start(&[]);
    let before = threads(orchestrator.pid());
    let asked = b"GET /api/v1/agent/alive HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let idle = many(IDLE, 20_000, orchestrator.api_port(), asked, true).await;
    is_served(&format!("http://127.0.0.1:{}", orchestrator.api_port()), &Trust::default()).await;
    let open = idle.iter().filter(|stream| is_open(stream)).count();
    assert!(open > IDLE * 9 / 10, "{open} of {IDLE} were still there");
    assert!(threads(orchestrator.pid()) < before + 64, "no thread for each");
    assert!(!orchestrator.log().contains("ERROR"), "{}", orchestrator.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_are_never_gone_on_with_hold_up_nobody_and_end() {
    if !may_open(SLOW) {
        return;
    }
    let orchestrator = Orchestrator::start_with(&[], &["--self-signed"]);
    let ca_file = Some(orchestrator.data_dir().join("tls/ca.pem"));
    // The head of a record that says it is longer than what comes.
    let begun = b"\x16\x03\x01\x02\x00\x01";
    let slow = many(SLOW, 21_000, orchestrator.api_port(), begun, false).await;
    let endpoint = format!("https://localhost:{}", orchestrator.api_port());
    is_served(&endpoint, &Trust { ca_file, ..Trust::default() }).await;
    let ended = async {
        while slow.iter().any(is_open) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.expect("each has ten seconds");
    assert!(!orchestrator.log().contains("ERROR"), "{}", orchestrator.log());
}
