//! A component has sockets if they were granted, and otherwise the right to be told so.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use skrei_runtime::network::{Attempt, DenialRule};
use skrei_runtime::{Ending, Limit, Limits, Network, Outcome, Sandbox};
use skrei_test_guests::{p2, p3};

use crate::grounds::run;

fn connect(guest: &[u8], network: Network, arguments: &[&str]) -> Outcome {
    let sandbox = Sandbox::new().network(network).args(arguments.iter().copied());
    let outcome = run(guest, sandbox);
    assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
    outcome
}

#[test]
fn a_component_that_may_use_sockets_by_its_imports_may_not_by_its_sandbox() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for guest in [p2::connect(), p3::connect()] {
        for (network, rule) in [
            (Network::Denied, DenialRule::NoNetwork),
            (Network::http([&address]).unwrap(), DenialRule::HttpOnly),
        ] {
            for arguments in [&[address.as_str()][..], &["listen", "127.0.0.1:0"]] {
                let outcome = connect(guest, network.clone(), arguments);
                assert_eq!(outcome.stdout.to_string(), "PermissionDenied\n");
                let [denial] = &outcome.usage.network.denials[..] else { panic!("{:?}", outcome.usage) };
                assert_eq!((&denial.attempt, denial.rule), (&Attempt::Sockets, rule));
            }
        }
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn a_name_is_not_looked_up_either() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = format!("localhost:{}", listener.local_addr().unwrap().port());
    for guest in [p2::connect(), p3::connect()] {
        for (network, rule) in [
            (Network::Denied, DenialRule::NoNetwork),
            (Network::http([&name]).unwrap(), DenialRule::HttpOnly),
        ] {
            let outcome = connect(guest, network, &[&name]);
            assert!(!outcome.stdout.to_string().contains("ok"), "{}", outcome.stdout);
            let denials = &outcome.usage.network.denials;
            let lookup = Attempt::Lookup { host: "localhost".parse().unwrap() };
            assert!(
                denials.iter().any(|denial| denial.attempt == lookup && denial.rule == rule),
                "{denials:?}"
            );
        }
        let outcome = connect(guest, Network::Full, &[&name]);
        assert_eq!(outcome.stdout.to_string(), "ok\n");
        let outcome = connect(guest, Network::Full, &["no-such-host.invalid:80"]);
        assert!(!outcome.stdout.to_string().contains("ok"), "{}", outcome.stdout);
        assert_eq!(outcome.usage.network.denied, 0);
    }
}

#[test]
fn a_component_with_the_whole_network_connects_and_listens_whoever_polls_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    for guest in [p2::connect(), p3::connect()] {
        for arguments in [&[address.as_str()][..], &["listen", "127.0.0.1:0"]] {
            let outcome = connect(guest, Network::Full, arguments);
            assert_eq!(outcome.stdout.to_string(), "ok\n");
            assert_eq!(outcome.usage.network.denied, 0);
        }
        drop(listener.accept().unwrap());
    }
}

#[test]
fn a_component_that_may_listen_somewhere_is_called_there_and_calls_nobody() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let other_address = other.local_addr().unwrap().to_string();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for guest in [p2::connect(), p3::connect()] {
        let said = |arguments: &[&str]| {
            let outcome = run(guest, Sandbox::new().listen([free]).args(arguments.iter().copied()));
            (outcome.stdout.to_string(), outcome.usage.network.denials)
        };
        assert_eq!(said(&["listen", &free.to_string()]), ("ok\n".to_owned(), Vec::new()));
        for refused in [&[other_address.as_str()][..], &["listen", "127.0.0.1:0"], &["listen", "0.0.0.0:0"]] {
            let (said, denials) = said(refused);
            assert_eq!(said, "PermissionDenied\n", "{refused:?}");
            assert_eq!(denials[0].rule, DenialRule::NoNetwork, "{refused:?}");
        }
        assert!(!said(&["localhost:80"]).0.contains("ok"), "no name is looked up");
    }
    other.set_nonblocking(true).unwrap();
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// A server that sends without end, and takes without end, as fast as there is something; how many bytes it took.
fn flood() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let all = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&all);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut taking, count) = (stream.try_clone().unwrap(), Arc::clone(&count));
            // Both end when the guest is gone.
            thread::spawn(move || while stream.write_all(&[b'x'; 256 << 10]).is_ok() {});
            thread::spawn(move || {
                let mut taken = [0; 256 << 10];
                while let Ok(bytes @ 1..) = taking.read(&mut taken) {
                    count.fetch_add(bytes, Ordering::Relaxed);
                }
            });
        }
    });
    (address, all)
}

#[test]
fn a_guest_whose_sockets_are_connected_to_each_other_ends_in_time() {
    let (time, processor_time) = (Duration::from_secs(1), Duration::from_millis(250));
    for (limits, limit, most) in [
        (Limits { wall_time: Some(time), ..Limits::default() }, Limit::WallTime, time),
        (Limits { cpu_time: Some(processor_time), ..Limits::default() }, Limit::CpuTime, processor_time),
    ] {
        let (address, taken) = flood();
        let sandbox = Sandbox::new().network(Network::Full).arg(&address).limits(limits);
        let outcome = run(p3::relay(), sandbox);
        assert_eq!(outcome.ending, Ending::HitLimit(limit), "{}", outcome.stderr);
        assert!(taken.load(Ordering::Relaxed) > 0, "nothing went through");
        // What it computes beyond its end is its own doing, however late a busy machine lets it.
        let used = outcome.usage.cpu_time;
        assert!(used < most + Duration::from_millis(150), "{used:?}");
    }
}

#[test]
fn what_goes_from_socket_to_socket_arrives_whole() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let sent: Vec<u8> = (0..3_000_000_u32).map(|number| (number * 7 / 3) as u8).collect();
    let sending = sent.clone();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut writer: TcpStream = stream.try_clone().unwrap();
        let writing = thread::spawn(move || {
            writer.write_all(&sending).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        writing.join().unwrap();
        back
    });
    let outcome = run(p3::relay(), Sandbox::new().network(Network::Full).arg(address));
    assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
    assert!(server.join().unwrap() == sent);
}
