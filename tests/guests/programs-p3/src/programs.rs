//! The programs, each as its namesake for the other versions.

use wasip3::cli::{environment, exit};
use wasip3::clocks::monotonic_clock;
use wasip3::sockets::types::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket};

use crate::streams::{input, print, print_error};
use crate::{files, probe, requests};

const MEGABYTE: usize = 1 << 20;

pub async fn run(name: &str, arguments: &[&str]) -> Result<(), ()> {
    match (name, arguments) {
        ("append", [path, ..]) => files::append_line(path).await,
        ("chatter", [bytes, rest @ ..]) => {
            let bytes = bytes.parse().expect("a number of bytes");
            chatter(bytes, rest.first() == Some(&"stderr")).await;
        }
        ("connect", ["many"]) => print(format!("{} {}\n", many(), many())).await,
        ("connect", [address]) => print(format!("{}\n", connect(address, false).await)).await,
        ("connect", ["listen", address]) => print(format!("{}\n", connect(address, true).await)).await,
        ("echo", _) => input(async |bytes| print(bytes).await).await,
        ("env", _) => {
            for argument in environment::get_arguments() {
                print(format!("arg: {argument}\n")).await;
            }
            for (name, value) in environment::get_environment() {
                print(format!("env: {name}={value}\n")).await;
            }
        }
        ("exit", [code, ..]) => {
            print(format!("exiting with {code}\n")).await;
            exit::exit_with_code(code.parse().expect("an exit code"));
        }
        ("fail", _) => return Err(()),
        ("grow", _) => grow(arguments.first() == Some(&"abort")).await,
        ("noop", _) => print("hello\n").await,
        ("pipe", [from, to]) => files::pipe(from, to).await,
        ("probe", operations) => probe::run(operations).await,
        ("relay", [address]) => relay(address).await,
        ("request", arguments) => requests::run(arguments).await,
        ("sleep", [millis, ..]) => {
            let millis: u64 = millis.parse().expect("milliseconds");
            monotonic_clock::wait_for(millis * 1_000_000).await;
            print("awake\n").await;
        }
        ("spin", _) => {
            let mut turns = 0_u64;
            loop {
                turns = std::hint::black_box(turns.wrapping_add(1));
            }
        }
        ("trap", _) => outer(2),
        _ => panic!("no such program, or not with these arguments"),
    }
    Ok(())
}

async fn chatter(total: usize, stderr: bool) {
    let mut written = 0;
    while written < total {
        let chunk = vec![b'.'; 1000.min(total - written)];
        written += chunk.len();
        if stderr { print_error(chunk).await } else { print(chunk).await }
    }
}

async fn grow(abort: bool) {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if abort {
            block.reserve_exact(MEGABYTE);
        } else if block.try_reserve_exact(MEGABYTE).is_err() {
            break;
        }
        block.resize(MEGABYTE, 1_u8);
        taken.push(std::hint::black_box(block));
    }
    let megabytes = taken.len();
    drop(taken);
    print(format!("took {megabytes} MB\n")).await;
}

async fn connect(address: &str, listen: bool) -> String {
    let address: std::net::SocketAddrV4 = match address.parse() {
        Ok(address) => address,
        Err(_) => {
            let (host, _) = address.rsplit_once(':').expect("ADDRESS:PORT");
            return match wasip3::sockets::ip_name_lookup::resolve_addresses(host.to_owned()).await {
                Ok(_) => "ok".to_owned(),
                Err(error) => format!("{error:?}"),
            };
        }
    };
    let [a, b, c, d] = address.ip().octets();
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) });
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
async fn relay(address: &str) {
    let address: std::net::SocketAddrV4 = address.parse().expect("ADDRESS:PORT");
    let [a, b, c, d] = address.ip().octets();
    let address = Ipv4SocketAddress { port: address.port(), address: (a, b, c, d) };
    let socket = TcpSocket::create(IpAddressFamily::Ipv4).expect("a socket");
    socket.connect(IpSocketAddress::Ipv4(address)).await.expect("a connection");
    let (stream, ended) = socket.receive();
    socket.send(stream).await.expect("all sent");
    ended.await.expect("all received");
}

/// How many sockets there are to be had at once.
fn many() -> usize {
    let sockets = std::iter::from_fn(|| TcpSocket::create(IpAddressFamily::Ipv4).ok());
    sockets.take(1000).collect::<Vec<_>>().len()
}

#[inline(never)]
fn outer(depth: u32) {
    if depth > 0 {
        outer(std::hint::black_box(depth - 1));
    } else {
        core::arch::wasm32::unreachable();
    }
    std::hint::black_box(depth);
}
