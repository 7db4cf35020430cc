//! The certificate of the API.

use std::{net::IpAddr, path::Path, sync::Arc, time::SystemTime};

use skrei_tls::{Acme, Authority, Pair, PairFiles, Served, ServerConfig, names_of_this_machine, watch};
use tokio_util::task::AbortOnDropHandle;

use super::autocert::{self, Ordered};
use crate::{
    config::{Address, Config, ServerTls},
    error::Error,
};

/// What encrypts the API, kept up to date as long as this lives.
#[derive(Debug)]
pub(crate) struct Encryption {
    /// For the listener.
    pub(crate) config: Arc<ServerConfig>,
    served: Arc<Served>,
    acme: Option<Acme>,
    tasks: Vec<AbortOnDropHandle<()>>,
}

impl Encryption {
    /// As configured; none for plain HTTP. Everything about a certificate is checked here, before any port is opened.
    ///
    /// # Errors
    /// What is wrong with the certificate, and the way out.
    pub(crate) fn prepare(config: &Config, data_dir: &Path) -> Result<Option<Self>, Error> {
        let mut tasks = Vec::new();
        let (files, hosts) = match &config.tls.server {
            ServerTls::Plain => return Ok(None),
            ServerTls::AutoCert(settings) => {
                let Ordered { served, acme, tasks } = autocert::order(settings, &config.api, data_dir)?;
                return Self::of(served, tasks, Some(acme)).map(Some);
            }
            ServerTls::Files(files) => (files.clone(), called_by(&config.api)),
            ServerTls::SelfSigned => {
                let authority = authority(data_dir)?;
                let names = names_of_this_machine(addresses(&config.api));
                authority.provide(&names, SystemTime::now()).map_err(|error| unusable(&error))?;
                let fingerprint = authority.fingerprint().map_err(|error| unusable(&error))?;
                tracing::info!(
                    "self-signed: clients trust it with --cacert {} (SHA-256 {fingerprint})",
                    authority.certificate_file().display()
                );
                let files = authority.server_files();
                tasks.push(Arc::new(authority).renew(names));
                (files, Vec::new())
            }
        };
        let served = read(&files, &hosts)?;
        let watching = watch(files.clone(), Arc::clone(&served)).map_err(|error| {
            let certificate = files.certificate.display();
            Error::unavailable(format!(
                "changes of the certificate `{certificate}` cannot be watched: {error}"
            ))
        })?;
        tasks.push(watching);
        Self::of(served, tasks, None).map(Some)
    }

    fn of(served: Arc<Served>, tasks: Vec<AbortOnDropHandle<()>>, acme: Option<Acme>) -> Result<Self, Error> {
        let config =
            served.server_config().map_err(|error| Error::internal(format!("set TLS up: {error}")))?;
        Ok(Self { config, served, acme, tasks })
    }

    /// Begins to order certificates, where they are ordered: now that the ports are there for the authority to see.
    pub(crate) fn begin(&mut self) {
        let acme = self.acme.take();
        self.tasks.extend(acme.map(|acme| acme.supply(Arc::clone(&self.served))));
    }

    /// What is served; a client in this process believes it by its fingerprint.
    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }
}

/// The local authority below a data directory.
pub(crate) fn authority(data_dir: &Path) -> Result<Authority, Error> {
    Authority::open(data_dir.join("tls")).map_err(|error| unusable(&error))
}

fn read(files: &PairFiles, hosts: &[String]) -> Result<Arc<Served>, Error> {
    let pair = Pair::read(files, SystemTime::now())
        .map_err(|error| Error::usage(error.to_string()).hint(error.hint()))?;
    pair.warnings(hosts).iter().for_each(|warning| tracing::warn!("{warning}"));
    Ok(Served::new(&pair))
}

fn unusable(error: &skrei_tls::AuthorityError) -> Error {
    Error::unavailable(format!("the local certificate authority cannot be used: {error}"))
        .hint("its files lie in `tls` below DataDir; without them it is made anew, and clients must be told")
}

/// The name clients will use, as far as the configuration tells.
fn called_by(api: &Address) -> Vec<String> {
    let host = api.host.trim_matches(['[', ']']);
    // An address that is listened on says little about the name it is called by.
    let is_name = host.parse::<IpAddr>().is_err() && !host.is_empty() && host != "localhost";
    if is_name { vec![host.to_owned()] } else { Vec::new() }
}

/// An address that is listened on and, unlike those of the machine's interfaces, known from the configuration alone.
fn addresses(api: &Address) -> impl Iterator<Item = IpAddr> {
    api.host.trim_matches(['[', ']']).parse().into_iter()
}
