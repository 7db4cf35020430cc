//! Connections: how many there may be, and what becomes of those who only hold on to one.

use std::time::Duration;

use skrei_protocol::client::LogQuery;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::harness::{Orchestrator, PATIENCE, job, known};

async fn connect(orchestrator: &Orchestrator) -> TcpStream {
    let address = orchestrator.api.strip_prefix("http://").unwrap().strip_suffix("/api/v1").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Whether the other side closes, soon.
async fn is_closed(stream: &mut TcpStream, within: Duration) -> bool {
    matches!(tokio::time::timeout(within, stream.read_u8()).await, Ok(Err(_)))
}

/// Asks on a connection, which may be one too many.
async fn is_answered(stream: &mut TcpStream) -> bool {
    let asked = b"GET /api/v1/agent/alive HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(asked).await.is_ok()
        && tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_client_has_so_many_connections_and_a_log_that_is_followed_is_one_of_them() {
    let directory = tempfile::tempdir().unwrap();
    // A quarter of them for one client.
    let orchestrator = Orchestrator::start_with(directory.path(), |config| config.connections = 16).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("service")).await;
    node.assignment().await;
    let follow = LogQuery { follow: true, ..LogQuery::default() };
    let (one, _other) = (
        orchestrator.client.logs(&id, &follow).await.unwrap(),
        orchestrator.client.logs(&id, &follow).await.unwrap(),
    );
    // The harness has a client of its own, with a connection or two.
    let mut open = Vec::new();
    loop {
        let mut next = connect(&orchestrator).await;
        if !is_answered(&mut next).await {
            break;
        }
        open.push(next);
        assert!(open.len() <= 2, "four in all, and two of them are logs");
    }
    // It is there again when the log is read no more.
    drop(one);
    let free = async { while !is_answered(&mut connect(&orchestrator).await).await {} };
    tokio::time::timeout(PATIENCE, free).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_connects_and_asks_for_nothing_is_not_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let (mut silent, mut slow) = (connect(&orchestrator).await, connect(&orchestrator).await);
    slow.write_all(b"GET /api/v1/agent/alive HTTP/1.1\r\nHost: loc").await.unwrap();
    let mut asks = connect(&orchestrator).await;
    assert!(is_answered(&mut asks).await);
    let patience = Duration::from_secs(40);
    let (silent, slow) = tokio::join!(is_closed(&mut silent, patience), is_closed(&mut slow, patience));
    assert!(silent && slow);
    assert!(is_answered(&mut asks).await, "whoever has asked for something may ask again");
}

/// Those that a link has become count as well.
#[tokio::test(flavor = "multi_thread")]
async fn the_links_of_a_node_are_among_its_connections() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let identity = orchestrator.identity("a").await;
    let mut open = Vec::new();
    for _ in 0..64 {
        open.push(orchestrator.dial(known(&identity)).await);
    }
    let Ok(mut stream) = orchestrator.connect(known(&identity)).await else { return };
    let _ = stream.write_all(b"GET /link/v1 HTTP/1.1\r\nHost: o\r\n\r\n").await;
    assert!(tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap().is_err());
    assert_eq!(open.len(), 64);
}
