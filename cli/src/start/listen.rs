//! Ports.

use std::{io, net::SocketAddr};

use tokio::net::TcpListener;

use crate::{
    config::{Address, Config},
    error::Error,
};

/// The two ports of an orchestrator.
#[derive(Debug)]
pub(crate) struct Ports {
    /// For commands.
    pub(crate) api: Bound,
    /// For compute nodes.
    pub(crate) nodes: Bound,
}

/// A port that is ours.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The port.
    pub(crate) listener: TcpListener,
    /// Its address, with the port the system chose.
    pub(crate) address: SocketAddr,
}

impl Ports {
    /// Binds both as configured.
    ///
    /// # Errors
    /// Which one cannot be had, and how to choose another.
    pub(crate) async fn bind(config: &Config) -> Result<Self, Error> {
        Ok(Self {
            api: Bound::bind(&config.api, "the API", "--api-host HOST", "--api-port PORT").await?,
            nodes: Bound::bind(
                &config.orchestrator.listen,
                "compute nodes",
                "-c Orchestrator.Host=HOST",
                "-c Orchestrator.Port=PORT",
            )
            .await?,
        })
    }
}

impl Bound {
    async fn bind(address: &Address, purpose: &str, host_flag: &str, port_flag: &str) -> Result<Self, Error> {
        let Address { host, port } = address;
        let bound = match TcpListener::bind((host.trim_matches(['[', ']']), *port)).await {
            Ok(listener) => listener.local_addr().map(|address| Self { listener, address }),
            Err(error) => Err(error),
        };
        bound.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => Error::unavailable(format!(
                "port {port} of {host}, for {purpose}, is in use by another program"
            ))
            .hint(format!("choose another with {port_flag} (0 takes any that is free)")),
            io::ErrorKind::PermissionDenied => {
                Error::unavailable(format!("port {port}, for {purpose}, is for root alone"))
                    .hint(format!("choose one above 1023 with {port_flag}, or {}", super::privileges()))
            }
            _ => Error::unavailable(format!("cannot listen on {host}:{port} for {purpose}: {error}"))
                .hint(format!("the host must be an address of this machine; choose one with {host_flag}")),
        })
    }

    /// Where a program on this machine reaches it, `HOST:PORT`.
    pub(crate) fn reachable(&self) -> SocketAddr {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        address
    }

    /// Whether other machines can reach it.
    pub(crate) fn is_open(&self) -> bool {
        !self.address.ip().is_loopback()
    }
}
