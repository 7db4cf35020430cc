use std::net::{TcpListener, TcpStream, UdpSocket};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["many"] => {
            let make = || UdpSocket::bind("127.0.0.1:0").ok();
            return println!("{} {}", many(make), many(make));
        }
        ["many", "listeners"] => {
            let make = || TcpListener::bind("127.0.0.1:0").ok();
            return println!("{} {}", many(make), many(make));
        }
        ["accept", address] => return accept(address),
        [address] => TcpStream::connect(address).map(drop),
        ["listen", address] => TcpListener::bind(address).map(drop),
        _ => panic!("[listen] ADDRESS:PORT"),
    };
    match result {
        Ok(()) => println!("ok"),
        Err(error) => println!("{:?}", error.kind()),
    }
}

/// How many sockets there are to be had at once.
fn many<S>(make: impl FnMut() -> Option<S>) -> usize {
    std::iter::from_fn(make).take(1000).collect::<Vec<_>>().len()
}

/// Accepts as many as it can and keeps them until there is a line to read.
fn accept(address: &str) {
    let listener = TcpListener::bind(address).expect("an address of its own");
    let accepted: Vec<_> = std::iter::from_fn(|| listener.accept().ok()).take(1000).collect();
    println!("{}", accepted.len());
    std::io::stdin().read_line(&mut String::new()).expect("a line");
}
