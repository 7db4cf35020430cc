//! Flags for the certificate of the API, which `serve` and `devstack` have.

use clap::Args;

use crate::config::Flags;

/// How the API is encrypted.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Certificate {
    /// Serve the API by HTTPS with this certificate chain, PEM; it is read again when it changes [key: API.TLS.CertFile]
    #[arg(long, value_name = "FILE")]
    tlscert: Option<String>,
    /// Its key, PEM [key: API.TLS.KeyFile]
    #[arg(long, value_name = "FILE")]
    tlskey: Option<String>,
    /// Serve the API by HTTPS with a certificate for these names, ordered and renewed by ACME [key: API.TLS.AutoCert]
    #[arg(long, value_name = "NAME,NAME")]
    autocert: Option<String>,
    /// Serve the API by HTTPS with a certificate of a local authority, made here [key: API.TLS.SelfSigned]
    #[arg(long)]
    self_signed: bool,
}

impl Certificate {
    /// These flags beside others.
    pub(crate) fn beside(self, flags: Flags) -> Flags {
        Flags {
            cert_file: self.tlscert,
            key_file: self.tlskey,
            autocert: self.autocert,
            self_signed: self.self_signed,
            ..flags
        }
    }
}
