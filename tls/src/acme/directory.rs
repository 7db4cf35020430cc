//! The way to the authority's directory.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::http::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};

use super::AcmeError;
use crate::Trust;

/// Longest wait for an answer.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// Longest answer; a chain of certificates has some kilobytes.
const ANSWER_MAX_BYTES: usize = 1 << 20;

/// Requests to an authority that is believed by these rules.
#[derive(Clone, Debug)]
pub(crate) struct Directory(reqwest::Client);

impl Directory {
    pub(crate) fn trusting(trust: &Trust) -> Result<Self, AcmeError> {
        let client = reqwest::Client::builder()
            .timeout(ANSWER_MAX)
            .https_only(true)
            .tls_backend_preconfigured(trust.client_config()?)
            .build();
        client.map(Self).map_err(|error| AcmeError::Order(with_causes(&error)))
    }
}

impl HttpClient for Directory {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let client = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Ok(body) = body.collect().await;
            let request = Request::from_parts(parts, reqwest::Body::from(body.to_bytes()));
            let request = reqwest::Request::try_from(request).map_err(|error| Error::Other(error.into()))?;
            let answer = client.execute(request).await;
            let answer = answer.map_err(|error| Error::Other(with_causes(&error).into()))?;
            let (parts, body) = Response::from(answer).into_parts();
            Ok(Response::from_parts(parts, Limited::new(body, ANSWER_MAX_BYTES)).into())
        })
    }
}

/// An error's message and those of its causes, each once.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let message = next.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = next.source();
    }
    text
}
