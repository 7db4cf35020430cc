//! Results as downloads: `GET /results/{name}`. The name has a random token in it (reference 8.2, trap 15: clients send no
//! credentials here).

use std::{io::SeekFrom, path::Path as FilePath};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use skrei_protocol::api::error::{Code, ErrorBody};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use super::{Api, error::ApiError, segment::Segment};
use crate::results::Name;

/// Below [`BASE`](skrei_protocol::api::BASE), followed by the name of an archive.
pub(super) const RESULTS_PATH: &str = "/results";

/// Read from the disk at once.
const CHUNK_BYTES: usize = 64 << 10;

/// An archive of results, whole or in part. The name has a random token in it and is as good as a password.
#[utoipa::path(get, path = "/results/{name}", tag = "Results", operation_id = "downloadResults",
    params(("name" = String, Path, description = "As a URL of results has it"),
        ("Range" = Option<String>, Header, description = "One range of bytes; anything else is the whole")),
    responses(
        (status = 200, body = Vec<u8>, content_type = "application/gzip"),
        (status = 206, body = Vec<u8>, content_type = "application/gzip", description = "The part asked for"),
        (status = 416, description = "There are not so many bytes")))]
pub(super) async fn download(
    State(api): State<Api>,
    Segment(name): Segment,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let results = &api.orchestrator.results;
    let found = match Name::parse(&name) {
        Some(name) => results.find(&name).await?,
        None => None,
    };
    // The name is not repeated: it is as good as a password.
    let unknown = || {
        ErrorBody::new(Code::NotFound, "there are no results under this URL")
            .hint("they may have been removed since; `skrei job get JOB` asks for those that are there")
    };
    let (held, path) = found.ok_or_else(unknown)?;
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let asked = Range::of(range, held.bytes);
    let mut answer = match asked {
        Range::Whole => {
            content(&path, 0, held.bytes).await.map(|body| (StatusCode::OK, body).into_response())
        }
        Range::Part { from, to } => content(&path, from, to - from + 1).await.map(|body| {
            let place = format!("bytes {from}-{to}/{}", held.bytes);
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, place)], body).into_response()
        }),
        Range::Outside => {
            let place = format!("bytes */{}", held.bytes);
            Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, place)]).into_response())
        }
    }
    .map_err(|error| {
        tracing::error!(execution = %held.execution, %error, "results cannot be read");
        ErrorBody::new(Code::InternalError, "the results cannot be read from the orchestrator's disk")
    })?;
    let set = |answer: &mut Response, name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.headers_mut().insert(name, value);
        }
    };
    let file = format!("attachment; filename=\"{}.tar.gz\"", held.execution);
    for (name, value) in [
        (header::CONTENT_TYPE, "application/gzip"),
        (header::CONTENT_DISPOSITION, &file),
        (header::ETAG, &format!("\"{}\"", held.digest.hex())),
        (header::ACCEPT_RANGES, "bytes"),
        (header::CACHE_CONTROL, "private, no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        set(&mut answer, name, value);
    }
    Ok(answer)
}

async fn content(path: &FilePath, from: u64, length: u64) -> std::io::Result<impl IntoResponse + use<>> {
    let mut file = File::open(path).await?;
    file.seek(SeekFrom::Start(from)).await?;
    let body = Body::from_stream(ReaderStream::with_capacity(file.take(length), CHUNK_BYTES));
    Ok(([(header::CONTENT_LENGTH, length.to_string())], body))
}

/// Which bytes are asked for (RFC 9110, 14): one range; several are answered with the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// Both ends included.
    Part {
        from: u64,
        to: u64,
    },
    Outside,
}

impl Range {
    fn of(header: Option<&str>, size: u64) -> Self {
        let Some((from, to)) = header
            .and_then(|header| header.strip_prefix("bytes="))
            .and_then(|range| range.trim().split_once('-'))
        else {
            return Self::Whole;
        };
        let last = size.saturating_sub(1);
        let part = match (from.parse::<u64>(), to.parse::<u64>()) {
            (Ok(from), Ok(to)) if from <= to => (from, to.min(last)),
            (Ok(from), _) if to.is_empty() => (from, last),
            (_, Ok(length)) if from.is_empty() => (size.saturating_sub(length), last),
            _ => return Self::Whole,
        };
        match part {
            (from, to) if from <= to && from < size => Self::Part { from, to },
            _ => Self::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_understood_and_anything_else_means_the_whole() {
        let part = |from, to| Range::Part { from, to };
        for (header, expected) in [
            ("bytes=0-0", part(0, 0)),
            ("bytes=3-", part(3, 9)),
            ("bytes=3-100", part(3, 9)),
            ("bytes=-4", part(6, 9)),
            ("bytes=-100", part(0, 9)),
            ("bytes=10-", Range::Outside),
            ("bytes=10-12", Range::Outside),
            ("bytes=-0", Range::Outside),
            ("bytes=5-3", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("lines=0-1", Range::Whole),
            ("bytes=x-", Range::Whole),
        ] {
            assert_eq!(Range::of(Some(header), 10), expected, "{header}");
        }
        assert_eq!(Range::of(None, 10), Range::Whole);
    }
}
