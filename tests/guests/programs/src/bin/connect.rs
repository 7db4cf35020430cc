use std::net::{TcpListener, TcpStream};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments == ["many"] {
        return println!("{} {}", many(), many());
    }
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
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
fn many() -> usize {
    let sockets = std::iter::from_fn(|| TcpListener::bind("127.0.0.1:0").ok());
    sockets.take(1000).collect::<Vec<_>>().len()
}
