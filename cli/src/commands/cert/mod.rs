//! `skrei cert`: the local authority of `--self-signed`, and what it makes.

mod issue;
mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use skrei_tls::Authority;

use crate::{
    cli::Globals,
    commands::config,
    error::{Error, with_causes},
    exit, start, terminal,
};

/// Certificates of the local authority that `--self-signed` makes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What certificates say: the local authority's and its server's, or those of a file
    Show(show::Show),
    /// The local authority's certificate, for those who are to trust it
    Export(Export),
    /// The fingerprint by which a certificate is trusted (API.TLS.Fingerprint)
    Fingerprint(show::Fingerprint),
    /// Make a certificate for another server or client
    Issue(issue::Issue),
}

/// The local authority's certificate, PEM: for `--cacert` on other machines. There is no secret in it.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// Where to [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Command {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        match self {
            Self::Show(show) => show.run(globals),
            Self::Export(export) => export.run(globals),
            Self::Fingerprint(fingerprint) => fingerprint.run(globals),
            Self::Issue(issue) => issue.run(globals),
        }
    }
}

impl Export {
    fn run(self, globals: &Globals) -> Result<u8, Error> {
        let path = existing(globals)?.certificate_file();
        let cannot = |error| Error::unavailable(format!("`{}` cannot be read: {error}", path.display()));
        let certificate = std::fs::read_to_string(&path).map_err(cannot)?;
        match self.output {
            None => terminal::data(&certificate)?,
            Some(output) => std::fs::write(&output, certificate).map_err(|error| {
                Error::unavailable(format!("`{}` cannot be written: {error}", output.display()))
            })?,
        }
        Ok(exit::SUCCESS)
    }
}

/// The local authority, made if there is none.
fn authority(globals: &Globals) -> Result<Authority, Error> {
    start::authority(&config(globals)?.data_dir)
}

/// The local authority, if there is one: to look at it must not make it.
fn existing(globals: &Globals) -> Result<Authority, Error> {
    let data_dir = config(globals)?.data_dir;
    if !data_dir.join("tls/ca.pem").exists() {
        return Err(Error::not_found(format!("there is no local authority in `{}`", data_dir.display()))
            .hint("`skrei serve --self-signed` or `skrei cert issue` makes one; say where it is with --data-dir"));
    }
    start::authority(&data_dir)
}

fn unreadable(error: &skrei_tls::DescribeError) -> Error {
    match error {
        skrei_tls::DescribeError::Unreadable { .. } => Error::not_found(with_causes(error)),
        _ => Error::usage(with_causes(error)),
    }
}
