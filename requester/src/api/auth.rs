//! Who is calling; and asking for a token where none is needed (reference 5.2), as Bacalhau's command does before
//! everything else.
//!
//! Where whoever reaches the API may use it, a token is a word that nobody looks at. It is still given only for a signature
//! that is one, so that a client that signs wrongly finds out here. Where callers must say who they are, there is no such
//! method.

use std::collections::BTreeMap;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use skrei_access::{Caller, Mode};
use skrei_protocol::api::auth::WhoAmI;
use utoipa::ToSchema;

use super::{Api, body::Body, error::ApiError, segment::Segment};

/// The one method there is.
const METHOD: &str = "ClientKey";

/// What clients get and show again.
const TOKEN: &str = "open";

/// The ways to get a token.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Methods {
    /// Empty.
    next_token: String,
    /// By name; exactly one, so that nobody is asked which. None where callers show a key, a password or a token with each
    /// request.
    methods: BTreeMap<String, Requirement>,
}

/// What a method asks for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Requirement {
    /// `challenge`.
    #[serde(rename = "type")]
    kind: &'static str,
    params: Challenge,
}

/// What is to be signed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Challenge {
    /// Base64.
    input_phrase: String,
}

/// Answer to a challenge.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct AnswerSent {
    /// Base64 of a JSON object with `PhraseSignature` and `PublicKey`.
    #[schema(required)]
    method_data: String,
}

/// What the answer was worth.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Answered {
    authentication: Authentication,
}

/// A token, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Authentication {
    success: bool,
    /// Why there is no token; left out if there is one.
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
    /// To be shown with every request; left out if there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    token: &'static str,
}

/// What `MethodData` holds.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Signed {
    /// Base64: RSA PKCS #1 v1.5 with SHA-256 over the bytes of the phrase.
    phrase_signature: String,
    /// Base64: PKCS #1 in DER.
    public_key: String,
}

impl Signed {
    fn is_of(&self, phrase: &str) -> bool {
        let signature = BASE64.decode(&self.phrase_signature);
        let key = BASE64.decode(&self.public_key);
        let (Ok(signature), Ok(key)) = (signature, key) else { return false };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key);
        key.verify(phrase.as_bytes(), &signature).is_ok()
    }
}

fn requirement(api: &Api) -> Requirement {
    let input_phrase = BASE64.encode(api.orchestrator.node().as_str());
    Requirement { kind: "challenge", params: Challenge { input_phrase } }
}

/// The ways to get a token.
#[utoipa::path(get, path = "/auth", tag = "Auth", operation_id = "listAuthMethods",
    responses((status = 200, body = Methods)))]
pub(super) async fn methods(State(api): State<Api>) -> Response {
    let methods = match mode(&api) {
        Mode::Open => BTreeMap::from([(METHOD.to_owned(), requirement(&api))]),
        Mode::Required => BTreeMap::new(),
    };
    super::json(&Methods { next_token: String::new(), methods })
}

/// What one of them asks for.
#[utoipa::path(get, path = "/auth/{method}", tag = "Auth", operation_id = "getAuthMethod",
    params(("method" = String, Path, description = "`ClientKey`")),
    responses((status = 200, body = Requirement)))]
pub(super) async fn method(State(api): State<Api>, Segment(method): Segment) -> Result<Response, ApiError> {
    known(&api, &method)?;
    Ok(super::json(&requirement(&api)))
}

/// Answers it.
#[utoipa::path(post, path = "/auth/{method}", tag = "Auth", operation_id = "answerAuthMethod",
    params(("method" = String, Path, description = "`ClientKey`")),
    request_body = AnswerSent, responses((status = 200, body = Answered),
        (status = 401, description = "The signature is not one of the phrase", body = Answered)))]
pub(super) async fn answer(
    State(api): State<Api>,
    Segment(method): Segment,
    body: Body,
) -> Result<Response, ApiError> {
    known(&api, &method)?;
    let AnswerSent { method_data } = body.read()?;
    let data = BASE64.decode(method_data).ok();
    let signed: Option<Signed> = data.and_then(|data| serde_json::from_slice(&data).ok());
    let signed = signed.ok_or_else(|| {
        ApiError::bad_request(
            "`MethodData` is not the base64 of an object with `PhraseSignature` and `PublicKey`",
        )
    })?;
    if !signed.is_of(api.orchestrator.node().as_str()) {
        let reason = "the signature is not one of the phrase by that key";
        let authentication = Authentication { success: false, reason, token: "" };
        return Ok((StatusCode::UNAUTHORIZED, super::json(&Answered { authentication })).into_response());
    }
    let authentication = Authentication { success: true, reason: "", token: TOKEN };
    Ok(super::json(&Answered { authentication }))
}

/// Who is calling, and what they may do.
#[utoipa::path(get, path = "/auth/whoami", tag = "Auth", operation_id = "whoAmI",
    responses((status = 200, body = WhoAmI)))]
pub(super) async fn who_am_i(Extension(caller): Extension<Caller>) -> Response {
    super::json(&WhoAmI {
        name: caller.name,
        method: caller.method.to_string(),
        capabilities: caller.capabilities.to_words(),
    })
}

fn mode(api: &Api) -> Mode {
    api.orchestrator.config.callers.access.mode()
}

fn known(api: &Api, method: &str) -> Result<(), ApiError> {
    match (mode(api), method) {
        (Mode::Open, METHOD) => Ok(()),
        (Mode::Open, other) => {
            Err(ApiError::not_found("method of authentication", other, "`ClientKey` is the only one"))
        }
        (Mode::Required, other) => {
            let hint = "show a key, a password or a token with each request (`Authorization`)";
            Err(ApiError::not_found("method of authentication", other, hint))
        }
    }
}
