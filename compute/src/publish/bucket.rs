//! Results into a bucket: one archive, or each file of it as an object of its own.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Component, Path},
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use object_store::{
    ObjectStoreExt as _, PutPayload, WriteMultipart, aws::AmazonS3, path::Path as ObjectPath,
};
use skrei_job::{objects::Bucket, outcome::Published};
use tokio::sync::mpsc;

use super::{Error, Parcel};
use crate::{
    fetch::{self, words},
    link::{Pause, spread},
};

/// Bytes of one piece; what is smaller is sent whole. S3 takes at most 10,000 of them, and at least 5 MiB each.
const PIECE_BYTES: usize = 8 << 20;

/// Pieces on their way at once.
const PIECES_MAX: usize = 2;

/// Tries before it is given up: each has tries of its own for every request.
const TRIES_MAX: u32 = 6;

/// Puts the results of a parcel into a bucket.
pub(super) async fn deliver(
    rules: &fetch::Rules,
    parcel: &Parcel,
    archive: &Path,
    bucket: &Bucket,
    key: &str,
) -> Result<Published, Error> {
    let mut pause = Pause::default();
    let mut tries = 1;
    let version = loop {
        let failed = match put(rules, archive, bucket, key).await {
            Ok(version) => break version,
            Err(Failed::Final(error)) => return Err(error),
            Err(Failed::Passing(cause)) => cause,
        };
        if tries == TRIES_MAX {
            return Err(Error::Bucket { bucket: bucket.name.clone(), key: key.to_owned(), cause: failed });
        }
        let wait = pause.next(spread());
        tracing::debug!(execution = %parcel.execution, cause = %failed, retry_in = ?wait, "results wait");
        tokio::time::sleep(wait).await;
        tries += 1;
    };
    let digest = (!is_plain(key)).then_some(parcel.digest);
    // Whoever reads it knows nothing of this node's settings.
    let bucket = rules.access.located(bucket);
    Ok(Published::Bucket { bucket, key: key.to_owned(), digest, version })
}

enum Failed {
    /// Trying again may help.
    Passing(String),
    /// It will not.
    Final(Error),
}

fn is_plain(key: &str) -> bool {
    key.ends_with('/')
}

async fn put(
    rules: &fetch::Rules,
    archive: &Path,
    bucket: &Bucket,
    key: &str,
) -> Result<Option<String>, Failed> {
    let store = match rules.open_for_results(bucket).await {
        Ok(store) => store,
        Err(error @ (fetch::Error::NoAddress { .. } | fetch::Error::Network { .. })) => {
            return Err(Failed::Passing(error.to_string()));
        }
        Err(error) => return Err(Failed::Final(Error::Denied(error.to_string()))),
    };
    let failed = |key: &str, error: &object_store::Error| {
        use object_store::Error as E;
        let is_final = matches!(
            error,
            E::NotFound { .. }
                | E::InvalidPath { .. }
                | E::PermissionDenied { .. }
                | E::Unauthenticated { .. }
                | E::NotSupported { .. }
        );
        match is_final {
            true => {
                let (bucket, key, cause) = (bucket.name.clone(), key.to_owned(), words(error));
                Failed::Final(Error::Bucket { bucket, key, cause })
            }
            false => Failed::Passing(words(error)),
        }
    };
    let (parts, mut incoming) = mpsc::channel(PIECES_MAX);
    let (path, prefix) = (archive.to_owned(), key.to_owned());
    let reading = tokio::task::spawn_blocking(move || match is_plain(&prefix) {
        true => read_files(&path, &prefix, &parts),
        false => read_whole(&path, prefix, &parts),
    });
    let mut version = None;
    let mut next = incoming.recv().await;
    while let Some(Part::Object(key)) = next {
        let (put, after) = put_object(&store, &key, &mut incoming).await;
        version = put.map_err(|error| failed(&key, &error))?;
        next = after;
    }
    match reading.await {
        Ok(Ok(())) => Ok(if is_plain(key) { None } else { version }),
        Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(Failed::Final(Error::Missing)),
        Ok(Err(error)) => Err(Failed::Final(Error::disk(&error))),
        Err(error) => Err(Failed::Final(Error::Disk(error.to_string()))),
    }
}

/// What is read of an archive: objects, and the pieces of each.
#[derive(Debug)]
enum Part {
    /// The next object, by its key.
    Object(String),
    /// The next piece of it, of [`PIECE_BYTES`] but for the last.
    Piece(Bytes),
}

type Put = Result<Option<String>, object_store::Error>;

/// Writes one object from the pieces that come; gives what comes after them, too.
async fn put_object(store: &AmazonS3, key: &str, parts: &mut mpsc::Receiver<Part>) -> (Put, Option<Part>) {
    let path = ObjectPath::from(key);
    let (first, mut next) = match parts.recv().await {
        Some(Part::Piece(piece)) => (piece, parts.recv().await),
        other => (Bytes::new(), other),
    };
    if !matches!(next, Some(Part::Piece(_))) {
        let put = store.put(&path, PutPayload::from(first)).await;
        return (put.map(|put| put.version), next);
    }
    let upload = match store.put_multipart(&path).await {
        Ok(upload) => upload,
        Err(error) => return (Err(error), None),
    };
    let mut writer = WriteMultipart::new_with_chunk_size(upload, PIECE_BYTES);
    writer.put(first);
    while let Some(Part::Piece(piece)) = next {
        if let Err(error) = writer.wait_for_capacity(PIECES_MAX).await {
            // What was sent of it is the service's to remove if this fails, too.
            let _ = writer.abort().await;
            return (Err(error), None);
        }
        writer.put(piece);
        next = parts.recv().await;
    }
    (writer.finish().await.map(|put| put.version), next)
}

fn read_whole(archive: &Path, key: String, parts: &mpsc::Sender<Part>) -> io::Result<()> {
    let mut archive = File::open(archive)?;
    if send(parts, Part::Object(key)) {
        send_pieces(parts, &mut archive)?;
    }
    Ok(())
}

fn read_files(archive: &Path, prefix: &str, parts: &mpsc::Sender<Part>) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let Some(path) = key_of(&entry.path()?).filter(|_| entry.header().entry_type().is_file()) else {
            continue;
        };
        if !(send(parts, Part::Object(format!("{prefix}{path}"))) && send_pieces(parts, &mut entry)?) {
            break;
        }
    }
    Ok(())
}

fn key_of(path: &Path) -> Option<String> {
    let steps = path.components().map(|step| match step {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    Some(steps.collect::<Option<Vec<_>>>()?.join("/"))
}

/// Hands pieces on; false if nobody takes them any more.
fn send_pieces(parts: &mpsc::Sender<Part>, content: &mut impl io::Read) -> io::Result<bool> {
    loop {
        let mut piece = Vec::new();
        let read = content.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
        if read == 0 {
            return Ok(true);
        }
        if !send(parts, Part::Piece(piece.into())) {
            return Ok(false);
        }
    }
}

fn send(parts: &mpsc::Sender<Part>, part: Part) -> bool {
    parts.blocking_send(part).is_ok()
}
