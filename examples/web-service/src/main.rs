//! Answers HTTP requests: the files of a directory, and a word about itself at `/health`.

use std::{
    fs,
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Component, Path, PathBuf},
    time::Duration,
};

/// The most that the head of a request may have, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// How long a caller may be silent: others wait meanwhile.
const SILENCE_MAX: Duration = Duration::from_secs(5);

#[skrei::main]
fn main(port: u16, site: Option<PathBuf>) -> skrei::Result {
    let site = site.unwrap_or_else(|| "/site".into());
    let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| format!("port {port}: {error}"))?;
    skrei::log::info("listening", &[("port", &port)]);
    let mut answered = 0_u64;
    loop {
        // One after the other: a guest has one thread. Who goes away in between is no reason to end.
        match listener.accept().and_then(|(stream, _)| serve(stream, &site, answered)) {
            Ok(()) => answered += 1,
            Err(error) => skrei::log::warn("not answered", &[("why", &error)]),
        }
        skrei::progress(0.0, &format!("{answered} answered"));
    }
}

fn serve(mut stream: TcpStream, site: &Path, answered: u64) -> io::Result<()> {
    stream.set_read_timeout(Some(SILENCE_MAX))?;
    stream.set_write_timeout(Some(SILENCE_MAX))?;
    let head = head(&mut stream)?;
    let (status, kind, body) = answer(&head, site, answered);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    )?;
    stream.write_all(&body)?;
    stream.flush()
}

/// The request up to its empty line.
fn head(stream: &mut impl Read) -> io::Result<String> {
    let (mut head, mut piece) = (Vec::new(), [0; 1024]);
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut piece)?;
        if read == 0 || head.len() + read > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&piece[..read]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

type Answer = (&'static str, &'static str, Vec<u8>);

fn answer(head: &str, site: &Path, answered: u64) -> Answer {
    let mut words = head.split_whitespace();
    let path = match (words.next(), words.next()) {
        (Some("GET"), Some(path)) => path,
        _ => return ("405 Method Not Allowed", "text/plain", b"GET, and nothing else\n".to_vec()),
    };
    if path == "/health" {
        return ("200 OK", "text/plain", format!("well, {answered} answered\n").into_bytes());
    }
    let path = Path::new(path.trim_start_matches('/'));
    // The sandbox lets nothing else be read; whoever asks for more is told so.
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    let file = if path.as_os_str().is_empty() { site.join("index.html") } else { site.join(path) };
    match fs::read(&file) {
        Ok(content) if is_below => ("200 OK", kind(&file), content),
        _ => ("404 Not Found", "text/plain", b"there is no such page\n".to_vec()),
    }
}

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_answered_and_nothing_outside_the_site() {
        let status = |head: &str| answer(head, Path::new("/none"), 3).0;
        assert_eq!(answer("GET /health HTTP/1.1\r\n\r\n", Path::new("/none"), 3).2, b"well, 3 answered\n");
        assert_eq!(status("GET /../etc/passwd HTTP/1.1"), "404 Not Found");
        assert_eq!(status("POST / HTTP/1.1"), "405 Method Not Allowed");
        assert_eq!(status(""), "405 Method Not Allowed");
    }

    #[test]
    fn a_head_without_end_is_none() {
        assert!(head(&mut &b"GET / HTTP/1.1\r\n"[..]).is_err());
        assert!(head(&mut io::repeat(b'x')).is_err());
        assert_eq!(head(&mut &b"GET / HTTP/1.1\r\n\r\n"[..]).unwrap(), "GET / HTTP/1.1\r\n\r\n");
    }
}
