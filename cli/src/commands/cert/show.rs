//! `skrei cert show` and `skrei cert fingerprint`.

use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use serde_json::{Value, json};
use skrei_tls::Description;

use super::{existing, unreadable};
use crate::{
    cli::Globals,
    error::Error,
    exit,
    terminal::{
        self,
        format::ListFormat,
        table::{Mood, Table},
        time,
    },
};

/// What certificates say: for whom they are, who vouches for them, until when. Keys are never shown.
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// A PEM file [default: the local authority's certificate and its server's]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    format: ListFormat,
}

/// The SHA-256 of a certificate, by which clients can trust it (API.TLS.Fingerprint).
#[derive(Debug, Args)]
pub(crate) struct Fingerprint {
    /// A PEM file; its first certificate counts [default: the local authority's]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Show {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let mut found = Vec::new();
        let files = match self.file {
            Some(file) => vec![file],
            None => {
                let authority = existing(globals)?;
                let server = authority.server_files().certificate;
                let server = Some(server).filter(|server| server.exists());
                [authority.certificate_file()].into_iter().chain(server).collect()
            }
        };
        for file in files {
            for description in Description::of_file(&file).map_err(|error| unreadable(&error))? {
                // The server's file carries the authority's certificate behind its own.
                if !found.contains(&description) {
                    found.push(description);
                }
            }
        }
        let mut table = Table::new(&["subject", "issuer", "for", "names", "until", "sha-256"]);
        for description in &found {
            row(&mut table, description);
        }
        self.format.show(&table, &found.iter().map(item).collect::<Vec<_>>())?;
        Ok(exit::SUCCESS)
    }
}

impl Fingerprint {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let file = match self.file {
            Some(file) => file,
            None => existing(globals)?.certificate_file(),
        };
        let found = Description::of_file(&file).map_err(|error| unreadable(&error))?;
        if let Some(first) = found.first() {
            terminal::data(&first.fingerprint.to_string())?;
        }
        Ok(exit::SUCCESS)
    }
}

fn purposes(description: &Description) -> String {
    if description.is_authority { "authority".to_owned() } else { description.purposes.join(", ") }
}

fn row(table: &mut Table, description: &Description) {
    let is_good = (description.not_before..=description.not_after).contains(&SystemTime::now());
    table.moody_row([
        (description.subject.as_str(), Mood::Plain),
        (description.issuer.as_str(), Mood::Plain),
        (purposes(description).as_str(), Mood::Plain),
        (description.names.join(" ").as_str(), Mood::Plain),
        (
            time::date(
                i64::try_from(seconds(description.not_after))
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1_000_000_000),
            )
            .as_str(),
            if is_good { Mood::Good } else { Mood::Bad },
        ),
        (description.fingerprint.to_string().as_str(), Mood::Plain),
    ]);
}

fn item(description: &Description) -> Value {
    json!({
        "Subject": description.subject,
        "Issuer": description.issuer,
        "For": purposes(description),
        "Names": description.names,
        "NotBefore": seconds(description.not_before),
        "NotAfter": seconds(description.not_after),
        "Fingerprint": description.fingerprint.to_string(),
    })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
