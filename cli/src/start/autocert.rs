//! A certificate ordered by ACME.

use std::{
    io,
    net::{IpAddr, TcpListener},
    path::Path,
    sync::Arc,
    time::SystemTime,
};

use skrei_tls::{Acme, AcmeError, AcmeSettings, Challenge, Served, redirect};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    config::{Address, AutoCert},
    error::Error,
};

/// The port on which authorities look for TLS-ALPN-01 (RFC 8737 section 3).
const TLS_PORT: u16 = 443;

/// A certificate that is ordered.
pub(super) struct Ordered {
    /// What is served, once it is there.
    pub(super) served: Arc<Served>,
    /// Orders it, once it is told to.
    pub(super) acme: Acme,
    /// What runs meanwhile.
    pub(super) tasks: Vec<AbortOnDropHandle<()>>,
}

/// The certificate of before if there is one, and what orders the next. The port for challenges is bound, and answers.
pub(super) fn order(settings: &AutoCert, api: &Address, data_dir: &Path) -> Result<Ordered, Error> {
    let (challenge, listener) = challenge(settings, api)?;
    let acme = AcmeSettings {
        names: settings.names.clone(),
        directory: settings.directory.clone(),
        directory_ca: settings.directory_ca.clone(),
        email: settings.email.clone(),
        profile: settings.profile.clone(),
        external_account: settings.external_account.clone(),
        challenge,
        cache: settings.cache.clone().unwrap_or_else(|| data_dir.join("autocert-cache")),
    };
    let acme = Acme::open(acme, SystemTime::now()).map_err(|error| unusable(&error))?;
    let served = Served::ordered(acme.kept());
    let mut tasks = Vec::new();
    if let Some(listener) = listener {
        let answers = Arc::clone(served.answers());
        tasks.push(redirect(listener, answers, settings.names.clone(), api.port));
    }
    if api.host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback()) {
        tracing::warn!(
            "the API listens on {} alone, and authorities look from outside: --api-host 0.0.0.0",
            api.host
        );
    }
    Ok(Ordered { served, acme, tasks })
}

/// How the names are shown to be ours, with the port for it.
fn challenge(
    settings: &AutoCert,
    api: &Address,
) -> Result<(Challenge, Option<tokio::net::TcpListener>), Error> {
    let port = settings.http_port;
    if settings.challenge == Some(Challenge::TlsAlpn01) {
        return Ok((Challenge::TlsAlpn01, None));
    }
    match bind(&api.host, port) {
        Ok(listener) => Ok((Challenge::Http01, Some(listener))),
        Err(error) if settings.challenge.is_none() && api.port == TLS_PORT => {
            tracing::warn!("port {port} cannot be had ({error}): names are shown by tls-alpn-01, and nothing is redirected");
            Ok((Challenge::TlsAlpn01, None))
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(Error::unavailable(format!("port {port}, for http-01, is for root alone")).hint(super::privileges()))
        }
        Err(error) => Err(Error::unavailable(format!("port {port} of {}, for http-01, cannot be had: {error}", api.host))
            .hint("choose another with -c API.TLS.AutoCertHTTPPort=PORT, to which port 80 is forwarded; or serve the API \
                on port 443, with -c API.TLS.AutoCertChallenge=tls-alpn-01")),
    }
}

fn bind(host: &str, port: u16) -> io::Result<tokio::net::TcpListener> {
    let listener = TcpListener::bind((host.trim_matches(['[', ']']), port))?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

fn unusable(error: &AcmeError) -> Error {
    match error {
        AcmeError::Name(_) => Error::usage(format!("--autocert: {error}")).hint(
            "public DNS names, separated by commas: no addresses, no wildcards; for others use --self-signed",
        ),
        AcmeError::Trust(_) => Error::usage(format!("API.TLS.AutoCertDirectoryCA: {error}")),
        AcmeError::Cache { .. } => Error::unavailable(format!("the cache of ACME cannot be used: {error}"))
            .hint(
                "let the user that skrei runs as write it, or choose another with API.TLS.AutoCertCachePath",
            ),
        AcmeError::Order(_) => Error::internal(format!("set ACME up: {error}")),
    }
}
