//! For WASI 0.2 alone.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, Scheme,
};
use wasip2::io::streams::StreamError;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [method, url, rest @ ..] = &arguments[..] else { panic!("METHOD URL [HEADER: VALUE] [BODY]") };
    if method == "hold" {
        return println!("{}", hold(url));
    }
    if method == "words" {
        return println!("{}", words(url.parse().expect("a length")));
    }
    match request(method, url, rest.first(), rest.get(1)) {
        Ok(answer) => print!("{answer}"),
        Err(error) => println!("{error:?}"),
    }
}

fn send(
    method: &str,
    url: &str,
    header: Option<&String>,
    body: Option<&String>,
) -> Result<IncomingResponse, ErrorCode> {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let headers = Fields::new();
    if let Some((name, value)) = header.and_then(|header| header.split_once(": ")) {
        headers.append(name, value.as_bytes()).expect("a header");
    }
    let request = OutgoingRequest::new(headers);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_method(&Method::Other(method.to_owned())).expect("a method");
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    let sent = body.map(|_| request.body().expect("a body"));
    let answer = outgoing_handler::handle(request, None)?;
    if let (Some(sent), Some(body)) = (sent, body) {
        let stream = sent.write().expect("a stream");
        for chunk in body.as_bytes().chunks(4096) {
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
        drop(stream);
        // What is wrong with it is told with the answer.
        let _ = OutgoingBody::finish(sent, None);
    }
    answer.subscribe().block();
    answer.get().expect("an answer").expect("the first time")
}

fn request(
    method: &str,
    url: &str,
    header: Option<&String>,
    body: Option<&String>,
) -> Result<String, ErrorCode> {
    let answer = send(method, url, header, body)?;
    let mut said = format!("status {}\n", answer.status());
    for (name, value) in answer.headers().entries() {
        said += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    let body = answer.consume().expect("a body");
    let stream = body.stream().expect("a stream");
    said.push('\n');
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(bytes) => said += &String::from_utf8_lossy(&bytes),
            Err(StreamError::Closed) => return Ok(said),
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Ok(format!("{said}... {code:?}\n"));
            }
        }
    }
}

/// How many answers can be had at once, and why no more.
fn hold(url: &str) -> String {
    let mut held = Vec::new();
    loop {
        match send("GET", url, None, None) {
            Ok(answer) => held.push(answer),
            Err(error) => return format!("{} {error:?}", held.len()),
        }
    }
}

/// Whether a request takes a method and a host of so many bytes.
fn words(length: usize) -> String {
    let request = OutgoingRequest::new(Fields::new());
    let method = request.set_method(&Method::Other("A".repeat(length)));
    let authority = request.set_authority(Some(&"a".repeat(length)));
    format!("{} {}", method.is_ok(), authority.is_ok())
}
