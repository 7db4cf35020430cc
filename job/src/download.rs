//! A file behind a URL.

use std::fmt;

use url::Url;

use crate::Digest;

/// A file behind a URL, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    url: Url,
    name: String,
    /// What it must contain, if the job says so.
    pub digest: Option<Digest>,
}

/// Why a URL names no file to download.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDownload {
    /// Not `http` or `https`, or no URL at all.
    #[error("is not an http or https URL")]
    NotHttp,
    /// The last part of its path does not name a file.
    #[error("does not end with the name of a file")]
    NoName,
    /// `https://USER:PASSWORD@HOST`.
    #[error("has a user name or a password in it, which everybody would see who sees the job")]
    Credentials,
}

impl Download {
    /// A file behind this URL, called by the last part of its path.
    ///
    /// # Errors
    /// Why the URL names none.
    pub fn new(url: &str, digest: Option<Digest>) -> Result<Self, NoDownload> {
        let mut url = Url::parse(url.trim()).map_err(|_| NoDownload::NotHttp)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(NoDownload::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NoDownload::Credentials);
        }
        url.set_fragment(None);
        let last = url.path_segments().and_then(|mut steps| steps.next_back()).unwrap_or_default();
        let name =
            percent_encoding::percent_decode_str(last).decode_utf8().map_err(|_| NoDownload::NoName)?;
        let is_plain = !matches!(&*name, "" | "." | "..") && !name.contains(['/', '\\']);
        if !is_plain || name.chars().any(char::is_control) || name.len() > 255 {
            return Err(NoDownload::NoName);
        }
        let name = name.into_owned();
        Ok(Self { url, name, digest })
    }

    /// Where it is.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Without the query, in which there may be a signature.
impl fmt::Display for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        url.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_part_of_the_path_is_the_name() {
        for (url, expected) in [
            ("https://a.example/x/main.wasm", Ok("main.wasm")),
            ("http://a.example:80/a%20b.txt?sig=1#x", Ok("a b.txt")),
            ("https://a.example/", Err(NoDownload::NoName)),
            ("https://a.example", Err(NoDownload::NoName)),
            ("https://a.example/..%2fx", Err(NoDownload::NoName)),
            ("https://u:p@a.example/x", Err(NoDownload::Credentials)),
            ("ftp://a.example/x", Err(NoDownload::NotHttp)),
            ("file:///etc/passwd", Err(NoDownload::NotHttp)),
            ("/x", Err(NoDownload::NotHttp)),
        ] {
            let found = Download::new(url, None);
            assert_eq!(found.as_ref().map(Download::name).map_err(|error| *error), expected, "{url}");
        }
        let signed = Download::new("https://a.example/x?sig=secret", None).unwrap();
        assert_eq!(signed.to_string(), "https://a.example/x");
    }
}
