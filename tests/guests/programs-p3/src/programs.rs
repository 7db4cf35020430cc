//! The programs, each as its namesake for the other versions.

use wasip3::cli::{environment, exit};
use wasip3::clocks::monotonic_clock;

use crate::streams::{input, print, print_error};
use crate::{files, probe, requests, sockets};

const MEGABYTE: usize = 1 << 20;

pub async fn run(name: &str, arguments: &[&str]) -> Result<(), ()> {
    match (name, arguments) {
        ("append", [path, ..]) => files::append_line(path).await,
        ("chatter", [bytes, rest @ ..]) => {
            let bytes = bytes.parse().expect("a number of bytes");
            chatter(bytes, rest.first() == Some(&"stderr")).await;
        }
        ("connect", ["many"]) => print(format!("{} {}\n", sockets::many(), sockets::many())).await,
        ("connect", ["many", "listeners"]) => {
            print(format!("{} {}\n", sockets::many_listeners(), sockets::many_listeners())).await;
        }
        ("connect", ["receive-for-ever"]) => sockets::receive_for_ever(),
        ("connect", ["accept", address]) => sockets::accept(address).await,
        ("connect", ["keep", what, address]) => {
            for _ in 0..2 {
                sockets::keep(what, address).await;
            }
        }
        ("connect", [address]) => print(format!("{}\n", sockets::connect(address, false).await)).await,
        ("connect", ["listen", address]) => {
            print(format!("{}\n", sockets::connect(address, true).await)).await;
        }
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
        ("relay", [address]) => sockets::relay(address).await,
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

#[inline(never)]
fn outer(depth: u32) {
    if depth > 0 {
        outer(std::hint::black_box(depth - 1));
    } else {
        core::arch::wasm32::unreachable();
    }
    std::hint::black_box(depth);
}
