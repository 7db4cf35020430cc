//! Objects in a bucket.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use futures_util::StreamExt as _;
use object_store::{GetOptions, ObjectStore as _, aws::AmazonS3, path::Path as ObjectPath};
use skrei_bucket::{Intent, Pinned};
use skrei_job::objects::{Bucket, Key, Objects};

use super::{Error, Rules};
use crate::artifacts::{Artifact, Artifacts, Unkept};

/// Objects that one source may stand for.
const OBJECTS_MAX: usize = 10_000;

/// Objects of one source, as files below a directory.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// Where each is found below the target, and the file that has it.
    pub(crate) files: Vec<(String, Artifact)>,
}

impl Rules {
    /// Fetches the objects that a partition gets.
    pub(crate) async fn objects(
        &self,
        objects: &Objects,
        (partition, partitions): (u32, u32),
        artifacts: &Artifacts,
    ) -> Result<Fetched, Error> {
        let fetched = tokio::time::timeout(
            self.time_max,
            self.fetch_objects(objects, (partition, partitions), artifacts),
        )
        .await;
        let too_slow = |_| Error::TooSlow { from: objects.to_string(), seconds: self.time_max.as_secs() };
        fetched.map_err(too_slow)?
    }

    async fn fetch_objects(
        &self,
        objects: &Objects,
        (partition, partitions): (u32, u32),
        artifacts: &Artifacts,
    ) -> Result<Fetched, Error> {
        let store = self.open(objects).await?;
        let keys = match &objects.key {
            Key::One(key) => vec![key.clone()],
            Key::Below(prefix) => list(&store, objects, prefix).await?,
        };
        let chosen = objects.chosen(keys.iter().map(String::as_str), partition, partitions);
        let mut fetched = Fetched { files: Vec::with_capacity(chosen.len()) };
        let mut bytes_left = self.bytes_max;
        for (key, path) in chosen {
            let (artifact, bytes) = self.fetch_object(&store, objects, key, bytes_left, artifacts).await?;
            bytes_left = bytes_left.saturating_sub(bytes);
            fetched.files.push((path, artifact));
        }
        Ok(fetched)
    }

    async fn open(&self, objects: &Objects) -> Result<AmazonS3, Error> {
        let url = self.endpoint(&objects.bucket)?;
        let client = self.client(&url).await?;
        Ok(self.access.open(&objects.bucket, Intent::Read, Some(Pinned(client)))?)
    }

    /// Opens a bucket that results go into.
    pub(crate) async fn open_for_results(&self, bucket: &Bucket) -> Result<AmazonS3, Error> {
        let url = self.endpoint(bucket)?;
        let client = self.sending_client(&url).await?;
        Ok(self.access.open(bucket, Intent::Write, Some(Pinned(client)))?)
    }

    fn endpoint(&self, bucket: &Bucket) -> Result<reqwest::Url, Error> {
        let endpoint = self.access.endpoint_of(bucket);
        endpoint.parse().map_err(|_| Error::NoHost(endpoint))
    }

    async fn fetch_object(
        &self,
        store: &AmazonS3,
        objects: &Objects,
        key: &str,
        bytes_max: u64,
        artifacts: &Artifacts,
    ) -> Result<(Artifact, u64), Error> {
        let from = format!("s3://{}/{key}", objects.bucket.name);
        let failed = |error: object_store::Error| failed(&from, &error);
        let options = GetOptions { version: objects.version.clone(), ..GetOptions::default() };
        let path = ObjectPath::parse(key).map_err(|_| Error::Nothing { from: from.clone() })?;
        let answer = store.get_opts(&path, options).await.map_err(failed)?;
        let too_large = || Error::TooLarge { from: objects.to_string(), bytes_max: self.bytes_max };
        if answer.meta.size > bytes_max {
            return Err(too_large());
        }
        let mut incoming = artifacts.receive(bytes_max);
        let mut chunks = answer.into_stream();
        while let Some(chunk) = chunks.next().await {
            if !incoming.push(chunk.map_err(failed)?).await {
                break;
            }
        }
        let disk = |cause: std::io::Error| Error::Disk { from: from.clone(), cause: cause.to_string() };
        let received = incoming.finish().await.map_err(|unkept| match unkept {
            Unkept::TooLarge => too_large(),
            Unkept::Disk(cause) => disk(cause),
        })?;
        if let Some(expected) = objects.digest.filter(|expected| *expected != received.digest()) {
            return Err(Error::WrongDigest { from, expected, found: received.digest() });
        }
        let bytes = received.bytes();
        received.keep().map(|artifact| (artifact, bytes)).map_err(disk)
    }
}

/// Every key that begins so, in order.
async fn list(store: &AmazonS3, objects: &Objects, prefix: &str) -> Result<Vec<String>, Error> {
    let from = objects.to_string();
    // The library lists whole steps of a path; the last one may be the beginning of a name.
    let folder = prefix.rsplit_once('/').map(|(folder, _)| ObjectPath::from(folder));
    let mut found = store.list(folder.as_ref());
    let mut keys = Vec::new();
    while let Some(object) = found.next().await {
        let key = object.map_err(|error| failed(&from, &error))?.location.to_string();
        if key.starts_with(prefix) {
            keys.push(key);
        }
        if keys.len() > OBJECTS_MAX {
            return Err(Error::TooMany { from, max: OBJECTS_MAX });
        }
    }
    if keys.is_empty() {
        return Err(Error::Nothing { from });
    }
    keys.sort();
    Ok(keys)
}

fn failed(from: &str, error: &object_store::Error) -> Error {
    match error {
        object_store::Error::NotFound { .. } => Error::Nothing { from: from.to_owned() },
        other => Error::Network { from: from.to_owned(), cause: words(other) },
    }
}

/// What went wrong. Of the body of an answer nothing but its code: it repeats what a request says of whoever sent it, and a
/// job may have chosen who answers.
pub(crate) fn words(error: &object_store::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    without_body(&cause.to_string())
}

/// As the library writes it: `Server returned non-2xx status code: STATUS: BODY`, or `Server returned error response: BODY`.
fn without_body(text: &str) -> String {
    const WORDS_MAX: usize = 200;
    const CODE_MAX: usize = 64;
    let code = || {
        let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
        let is_plain = code.len() <= CODE_MAX && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_plain.then_some(code)
    };
    let head = match text.strip_prefix("Server returned ") {
        Some(rest) => match rest.strip_prefix("non-2xx status code: ") {
            Some(rest) => format!("it answers {}", rest.split(": ").next().unwrap_or_default()),
            None => "it answers with an error".to_owned(),
        },
        None => text.to_owned(),
    };
    let said = code().map(|code| format!("{head} ({code})")).unwrap_or(head);
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS_MAX).collect()
}

impl Fetched {
    /// Lays the files out below a directory that is made for them.
    pub(crate) fn lay_out(&self, directory: &Path) -> std::io::Result<()> {
        fs::create_dir(directory)?;
        for (path, artifact) in &self.files {
            let place = directory.join(path);
            place.parent().map_or(Ok(()), fs::create_dir_all)?;
            link_or_copy(&artifact.path(), &place)?;
        }
        Ok(())
    }
}

/// The same content without a second copy of it, where the disk can do that; guests only read it.
fn link_or_copy(from: &PathBuf, to: &Path) -> std::io::Result<()> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_its_status_and_its_code_are_passed_on() {
        for (text, expected) in [
            (
                "Server returned non-2xx status code: 403 Forbidden: <Error><Code>AccessDenied</Code><Key>hidden</Key>",
                "it answers 403 Forbidden (AccessDenied)",
            ),
            (
                "Server returned non-2xx status code: 500 Internal Server Error: hidden",
                "it answers 500 Internal Server Error",
            ),
            ("Server returned error response: hidden: <Code>hid den</Code>", "it answers with an error"),
            ("connection refused\n", "connection refused "),
        ] {
            assert_eq!(without_body(text), expected);
        }
    }
}
