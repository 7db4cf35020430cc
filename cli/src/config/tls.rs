//! How the API is encrypted, as it is configured.

use std::path::PathBuf;

use skrei_tls::{Challenge, ExternalAccount, PairFiles, Trust};

use super::get::Get;
use crate::error::Error;

/// How the API is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// What it is served with.
    pub(crate) server: ServerTls,
    /// Whether commands use it.
    pub(crate) used: bool,
    /// Whom commands trust.
    pub(crate) trust: Trust,
}

/// What the API is served with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerTls {
    /// Plain HTTP.
    Plain,
    /// A certificate and its key.
    Files(PairFiles),
    /// A certificate of the local authority.
    SelfSigned,
    /// A certificate ordered by ACME.
    AutoCert(AutoCert),
}

/// What is ordered by ACME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AutoCert {
    /// DNS names.
    pub(crate) names: Vec<String>,
    /// URL.
    pub(crate) directory: String,
    /// Who vouches for the directory.
    pub(crate) directory_ca: Option<PathBuf>,
    /// Where the authority may write to.
    pub(crate) email: Option<String>,
    /// The authority's word.
    pub(crate) profile: Option<String>,
    /// An account opened by other means.
    pub(crate) external_account: Option<ExternalAccount>,
    /// None: by what can be bound.
    pub(crate) challenge: Option<Challenge>,
    /// For `http-01`.
    pub(crate) http_port: u16,
    /// None: below the data directory.
    pub(crate) cache: Option<PathBuf>,
}

impl Tls {
    /// Makes it from what the sources say.
    pub(super) fn new(get: &Get<'_>) -> Result<Self, Error> {
        let self_signed = get.boolean("API.TLS.SelfSigned")?;
        let names = get.list("API.TLS.AutoCert")?;
        let is_file_given = get.file("API.TLS.CertFile")?.is_some() || get.file("API.TLS.KeyFile")?.is_some();
        if !names.is_empty() && (self_signed || is_file_given) {
            return Err(Error::usage(
                "the API is served with one certificate: ordered, of files, or self-signed",
            )
            .hint("leave out --autocert, or --tlscert and --tlskey, or --self-signed"));
        }
        let server = match (get.file("API.TLS.CertFile")?, get.file("API.TLS.KeyFile")?, self_signed) {
            (None, None, false) if !names.is_empty() => ServerTls::AutoCert(auto_cert(get, names)?),
            (None, None, false) => ServerTls::Plain,
            (None, None, true) => ServerTls::SelfSigned,
            (Some(certificate), Some(key), false) => ServerTls::Files(PairFiles { certificate, key }),
            (Some(_), Some(_), true) => {
                return Err(Error::usage(
                    "the API is served with certificate files, or self-signed, not both",
                )
                .hint("leave out --self-signed, or --tlscert and --tlskey"));
            }
            (Some(_), None, _) => return Err(half("certificate", "key", "--tlskey", "API.TLS.KeyFile")),
            (None, Some(_), _) => return Err(half("key", "certificate", "--tlscert", "API.TLS.CertFile")),
        };
        let fingerprint = match get.text("API.TLS.Fingerprint")?.as_str() {
            "" => None,
            text => {
                Some(text.parse().map_err(|wrong| Error::usage(format!("API.TLS.Fingerprint: {wrong}")))?)
            }
        };
        // A command on the server's own machine knows its authority.
        let own = get.path("DataDir")?.join("tls/ca.pem");
        let ca_file = get.file("API.TLS.CAFile")?.or_else(|| (self_signed && own.exists()).then_some(own));
        let trust = Trust { fingerprint, ca_file, insecure: get.boolean("API.TLS.Insecure")? };
        let used = get.boolean("API.TLS.UseTLS")? || server != ServerTls::Plain || trust != Trust::default();
        Ok(Self { server, used, trust })
    }
}

fn auto_cert(get: &Get<'_>, names: Vec<String>) -> Result<AutoCert, Error> {
    let text = |key: &str| get.text(key).map(|text| Some(text).filter(|text| !text.is_empty()));
    let external_account = match text("API.TLS.AutoCertEAB")? {
        None => None,
        Some(text) => {
            let account = text.parse();
            Some(account.map_err(|wrong| Error::usage(format!("API.TLS.AutoCertEAB: {wrong}")))?)
        }
    };
    Ok(AutoCert {
        names,
        directory: get.text("API.TLS.AutoCertDirectory")?,
        directory_ca: get.file("API.TLS.AutoCertDirectoryCA")?,
        email: text("API.TLS.AutoCertEmail")?,
        profile: text("API.TLS.AutoCertProfile")?,
        external_account,
        challenge: match get.text("API.TLS.AutoCertChallenge")?.as_str() {
            "http-01" => Some(Challenge::Http01),
            "tls-alpn-01" => Some(Challenge::TlsAlpn01),
            _ => None,
        },
        http_port: get.port("API.TLS.AutoCertHTTPPort")?,
        cache: get.file("API.TLS.AutoCertCachePath")?,
    })
}

fn half(given: &str, missing: &str, flag: &str, key: &str) -> Error {
    Error::usage(format!("the {given} of the API is given, and its {missing} is not"))
        .hint(format!("add {flag} FILE, or {key}"))
}
