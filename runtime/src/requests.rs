//! `wasi:http/requests`: HTTP for preview 1 guests, as Bacalhau has it.
//!
//! One function takes twelve numbers: the request's parts, and where its answer goes. The two lengths say how large the
//! buffers are and, afterwards, how much is in them; what does not fit is cut off. Everything a guest passes is looked
//! at before anything is sent.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use tokio_util::task::AbortOnDropHandle;
use url::Url;
use wasmtime::{Caller, Linker};

use crate::fs::Errno;
use crate::guest::Guest;
use crate::network::fetch::{self, Answer, FetchError, Request};
use crate::p1::{Span, View, parts};

/// The module name guests import the function from.
pub(crate) const MODULE: &str = "wasi:http/requests";

/// Bytes of one request's or answer's body, at most and at least whatever memory the guest has.
const BODY_BYTES_MAX: u64 = 100 << 20;
const BODY_BYTES_MIN: u64 = 64 << 10;

/// Bytes of one request's URL, and of its headers: far more than any server takes. The host has copies of both.
const URL_BYTES_MAX: u32 = 64 << 10;
const HEADERS_BYTES_MAX: u32 = 256 << 10;

/// What the guest is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
enum Status {
    Done = 0,
    InvalidUrl = 1,
    NetworkError = 2,
    Timeout = 3,
    NotAllowed = 4,
    TooLarge = 5,
    BadInput = 6,
    MemoryError = 7,
}

type Twelve = (u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32, u32);

/// Where the answer goes.
#[derive(Clone, Copy)]
struct Room {
    headers: Span,
    headers_len_at: u32,
    body: Span,
    body_len_at: u32,
    status_at: u32,
}

/// Defines the function.
pub(crate) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(MODULE, "http_request", |mut caller: Caller<'_, Guest>, numbers: Twelve| {
        Box::new(async move {
            let status = match request(&mut caller, numbers).await? {
                Ok(()) => Status::Done,
                Err(status) => status,
            };
            Ok::<_, wasmtime::Error>(status as i32)
        })
    })?;
    Ok(())
}

async fn request(caller: &mut Caller<'_, Guest>, numbers: Twelve) -> wasmtime::Result<Result<(), Status>> {
    let (guest, view) = parts(caller)?;
    let (request, room) = match read(&view, numbers) {
        Ok(read) => read,
        Err(status) => return Ok(Err(status)),
    };
    if guest.gate.is_closed() {
        // Nothing is started for a guest that will get nowhere.
        return Ok(fetch::admit(&guest.gate, &request.url).map(drop).map_err(|error| Status::of(&error)));
    }
    let (gate, outbound) = (guest.gate.clone(), Arc::clone(&guest.outbound));
    let Ok(executor) = outbound.executor().cloned() else { return Ok(Err(Status::NetworkError)) };
    let Ok(held) = guest.holdings.room_for_connection() else { return Ok(Err(Status::NetworkError)) };
    // Dropped with the guest, and the connection with it.
    let fetching = AbortOnDropHandle::new(executor.spawn(async move {
        let _held = held;
        fetch::fetch(&gate, &outbound, request).await
    }));
    let answer = match fetching.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Ok(Err(Status::of(&error))),
        Err(_) => return Ok(Err(Status::NetworkError)),
    };
    let (_, mut view) = parts(caller)?;
    Ok(write(&mut view, room, &answer).map_err(|_| Status::MemoryError))
}

impl Status {
    fn of(error: &FetchError) -> Status {
        match error {
            FetchError::Url => Status::InvalidUrl,
            FetchError::Denied(_) => Status::NotAllowed,
            FetchError::Time => Status::Timeout,
            FetchError::TooLarge => Status::TooLarge,
            FetchError::Connect(_) | FetchError::Exchange(_) | FetchError::Redirects => Status::NetworkError,
        }
    }
}

fn read(view: &View<'_>, numbers: Twelve) -> Result<(Request, Room), Status> {
    let (
        method,
        url_at,
        url_len,
        headers_at,
        headers_len,
        body_at,
        body_len,
        answer_headers_at,
        headers_len_at,
        answer_body_at,
        body_len_at,
        status_at,
    ) = numbers;
    if [answer_headers_at, headers_len_at, answer_body_at, body_len_at].contains(&0) {
        return Err(Status::BadInput);
    }
    if url_len > URL_BYTES_MAX {
        return Err(Status::InvalidUrl);
    }
    if headers_at != 0 && headers_len > HEADERS_BYTES_MAX {
        return Err(Status::TooLarge);
    }
    let url = view.str(url_at, url_len).map_err(|_| Status::InvalidUrl)?;
    let mut url = Url::parse(url).map_err(|_| Status::InvalidUrl)?;
    fetch::server(&url).map_err(|_| Status::InvalidUrl)?;
    // A part at address 0 is one that is not there.
    let part = |at: u32, len: u32| match at {
        0 => Ok(&[][..]),
        at => view.bytes(Span { at, len }).map_err(|_| Status::BadInput),
    };
    let mut headers = headers(part(headers_at, headers_len)?)?;
    fetch::authorize(&mut url, &mut headers).map_err(|error| Status::of(&error))?;
    let body = part(body_at, body_len)?;
    let body_max = (view.len() / 5 * 4).clamp(BODY_BYTES_MIN, BODY_BYTES_MAX);
    if body.len() as u64 > body_max {
        return Err(Status::TooLarge);
    }
    let room =
        Room::read(view, (answer_headers_at, headers_len_at), (answer_body_at, body_len_at), status_at)
            .map_err(|_| Status::MemoryError)?;
    let request = Request {
        method: self::method(method)?,
        url,
        headers,
        body: Bytes::copy_from_slice(body),
        body_wanted: room.body.len as usize,
        body_max,
    };
    Ok((request, room))
}

impl Room {
    /// The room there is, all of it in the guest's memory.
    fn read(
        view: &View<'_>,
        (headers_at, headers_len_at): (u32, u32),
        (body_at, body_len_at): (u32, u32),
        status_at: u32,
    ) -> Result<Room, Errno> {
        let len = |at| view.array(at).map(u32::from_le_bytes);
        let headers = Span { at: headers_at, len: len(headers_len_at)? };
        let body = Span { at: body_at, len: len(body_len_at)? };
        view.bytes(headers)?;
        view.bytes(body)?;
        if status_at != 0 {
            len(status_at)?;
        }
        Ok(Room { headers, headers_len_at, body, body_len_at, status_at })
    }
}

fn method(number: u32) -> Result<Method, Status> {
    Ok(match number {
        0 => Method::GET,
        1 => Method::POST,
        2 => Method::PUT,
        3 => Method::DELETE,
        4 => Method::HEAD,
        5 => Method::OPTIONS,
        6 => Method::PATCH,
        _ => return Err(Status::BadInput),
    })
}

/// `Key: value`, one a line. A line without a colon says nothing.
fn headers(lines: &[u8]) -> Result<HeaderMap, Status> {
    let mut headers = HeaderMap::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        let name = HeaderName::from_bytes(name).map_err(|_| Status::BadInput)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| Status::BadInput)?;
        headers.try_append(name, value).map_err(|_| Status::BadInput)?;
    }
    Ok(headers)
}

fn write(view: &mut View<'_>, room: Room, answer: &Answer) -> Result<(), Errno> {
    let mut headers = lines(&answer.headers);
    headers.truncate(room.headers.len as usize);
    if room.status_at != 0 {
        view.write_u32(room.status_at, answer.status.as_u16().into())?;
    }
    for (at, len_at, bytes) in
        [(room.headers.at, room.headers_len_at, &headers), (room.body.at, room.body_len_at, &answer.body)]
    {
        view.write_u32(len_at, u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?)?;
        view.write(at, bytes)?;
    }
    Ok(())
}

/// One header a line, names spelt as guests of Bacalhau know them (`Content-Type`).
fn lines(headers: &HeaderMap) -> Vec<u8> {
    let mut lines = Vec::new();
    for (name, value) in headers {
        if !lines.is_empty() {
            lines.push(b'\n');
        }
        let mut starts = true;
        lines.extend(name.as_str().bytes().map(|byte| {
            let spelt = if starts { byte.to_ascii_uppercase() } else { byte };
            starts = byte == b'-';
            spelt
        }));
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value.as_bytes());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_lines_both_ways() {
        let read = headers(b"content-type: text/plain\r\nX-Two:  a: b \nnothing\n\nX-Two: c").unwrap();
        assert_eq!(lines(&read), b"Content-Type: text/plain\nX-Two: a: b\nX-Two: c");
        for wrong in [&b"a b: c"[..], b": c", b"a: \x01"] {
            assert_eq!(headers(wrong).unwrap_err(), Status::BadInput);
        }
    }
}
