//! Logging in at an identity provider on another device (RFC 8628).

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode, redirect::Policy};
use serde::{Deserialize, de::DeserializeOwned};
use skrei_tls::{Trust, TrustError};
use url::{Url, form_urlencoded};

use crate::Secret;

/// How long the provider may take for one answer.
const TIME_MAX: Duration = Duration::from_secs(20);

/// Largest answer.
const BODY_MAX_BYTES: usize = 256 << 10;

/// What is added to the pause when the provider finds us too eager (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Bounds of that pause, whatever the provider wants.
const PAUSE: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);

/// Longest time for somebody to confirm, whatever the provider gives.
const CONFIRM_MAX: Duration = Duration::from_secs(3600);

/// Longest code and page that are shown.
const CODE_CHARS_MAX: usize = 64;
const PAGE_CHARS_MAX: usize = 2048;

/// Longest refusal that is shown.
const WORDS_CHARS_MAX: usize = 300;

/// The provider's word for this way of logging in.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Where to log in, and as what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoginSettings {
    /// Where to ask for a code.
    pub device_endpoint: String,
    /// Where to get the token.
    pub token_endpoint: String,
    /// What we call ourselves.
    pub client: String,
    /// For whom the token is to be; empty to leave that to the provider.
    pub audience: String,
    /// What to ask for.
    pub scopes: Vec<String>,
    /// The pause between two questions, unless the provider wants another.
    pub interval: Duration,
}

/// Somebody is to confirm a code in a browser.
#[derive(Debug)]
pub struct Login {
    http: Client,
    token_endpoint: Url,
    client: String,
    device_code: Secret,
    /// What the person has to compare or type.
    pub user_code: String,
    /// Where.
    pub page: String,
    /// The same with the code in it, if there is such a page.
    pub page_with_code: Option<String>,
    /// From when on the code is none.
    pub until: Instant,
    interval: Duration,
}

/// What the provider gave.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// To be shown to the server.
    pub token: Secret,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The server does not say where.
    #[error("the server's identity provider has no {0}, which logging in takes")]
    NotOffered(&'static str),
    /// A secret would go in clear.
    #[error("`{0}` is not an https:// URL: what is sent there could be read on the way")]
    NotEncrypted(String),
    /// The authorities cannot be read.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The provider does not answer.
    #[error("the identity provider at {0} does not answer: {1}")]
    Away(String, String),
    /// It answers with something else.
    #[error("the identity provider's answer cannot be understood: {0}")]
    Unexpected(String),
    /// It says no.
    #[error("the identity provider refuses: {0}")]
    Refused(String),
    /// Nobody confirmed.
    #[error("nobody confirmed the code in time")]
    Expired,
    /// Somebody said no.
    #[error("the login was refused in the browser")]
    Denied,
}

#[derive(Deserialize)]
struct DeviceAnswer {
    device_code: String,
    user_code: String,
    #[serde(alias = "verification_url")]
    verification_uri: String,
    verification_uri_complete: Option<String>,
    expires_in: u64,
    interval: Option<u64>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct ErrorAnswer {
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Login {
    /// Asks for a code.
    ///
    /// # Errors
    /// The provider is not there, or does not want to.
    pub async fn begin(settings: &LoginSettings, trust: &Trust) -> Result<Self, LoginError> {
        if settings.client.is_empty() {
            return Err(LoginError::NotOffered("`DeviceClientID`"));
        }
        let device_endpoint = endpoint(&settings.device_endpoint, "`DeviceAuthorizationEndpoint`")?;
        let token_endpoint = endpoint(&settings.token_endpoint, "`TokenEndpoint`")?;
        let http = Client::builder()
            .timeout(TIME_MAX)
            .redirect(Policy::none())
            .tls_backend_preconfigured(trust.client_config()?)
            .build()
            .map_err(|error| LoginError::Unexpected(error.to_string()))?;
        let scopes = settings.scopes.join(" ");
        let mut form = vec![("client_id", settings.client.as_str())];
        form.extend((!scopes.is_empty()).then_some(("scope", scopes.as_str())));
        form.extend((!settings.audience.is_empty()).then_some(("audience", settings.audience.as_str())));
        let answer: DeviceAnswer = match post(&http, &device_endpoint, &form).await? {
            Ok(answer) => answer,
            Err(refused) => return Err(LoginError::Refused(refused.words())),
        };
        let interval = answer.interval.map_or(settings.interval, Duration::from_secs);
        Ok(Self {
            http,
            token_endpoint,
            client: settings.client.clone(),
            device_code: Secret::new(answer.device_code),
            user_code: code(answer.user_code)?,
            page: page(&answer.verification_uri)?,
            page_with_code: answer.verification_uri_complete.as_deref().map(page).transpose()?,
            until: Instant::now() + Duration::from_secs(answer.expires_in).min(CONFIRM_MAX),
            interval: interval.clamp(*PAUSE.start(), *PAUSE.end()),
        })
    }

    /// Waits until the code is confirmed. There is no other way than to ask again and again.
    ///
    /// # Errors
    /// It was not.
    pub async fn wait(mut self) -> Result<LoggedIn, LoginError> {
        loop {
            tokio::time::sleep(self.interval).await;
            if Instant::now() >= self.until {
                return Err(LoginError::Expired);
            }
            let form = [
                ("grant_type", GRANT),
                ("device_code", self.device_code.expose()),
                ("client_id", &self.client),
            ];
            match post::<TokenAnswer>(&self.http, &self.token_endpoint, &form).await? {
                Ok(answer) => return logged_in(answer),
                Err(refused) => match refused.error.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => self.interval = (self.interval + SLOWER).min(*PAUSE.end()),
                    "expired_token" => return Err(LoginError::Expired),
                    "access_denied" => return Err(LoginError::Denied),
                    _ => return Err(LoginError::Refused(refused.words())),
                },
            }
        }
    }
}

/// The access token if the server can read it; some providers give one that only they understand.
fn logged_in(answer: TokenAnswer) -> Result<LoggedIn, LoginError> {
    let is_readable = |token: &String| token.starts_with("eyJ") && token.split('.').count() == 3;
    let token = Some(answer.access_token).filter(is_readable).or(answer.id_token.filter(is_readable));
    let none = || LoginError::Unexpected("it gave no token that the server can read (JWT)".to_owned());
    token.map(|token| LoggedIn { token: Secret::new(token) }).ok_or_else(none)
}

impl ErrorAnswer {
    /// In the provider's words, as one line of a terminal.
    fn words(&self) -> String {
        let words = if self.error_description.is_empty() { &self.error } else { &self.error_description };
        words.chars().filter(|c| !c.is_control()).take(WORDS_CHARS_MAX).collect()
    }
}

/// The code as it is shown. Nothing that could say something else on a terminal, or move the cursor, is one.
fn code(text: String) -> Result<String, LoginError> {
    let is_code = (1..=CODE_CHARS_MAX).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic());
    is_code.then_some(text).ok_or_else(|| LoginError::Unexpected("its code is no code to compare".to_owned()))
}

/// The page as it is shown: by HTTPS, and written so that its host can be read.
fn page(url: &str) -> Result<String, LoginError> {
    let page = endpoint(url, "page to log in")?;
    let is_plain = page.username().is_empty() && page.password().is_none();
    let shown = String::from(page);
    if is_plain && shown.len() <= PAGE_CHARS_MAX {
        Ok(shown)
    } else {
        Err(LoginError::Unexpected("its page to log in is no plain URL".to_owned()))
    }
}

fn endpoint(url: &str, name: &'static str) -> Result<Url, LoginError> {
    if url.is_empty() {
        return Err(LoginError::NotOffered(name));
    }
    let parsed = Url::parse(url)
        .map_err(|error| LoginError::Unexpected(format!("`{}`: {error}", url.escape_debug())))?;
    let is_here = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if parsed.scheme() == "https" || (parsed.scheme() == "http" && is_here) {
        Ok(parsed)
    } else {
        Err(LoginError::NotEncrypted(parsed.into()))
    }
}

async fn post<T: DeserializeOwned>(
    http: &Client,
    url: &Url,
    form: &[(&str, &str)],
) -> Result<Result<T, ErrorAnswer>, LoginError> {
    let away = |error: reqwest::Error| {
        LoginError::Away(url.origin().ascii_serialization(), error.without_url().to_string())
    };
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http
        .post(url.clone())
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Accept", "application/json")
        .body(body);
    let mut answer = request.send().await.map_err(away)?;
    let is_success = answer.status() == StatusCode::OK;
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > BODY_MAX_BYTES {
            return Err(LoginError::Unexpected(format!("it has more than {BODY_MAX_BYTES} bytes")));
        }
    }
    // The body holds secrets: of what is wrong with it, only the place is told.
    let unexpected = |error: serde_json::Error| {
        LoginError::Unexpected(format!("line {}, column {}", error.line(), error.column()))
    };
    if is_success {
        serde_json::from_slice(&body).map(Ok).map_err(unexpected)
    } else {
        serde_json::from_slice(&body).map(Err).map_err(unexpected)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_is_shown_is_a_code_and_a_page_and_nothing_that_only_looks_like_them() {
        assert_eq!(code("BDSD-HQMK".to_owned()).unwrap(), "BDSD-HQMK");
        for text in ["", "AB CD", "A\u{1b}[2K", "A\nthen type your password at evil.example", &"A".repeat(65)]
        {
            assert!(code(text.to_owned()).is_err(), "{text:?}");
        }
        assert_eq!(
            page("https://login.example.com/device?c=1").unwrap(),
            "https://login.example.com/device?c=1"
        );
        for url in [
            "http://login.example.com/device",
            "https://login.example.com@evil.example/device",
            "javascript:alert(1)",
            "login.example.com",
            "",
        ] {
            assert!(page(url).is_err(), "{url}");
        }
        let shown = page("https://login.example.com/\u{1b}[2K\u{202e}x").unwrap();
        assert!(shown.is_ascii() && !shown.contains('\u{1b}'), "{shown}");
        let refusal =
            ErrorAnswer { error: "x".to_owned(), error_description: "no\u{1b}[2J\r\nmore".to_owned() };
        assert_eq!(refusal.words(), "no[2Jmore");
    }
}
