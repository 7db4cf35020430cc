//! `skrei cert issue`.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use clap::Args;
use skrei_tls::{AuthorityError, Purpose};

use super::authority;
use crate::{
    cli::Globals,
    error::Error,
    exit,
    logins::write_private,
    terminal::{self, style},
};

/// A day, in seconds.
const DAY: u64 = 86_400;

/// Makes a certificate of the local authority, and its key: for another server, or for a client.
#[derive(Debug, Args)]
#[command(
    after_help = "The authority is made if there is none. Nothing is kept of what it issues: it ends when its time is over."
)]
pub(crate) struct Issue {
    /// Names and addresses it is for
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// For a client, called by the first name
    #[arg(long)]
    client: bool,
    /// For so many days
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=825))]
    days: u16,
    /// Where the certificate goes, with the authority's behind it, PEM [default: NAME.pem]
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Where its key goes, for its owner alone, PEM [default: NAME-key.pem]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

impl Issue {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let authority = authority(globals)?;
        let called = self.names[0].replace(['/', '*', ':'], "_");
        let names: BTreeSet<String> = self.names.into_iter().collect();
        let purpose = if self.client { Purpose::Client } else { Purpose::Server };
        let lifetime = Duration::from_secs(u64::from(self.days) * DAY);
        let issued = authority.issue(&names, purpose, SystemTime::now(), lifetime).map_err(|error| {
            let message = format!("the certificate cannot be made: {error}");
            match error {
                AuthorityError::Name(_) => Error::usage(message)
                    .hint("names are such as `node.example.com`, `*.example.com` or `192.0.2.1`"),
                _ => Error::unavailable(message),
            }
        })?;
        let certificate = self.cert.unwrap_or_else(|| PathBuf::from(format!("{called}.pem")));
        let key = self.key.unwrap_or_else(|| PathBuf::from(format!("{called}-key.pem")));
        write_private(&key, issued.key.as_bytes())?;
        std::fs::write(&certificate, issued.chain).map_err(|error| {
            Error::unavailable(format!("`{}` cannot be written: {error}", certificate.display()))
        })?;
        let style = style::stderr();
        terminal::note(&format!(
            "{} and its key {} are good for {} days, for those who trust {}.",
            style.bold(&certificate.display().to_string()),
            style.bold(&key.display().to_string()),
            self.days,
            authority.certificate_file().display()
        ));
        Ok(exit::SUCCESS)
    }
}
