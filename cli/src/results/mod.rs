//! Results on this machine: fetched, unpacked apart from everything else, and only then put where they belong.

mod place;
mod selection;
mod unpack;

use std::path::{Path, PathBuf};

pub(crate) use place::{keep_raw, place};
pub(crate) use selection::Selection;
use skrei_protocol::client::Client;
use tempfile::TempDir;
use tokio::{fs::File, io::AsyncWriteExt};
pub(crate) use unpack::{Unpacked, unpack};

use crate::error::Error;

/// An archive that was downloaded.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// What its directory is called; empty for none of its own.
    pub(crate) label: String,
    /// What it is called if it is kept.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) archive: PathBuf,
}

/// A directory for what is on its way into `folder`, on the same disk, gone when it is dropped.
///
/// # Errors
/// If nothing can be written there.
pub(crate) fn temporary(folder: &Path) -> Result<TempDir, Error> {
    tempfile::Builder::new()
        .prefix(".skrei-get-")
        .tempdir_in(folder)
        .map_err(|error| Error::unavailable(format!("`{}` cannot be written: {error}", folder.display())))
}

/// Downloads an archive.
///
/// # Errors
/// If the server does not give it, or the disk does not take it.
pub(crate) async fn fetch(
    client: &Client,
    url: &str,
    label: String,
    folder: &Path,
) -> Result<Fetched, Error> {
    let unwritten =
        |error: std::io::Error| Error::unavailable(format!("the download cannot be written: {error}"));
    let number = std::fs::read_dir(folder).map_err(unwritten)?.count();
    let archive = folder.join(format!("{number}.tar.gz"));
    let mut download = client.download(url).await?;
    let mut file = File::create_new(&archive).await.map_err(unwritten)?;
    while let Some(chunk) = download.chunk().await? {
        file.write_all(&chunk).await.map_err(unwritten)?;
    }
    file.flush().await.map_err(unwritten)?;
    Ok(Fetched { label, name: raw_name(url), archive })
}

/// Host and path of a URL as a file name, as Bacalhau's command has it (reference 8.4). What is secret in it stays.
fn raw_name(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    file_name(rest.split(['?', '#']).next().unwrap_or_default())
}

/// A text as the name of one file or directory.
pub(crate) fn file_name(text: &str) -> String {
    let odd = |c: char| matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|') || c.is_control();
    let name: String = text.chars().map(|c| if odd(c) { '_' } else { c }).take(200).collect();
    match name.as_str() {
        "" | "." | ".." => "_".to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_becomes_one_file_name() {
        assert_eq!(raw_name("http://127.0.0.1:6001/e-1.tar.gz?x=/y"), "127.0.0.1_6001_e-1.tar.gz");
        assert_eq!(file_name(".."), "_");
        assert_eq!(file_name("../../etc"), ".._.._etc");
    }
}
