//! Writing to the standard streams, and reading from standard input.

use wasip3::cli::{stderr, stdin, stdout};

pub async fn print(text: impl Into<Vec<u8>>) {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let done = stdout::write_via_stream(reader);
    writer.write_all(text.into()).await;
    drop(writer);
    done.await.expect("standard output");
}

pub async fn print_error(text: impl Into<Vec<u8>>) {
    let (mut writer, reader) = wasip3::wit_stream::new();
    let done = stderr::write_via_stream(reader);
    writer.write_all(text.into()).await;
    drop(writer);
    done.await.expect("standard error");
}

/// Hands standard input to `take` as it comes, until it ends.
pub async fn input(mut take: impl AsyncFnMut(Vec<u8>)) {
    let (mut reader, done) = stdin::read_via_stream();
    loop {
        let (status, bytes) = reader.read(Vec::with_capacity(4096)).await;
        if !bytes.is_empty() {
            take(bytes).await;
        }
        if matches!(status, wasip3::wit_bindgen::StreamResult::Dropped) {
            break;
        }
    }
    done.await.expect("standard input");
}
