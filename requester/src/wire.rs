//! Taking bodies of requests off the wire.

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

/// Room for a body of the size that it is said to have, from its first piece on: one that grows leaves copies of itself behind,
/// and a secret may be in it. Whoever promises more sends it before there is room for it.
const ROOM_BYTES_MAX: usize = 256 << 10;

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It has more bytes than it may.
    TooLarge,
    /// It broke off.
    Broken(axum::Error),
}

/// A body of at most `bytes_max`. What is too large is still taken off the wire and dropped, up to `dropped_max`: a client
/// that is cut off while it sends sees a broken connection and not the answer.
pub(crate) async fn read(body: Body, bytes_max: usize, dropped_max: usize) -> Result<Bytes, Unread> {
    let said = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let (mut content, mut size) = (BytesMut::with_capacity(said.min(ROOM_BYTES_MAX).min(bytes_max)), 0_usize);
    let mut chunks = body.into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(Unread::Broken)?;
        size = size.saturating_add(chunk.len());
        if size <= bytes_max {
            content.extend_from_slice(&chunk);
        } else if size > dropped_max {
            break;
        }
    }
    if size > bytes_max { Err(Unread::TooLarge) } else { Ok(content.freeze()) }
}

/// Takes a body that is refused off the wire, up to `dropped_max`.
pub(crate) async fn drop_body(body: Body, dropped_max: usize) {
    let _ = read(body, 0, dropped_max).await;
}
