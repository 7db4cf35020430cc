//! What each node holds after the job, read from its disk.

use std::{fs, os::unix::fs::PermissionsExt};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use skrei_job::Digest;

use super::{
    certificate::{NAME, Throwaway},
    files::Files,
};
use crate::terminal::table::{Mood, Table};

/// One row for each file of each node; and whether every file is the one that was sent.
pub(crate) fn table(files: &Files, certificate: &Throwaway, nodes: &[String]) -> (Table, bool) {
    let mut table = Table::new(&["file", "mode", "bytes", "content"]);
    let mut all_there = true;
    for node in nodes {
        let valid = format!("{NAME}, to {}", certificate.until);
        let sent = [
            ("fullchain.pem", &certificate.fullchain, valid.as_str()),
            ("privkey.pem", &certificate.privkey, "its private key"),
        ];
        for (name, expected, meaning) in sent {
            let path = files.of_node(node).join(name);
            let found = fs::read(&path).unwrap_or_default();
            let mode = fs::metadata(&path)
                .map_or_else(|_| "-".to_owned(), |file| format!("{:o}", file.permissions().mode() & 0o777));
            let same = found == expected.as_bytes();
            all_there &= same;
            let (content, mood) = if same { (meaning, Mood::Good) } else { ("not what was sent", Mood::Bad) };
            let shown = path.strip_prefix(&files.root).unwrap_or(&path).display().to_string();
            table.moody_row([
                (shown.as_str(), Mood::Plain),
                (mode.as_str(), Mood::Plain),
                (found.len().to_string().as_str(), Mood::Plain),
                (content, mood),
            ]);
        }
    }
    (table, all_there)
}

/// The beginning of the first certificate's SHA-256 fingerprint, as `openssl x509 -fingerprint -sha256` shows it.
pub(crate) fn fingerprint(pem: &str) -> String {
    let body: String = pem.lines().skip(1).take_while(|line| !line.starts_with("-----")).collect();
    let digest = Digest::of(&STANDARD.decode(body).unwrap_or_default()).hex().to_uppercase();
    let pairs: Vec<_> = digest.as_bytes().chunks(2).take(8).map(String::from_utf8_lossy).collect();
    format!("{}:…", pairs.join(":"))
}
