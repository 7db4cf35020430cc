//! A typed client of the API.

mod error;
mod events;
mod jobs;
mod logs;
mod nodes;
mod results;
mod secrets;
mod selected;
mod upload;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{AUTHORIZATION, HeaderValue, LOCATION},
    redirect::Policy,
};
use serde::{Serialize, de::DeserializeOwned};
use skrei_job::Digest;
use skrei_tls::{ClientConfig, Trust};
use url::Url;

pub use error::Error;
pub use events::{Events, News};
use jobs::job_path;
pub use logs::{LogQuery, Logs};
pub use results::Download;
pub use selected::Selection;
use upload::upload_offset;

use crate::{
    api::{
        AgentConfig, Alive, BASE, List,
        artifact::{ARTIFACT_PIECE_BYTES_MAX, Artifact},
        audit::AuditEntry,
        auth::{AuthConfig, WhoAmI},
        node::NodeInfo,
    },
    version::BuildInfo,
};

/// Longest wait for an answer, streams and uploads excepted.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers in a row that may lead elsewhere.
const REDIRECTS_MAX: usize = 5;

/// Talks to one orchestrator. Cheap to clone; connections are kept and reused.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    endpoint: Url,
    /// For connections that are not `http`'s.
    tls: Option<Arc<ClientConfig>>,
    /// Shown with each request; marked so that nobody prints it.
    authorization: Option<HeaderValue>,
}

/// Where an answer may lead: on the same host, and never from HTTPS to what anybody on the way can read.
fn redirects() -> Policy {
    Policy::custom(|attempt| {
        let (to, from) = (attempt.url(), attempt.previous().last());
        let is_same_host = from.is_some_and(|from| from.host_str() == to.host_str());
        let is_downgrade = from.is_some_and(|from| from.scheme() == "https" && to.scheme() != "https");
        if is_same_host && !is_downgrade && attempt.previous().len() <= REDIRECTS_MAX {
            attempt.follow()
        } else {
            attempt.stop()
        }
    })
}

/// Query parameters by name; empty ones are left out.
type Query<'a> = [(&'a str, String)];

impl Client {
    /// A client for the orchestrator at `endpoint`, `http://HOST:PORT` or `https://HOST:PORT`, that trusts whom the
    /// system trusts.
    ///
    /// # Errors
    /// If the endpoint is not such a URL.
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        Self::trusting(endpoint, &Trust::default())
    }

    /// A client for the orchestrator at `endpoint` that trusts these servers alone.
    ///
    /// # Errors
    /// If the endpoint is not such a URL, or the authorities cannot be used.
    pub fn trusting(endpoint: &str, trust: &Trust) -> Result<Self, Error> {
        let parsed = Url::parse(endpoint)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let endpoint = parsed.ok_or_else(|| Error::BadEndpoint(endpoint.to_owned()))?;
        let mut tls = None;
        let mut http =
            reqwest::Client::builder().connect_timeout(CONNECT_TIMEOUT).tcp_nodelay(true).no_proxy();
        http = http.redirect(redirects());
        if endpoint.scheme() == "https" {
            let mut config = trust.client_config()?;
            // Of a websocket's handshake, HTTP/1.1 is what everybody understands (RFC 6455).
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            tls = Some(Arc::new(config.clone()));
            config.alpn_protocols.insert(0, b"h2".to_vec());
            http = http.tls_backend_preconfigured(config);
        }
        let http = http.build().map_err(|error| Error::unreachable(&endpoint, error))?;
        Ok(Self { http, endpoint, tls, authorization: None })
    }

    /// The same client, showing this `Authorization` with each request.
    ///
    /// # Errors
    /// If it holds what no header may.
    pub fn showing(mut self, authorization: &str) -> Result<Self, Error> {
        let mut value = HeaderValue::from_str(authorization).map_err(|_| Error::BadCredential)?;
        value.set_sensitive(true);
        self.authorization = Some(value);
        Ok(self)
    }

    /// Where it talks to.
    pub fn endpoint(&self) -> &str {
        self.endpoint.as_str().trim_end_matches('/')
    }

    /// Whether the other side answers.
    ///
    /// # Errors
    /// As [`Error`] says; so for all calls below.
    pub async fn alive(&self) -> Result<Alive, Error> {
        self.get("/agent/alive", &[]).await
    }

    /// What the other side was built as.
    pub async fn version(&self) -> Result<BuildInfo, Error> {
        self.get("/agent/version", &[]).await
    }

    /// What the other side says of itself.
    pub async fn agent_node(&self) -> Result<NodeInfo, Error> {
        self.get("/agent/node", &[]).await
    }

    /// The other side's configuration, secrets masked.
    pub async fn agent_config(&self) -> Result<serde_json::Value, Error> {
        self.get::<AgentConfig>("/agent/config", &[]).await.map(|answer| answer.config)
    }

    /// Where to log in, if the other side has an identity provider.
    pub async fn auth_config(&self) -> Result<AuthConfig, Error> {
        self.get("/agent/authconfig", &[]).await
    }

    /// Who the other side takes the caller for.
    pub async fn who_am_i(&self) -> Result<WhoAmI, Error> {
        self.get("/auth/whoami", &[]).await
    }

    /// A page of the record of who changed what, newest first; of one user unless `user` is empty, and since so many
    /// seconds after 1970.
    pub async fn audit(
        &self,
        user: &str,
        since: u64,
        limit: u32,
        next_token: &str,
    ) -> Result<List<AuditEntry>, Error> {
        let query = [
            ("user", user.to_owned()),
            ("since", since.to_string()),
            ("limit", limit.to_string()),
            ("next_token", next_token.to_owned()),
        ];
        self.get("/audit", &query).await
    }

    /// Makes sure the orchestrator holds this content; sends it only if it does not.
    pub async fn ensure_artifact(&self, content: Bytes) -> Result<Artifact, Error> {
        let digest = Digest::of(&content);
        let size = content.len() as u64;
        let path = format!("/orchestrator/artifacts/{}", digest.hex());
        let head = self.request(Method::HEAD, &path, &[]).timeout(ANSWER_TIMEOUT);
        let answer = self.answer(head).await?;
        if answer.status() == StatusCode::OK {
            return Ok(Artifact { digest, size });
        }
        if content.len() > ARTIFACT_PIECE_BYTES_MAX {
            return self.upload_in_pieces(&path, content, upload_offset(&answer)).await;
        }
        let upload = self
            .request(Method::PUT, &path, &[])
            .header("Content-Type", "application/octet-stream")
            .body(content);
        self.read(upload).await
    }

    /// Follows the event stream after `position`. 0 means from the beginning of the job, or from now on for all.
    pub async fn events(&self, job: Option<&str>, position: u64) -> Result<Events, Error> {
        Events::open(self.clone(), job.map(str::to_owned), position).await
    }

    /// The same for one job, with what its guests say of how far they are.
    pub async fn events_and_progress(&self, job: &str) -> Result<Events, Error> {
        Events::open_with_progress(self.clone(), job.to_owned()).await
    }

    /// Opens a job's log.
    pub async fn logs(&self, job: &str, query: &LogQuery) -> Result<Logs, Error> {
        Logs::open(self, &job_path(job, "/logs"), query).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &Query<'_>) -> Result<T, Error> {
        self.read(self.request(Method::GET, path, query).timeout(ANSWER_TIMEOUT)).await
    }

    async fn all_pages<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, Error> {
        let (mut all, mut token) = (Vec::new(), String::new());
        loop {
            let page: List<T> = self.get(path, &[("next_token", token.clone())]).await?;
            all.extend(page.items);
            // A token that leads nowhere would lead there for ever.
            if page.next_token.is_empty() || page.next_token == token {
                return Ok(all);
            }
            token = page.next_token;
        }
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.read(self.request(method, path, &[]).json(body).timeout(ANSWER_TIMEOUT)).await
    }

    fn request(&self, method: Method, path: &str, query: &Query<'_>) -> RequestBuilder {
        let mut url = self.endpoint.clone();
        url.set_path(&format!("{BASE}{path}"));
        for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
            url.query_pairs_mut().append_pair(name, value);
        }
        let request = self.http.request(method, url);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization.clone()),
            None => request,
        }
    }

    async fn answer(&self, request: RequestBuilder) -> Result<reqwest::Response, Error> {
        request.send().await.map_err(|error| Error::unreachable(&self.endpoint, error))
    }

    async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let answer = self.answer(request).await?;
        self.read_answer(answer).await
    }

    async fn read_answer<T: DeserializeOwned>(&self, answer: reqwest::Response) -> Result<T, Error> {
        let status = answer.status();
        if let Some(to) = sent_on(&self.endpoint, &answer) {
            return Err(to);
        }
        let body = answer.bytes().await.map_err(|error| Error::unreachable(&self.endpoint, error))?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body)
                .map_err(|error| Error::unexpected(&self.endpoint, status, &error));
        }
        match serde_json::from_slice(&body) {
            Ok(body) => Err(Error::Api(Box::new(body))),
            Err(error) => Err(Error::unexpected(&self.endpoint, status, &error)),
        }
    }
}

/// Whether an answer points to another place.
fn sent_on(endpoint: &Url, answer: &reqwest::Response) -> Option<Error> {
    let to = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection())?;
    let to = endpoint.join(to.to_str().ok()?).ok()?;
    let shown = |url: &Url| shown_url(url).as_str().trim_end_matches('/').to_owned();
    Some(Error::Redirected { endpoint: shown(endpoint), to: shown(&to) })
}

/// Scheme, host and port: what comes behind them may be a secret.
fn shown_url(url: &Url) -> Url {
    let mut shown = url.clone();
    shown.set_path("");
    shown.set_query(None);
    shown.set_fragment(None);
    // Neither fails for a URL with a host.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown
}

/// One path segment: names of jobs may contain anything, slashes and spaces included.
pub(crate) fn segment(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
