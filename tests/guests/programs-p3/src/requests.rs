//! HTTP requests.

use std::future::poll_fn;
use std::pin::pin;

use wasip3::http::client;
use wasip3::http::types::{ErrorCode, Fields, Method, Request, Response, Scheme};

use wasip3::wit_bindgen::StreamWriter;

use crate::streams::print;

/// `METHOD URL [HEADER: VALUE] [BODY]`; with `hold` for a method, says how many answers can be had at once, with `abort`,
/// what comes of a request that is given up when half of its body is sent, and with `trail`, of one with a trailer.
pub async fn run(arguments: &[&str]) {
    let said = match arguments {
        ["hold", url] => hold(url).await,
        ["abort", url] => {
            sent_in_pieces(url, "half", Err(ErrorCode::InternalError(Some("given up".to_owned())))).await
        }
        ["transmit", url] => transmit(url).await,
        ["trail", url] => {
            let trailers = Fields::from_list(&[("x-sum".to_owned(), b"1".to_vec())]).expect("a trailer");
            sent_in_pieces(url, "body", Ok(Some(trailers))).await
        }
        ["words", length] => words(length.parse().expect("a length")),
        [method, url, rest @ ..] => request(method, url, rest.first().copied(), rest.get(1).copied()).await,
        _ => panic!("METHOD URL [HEADER: VALUE] [BODY]"),
    };
    print(said).await;
}

async fn send(
    method: &str,
    url: &str,
    header: Option<&str>,
    body: Option<&str>,
) -> Result<Response, ErrorCode> {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let headers = Fields::new();
    if let Some((name, value)) = header.and_then(|header| header.split_once(": ")) {
        headers.append(name, value.as_bytes()).expect("a header");
    }
    let (contents, writer) = match body {
        Some(body) => {
            let (writer, reader) = wasip3::wit_stream::new();
            (Some(reader), Some((writer, body.as_bytes().to_vec())))
        }
        None => (None, None),
    };
    let (trailers, no_trailers) = wasip3::wit_future::new(|| Ok(None));
    drop(trailers);
    let (request, _sent) = Request::new(headers, contents, no_trailers, None);
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => Scheme::Other(other.to_owned()),
    };
    request.set_method(&Method::Other(method.to_owned())).expect("a method");
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(path)).expect("a path");
    let (mut sending, mut writing) = (pin!(client::send(request)), pin!(write(writer)));
    let mut written = false;
    poll_fn(|cx| {
        written = written || writing.as_mut().poll(cx).is_ready();
        sending.as_mut().poll(cx)
    })
    .await
}

async fn write(body: Option<(StreamWriter<u8>, Vec<u8>)>) {
    if let Some((mut writer, body)) = body {
        writer.write_all(body).await;
    }
}

async fn request(method: &str, url: &str, header: Option<&str>, body: Option<&str>) -> String {
    let answer = match send(method, url, header, body).await {
        Ok(answer) => answer,
        Err(error) => return format!("{error:?}\n"),
    };
    let mut said = format!("status {}\n", answer.get_status_code());
    for (name, value) in answer.get_headers().copy_all() {
        said += &format!("{name}: {}\n", String::from_utf8_lossy(&value));
    }
    let (read, result) = wasip3::wit_future::new(|| Ok(()));
    drop(read);
    let (stream, ended) = Response::consume_body(answer, result);
    let bytes = stream.collect().await;
    said += &format!("\n{}", String::from_utf8_lossy(&bytes));
    match ended.await {
        Ok(_) => said,
        Err(error) => format!("{said}... {error:?}\n"),
    }
}

/// What comes of a request whose body is of no length that was said, and then ends so.
async fn sent_in_pieces(url: &str, content: &str, end: Result<Option<Fields>, ErrorCode>) -> String {
    let (mut body, contents) = wasip3::wit_stream::new();
    let (ending, ended) = wasip3::wit_future::new(|| Ok(None));
    let headers = Fields::from_list(&[("trailer".to_owned(), b"x-sum".to_vec())]).expect("a header");
    let (request, _sent) = Request::new(headers, Some(contents), ended, None);
    let (authority, path) = url.strip_prefix("http://").and_then(|url| url.split_once('/')).expect("a URL");
    request.set_method(&Method::Post).expect("a method");
    request.set_scheme(Some(&Scheme::Http)).expect("a scheme");
    request.set_authority(Some(authority)).expect("an authority");
    request.set_path_with_query(Some(&format!("/{path}"))).expect("a path");
    let writing = async {
        body.write_all(content.into()).await;
        drop(body);
        let _ = ending.write(end).await;
    };
    let (mut sending, mut writing) = (pin!(client::send(request)), pin!(writing));
    let mut written = false;
    let answer = poll_fn(|cx| {
        written = written || writing.as_mut().poll(cx).is_ready();
        sending.as_mut().poll(cx)
    });
    match answer.await {
        Ok(answer) => format!("status {}\n", answer.get_status_code()),
        Err(error) => format!("{error:?}\n"),
    }
}

/// What comes of a request, and of its transmission.
async fn transmit(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Other(scheme.to_owned()) };
    let (authority, path) = rest.find('/').map_or((rest, None), |at| (&rest[..at], Some(&rest[at..])));
    let (trailers, no_trailers) = wasip3::wit_future::new(|| Ok(None));
    drop(trailers);
    let (request, sent) = Request::new(Fields::new(), None, no_trailers, None);
    request.set_scheme(Some(&scheme)).expect("a scheme");
    request.set_authority(Some(authority).filter(|authority| !authority.is_empty())).expect("an authority");
    request.set_path_with_query(path).expect("a path");
    let answer = client::send(request).await.map(|answer| answer.get_status_code());
    format!("{answer:?} {:?}\n", sent.await)
}

/// How many answers can be had at once, and why no more.
async fn hold(url: &str) -> String {
    let mut held = Vec::new();
    loop {
        match send("GET", url, None, None).await {
            Ok(answer) => held.push(answer),
            Err(error) => return format!("{} {error:?}\n", held.len()),
        }
    }
}

/// Whether a request takes a method and a host of so many bytes.
fn words(length: usize) -> String {
    let (trailers, no_trailers) = wasip3::wit_future::new(|| Ok(None));
    drop(trailers);
    let (request, _sent) = Request::new(Fields::new(), None, no_trailers, None);
    let method = request.set_method(&Method::Other("A".repeat(length)));
    let authority = request.set_authority(Some(&"a".repeat(length)));
    format!("{} {}\n", method.is_ok(), authority.is_ok())
}
