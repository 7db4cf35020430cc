//! Requests to an orchestrator's node listener, outside the link.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use skrei_protocol::join::Refusal;
use skrei_tls::{CertificateError, ClientConfig, TlsError};

use super::error::Failed;
use crate::link::Address;

/// How long an answer may take: one to a wrong token is held back for a second.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Largest answer: two certificates.
const ANSWER_MAX_BYTES: usize = 64 << 10;

/// A client of one orchestrator.
pub(super) struct Requests<'a> {
    client: Client,
    orchestrator: &'a Address,
}

impl<'a> Requests<'a> {
    pub(super) fn to(orchestrator: &'a Address, config: ClientConfig) -> Result<Self, Failed> {
        let client = Client::builder()
            .tls_backend_preconfigured(config)
            .timeout(ANSWER_MAX)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| Failed::Now(causes(&error)))?;
        Ok(Self { client, orchestrator })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        self.answer(self.client.get(self.url(path))).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Failed> {
        self.answer(self.client.post(self.url(path)).json(body)).await
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.orchestrator)
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failed> {
        let mut response = request.send().await.map_err(|error| Failed::Now(causes(&error)))?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(|error| Failed::Now(causes(&error)))? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_MAX_BYTES {
                return Err(Failed::Now("it answers more than an orchestrator does".to_owned()));
            }
        }
        let garbled = || Failed::Now("it is no orchestrator of this version".to_owned());
        match response.status() {
            StatusCode::OK => serde_json::from_slice(&body).map_err(|_| garbled()),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                let refusal = serde_json::from_slice::<Refusal>(&body);
                Err(Failed::Now(refusal.map_or_else(|_| format!("it answers {status}"), |it| it.message)))
            }
            _ => match serde_json::from_slice(&body) {
                Ok(refusal) => Err(Failed::refused(self.orchestrator, refusal)),
                Err(_) => Err(garbled()),
            },
        }
    }
}

/// An error in words: that of the handshake if there is one, and otherwise with everything below it.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut source = Some(error);
    while let Some(cause) = source {
        if let Some(words) = tls(cause) {
            return words;
        }
        source = cause.source();
        if let Some(cause) = source {
            message = format!("{message}: {cause}");
        }
    }
    message
}

/// What failed in a handshake, for people.
fn tls(cause: &(dyn std::error::Error + 'static)) -> Option<String> {
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let error = cause.downcast_ref::<TlsError>().or_else(|| inner?.downcast_ref::<TlsError>())?;
    Some(match error {
        TlsError::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired: check the clocks of both machines".to_owned()
        }
        TlsError::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet: check the clocks of both machines".to_owned(),
        TlsError::InvalidCertificate(_) => {
            "it is not the orchestrator it should be: another authority vouches for it".to_owned()
        }
        TlsError::InvalidMessage(_) => {
            "it does not speak TLS: is this the port for compute nodes?".to_owned()
        }
        other => other.to_string(),
    })
}
