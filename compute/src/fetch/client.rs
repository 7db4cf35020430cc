//! A client for one host, connected to nothing but addresses that were judged.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Client, Url, redirect::Policy};
use skrei_runtime::network::{Attempt, Host};

use super::{Error, Rules};

/// How long to wait for a connection, and for the next bytes on it.
const CONNECT_MAX: Duration = Duration::from_secs(10);
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The same where a large piece is sent before there is an answer.
const SENDING_MAX: Duration = Duration::from_secs(300);

/// Host and port of a URL.
pub(super) fn host_and_port(url: &Url) -> Result<(Host, u16), Error> {
    let host = url.host_str().and_then(|host| host.parse().ok());
    host.zip(url.port_or_known_default()).ok_or_else(|| {
        // Without what is behind the host: there may be a signature.
        Error::NoHost(format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default()))
    })
}

impl Rules {
    /// A client for this URL's host alone. It follows no redirection and uses no proxy: each would lead elsewhere.
    pub(super) async fn client(&self, url: &Url) -> Result<Client, Error> {
        self.client_for(url, SILENCE_MAX).await
    }

    /// As [`Rules::client`], for sending.
    pub(super) async fn sending_client(&self, url: &Url) -> Result<Client, Error> {
        self.client_for(url, SENDING_MAX).await
    }

    async fn client_for(&self, url: &Url, silence_max: Duration) -> Result<Client, Error> {
        self.may_reach(url)?;
        let (host, port) = host_and_port(url)?;
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_MAX)
            .read_timeout(silence_max)
            .no_proxy()
            .redirect(Policy::none());
        if let Host::Name(name) = &host {
            builder =
                builder.resolve_to_addrs(url.host_str().unwrap_or(name), &self.addresses(&host, port).await?);
        }
        builder.build().map_err(|error| Error::Network { from: host.to_string(), cause: error.to_string() })
    }

    /// Where a name leads, as far as the node may go there.
    async fn addresses(&self, host: &Host, port: u16) -> Result<Vec<SocketAddr>, Error> {
        let no_address = |cause: String| Error::NoAddress { host: host.to_string(), cause };
        let found = tokio::net::lookup_host((host.to_string(), port)).await;
        let found: Vec<_> = found.map_err(|error| no_address(error.to_string()))?.collect();
        let judged = found.iter().map(|&address| {
            self.permit(Attempt::Connection { host: host.clone(), address }).map(|()| address)
        });
        let (mut allowed, mut denied) = (Vec::new(), None);
        for judged in judged {
            match judged {
                Ok(address) => allowed.push(address),
                Err(error) => denied = Some(error),
            }
        }
        match (allowed.is_empty(), denied) {
            (false, _) => Ok(allowed),
            (true, Some(denied)) => Err(denied),
            (true, None) => Err(no_address("it has none".to_owned())),
        }
    }
}
