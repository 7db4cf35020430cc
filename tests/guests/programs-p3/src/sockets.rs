//! Connections.

use std::pin::{Pin, pin};

use wasip3::clocks::monotonic_clock;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket};
use wasip3::wit_bindgen::StreamResult;

use crate::streams::{input, print};

fn parse(address: &str) -> Option<IpSocketAddress> {
    let address: std::net::SocketAddrV4 = address.parse().ok()?;
    let [a, b, c, d] = address.ip().octets();
    Some(IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) }))
}

/// Connects to an address, looks a name up or listens, and says what comes of it.
pub async fn connect(address: &str, listen: bool) -> String {
    let Some(address) = parse(address) else {
        let (host, _) = address.rsplit_once(':').expect("ADDRESS:PORT");
        return match wasip3::sockets::ip_name_lookup::resolve_addresses(host.to_owned()).await {
            Ok(_) => "ok".to_owned(),
            Err(error) => format!("{error:?}"),
        };
    };
    let result = match TcpSocket::create(IpAddressFamily::Ipv4) {
        Ok(socket) if listen => socket.bind(address).and_then(|()| socket.listen().map(drop)),
        Ok(socket) => socket.connect(address).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(()) => "ok".to_owned(),
        Err(ErrorCode::AccessDenied) => "PermissionDenied".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

/// Connects, and leads what comes back to where it came from.
pub async fn relay(address: &str) {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).expect("a socket");
    socket.connect(parse(address).expect("ADDRESS:PORT")).await.expect("a connection");
    let (stream, ended) = socket.receive();
    socket.send(stream).await.expect("all sent");
    ended.await.expect("all received");
}

/// How many sockets there are to be had at once.
pub fn many() -> usize {
    let sockets = std::iter::from_fn(|| TcpSocket::create(IpAddressFamily::Ipv4).ok());
    sockets.take(1000).collect::<Vec<_>>().len()
}

/// How many streams of callers.
pub fn many_listeners() -> usize {
    let callers = std::iter::from_fn(|| TcpSocket::create(IpAddressFamily::Ipv4).ok()?.listen().ok());
    callers.take(1000).collect::<Vec<_>>().len()
}

/// Connects as often as it can and keeps `what` of each connection, but not its socket. Says how many there are and why no
/// more, and drops them all when there is a line to read.
pub async fn keep(what: &str, address: &str) {
    let mut kept: Vec<Box<dyn std::any::Any>> = Vec::new();
    let error = loop {
        let socket = match TcpSocket::create(IpAddressFamily::Ipv4) {
            Ok(socket) if kept.len() < 1000 => socket,
            Ok(_) => break ErrorCode::Other(None),
            Err(error) => break error,
        };
        socket.connect(parse(address).expect("ADDRESS:PORT")).await.expect("a connection");
        let (writer, data) = wasip3::wit_stream::new();
        kept.push(match what {
            "receive" => Box::new(socket.receive().0),
            "receive-to-its-end" => Box::new(socket.receive()),
            "send" => {
                drop(socket.send(data));
                Box::new(writer)
            }
            "both" => Box::new((socket.receive(), socket.send(data), writer)),
            _ => panic!("keep what?"),
        });
    };
    print(format!("{} {error:?}\n", kept.len())).await;
    line().await;
    drop(kept);
    // The host has then been told.
    monotonic_clock::wait_for(1_000_000).await;
}

/// Asks a socket that is connected to nobody for what comes, again and again and without a pause.
pub fn receive_for_ever() -> ! {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).expect("a socket");
    loop {
        drop(socket.receive());
    }
}

/// Waits for a line, each time for another one.
async fn line() {
    let (mut reader, _) = wasip3::cli::stdin::read_via_stream();
    while let (StreamResult::Complete(_), byte) = reader.read(Vec::with_capacity(1)).await {
        if byte == b"\n" {
            break;
        }
    }
}

/// Accepts whoever calls, and sends back to each what comes until it ends, to all at once.
pub async fn accept(address: &str) {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).expect("a socket");
    socket.bind(parse(address).expect("ADDRESS:PORT")).expect("an address of its own");
    let mut callers = socket.listen().expect("to listen");
    // The stream is enough.
    drop(socket);
    let mut served: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    loop {
        let mut next = pin!(callers.read(Vec::with_capacity(2)));
        let (_, came) = std::future::poll_fn(|cx| {
            served.retain_mut(|one| one.as_mut().poll(cx).is_pending());
            next.as_mut().poll(cx)
        })
        .await;
        for caller in came {
            served.push(Box::pin(async move {
                let (stream, ended) = caller.receive();
                let sent = caller.send(stream);
                drop(caller);
                let _ = sent.await;
                let _ = ended.await;
            }));
        }
    }
}
