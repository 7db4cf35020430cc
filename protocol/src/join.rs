//! How a node becomes known to its orchestrator: what both say before there is a link.
//!
//! A node that has not joined shows a token and asks for a certificate ([`JoinRequest`]); one that has asks for its next
//! one with the one it has ([`RenewRequest`]). A token is either of the orchestrator's making ([`JoinToken`]), and names
//! the authority that vouches for the orchestrator, so that a node knows whom it talks to before it says anything; or a
//! word that both sides were configured with. That word is never sent: each side shows the other that it knows it
//! ([`Shared`]), bound to the authority that the node saw, so that nobody in between learns or can use anything.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use skrei_job::NodeId;
use skrei_tls::Fingerprint;

/// Path of [`JoinRequest`]s on the node listener.
pub const JOIN_PATH: &str = "/join/v1";

/// Path under which the listener tells a caller of the same machine where a token is kept ([`LocalToken`]).
pub const LOCAL_PATH: &str = "/join/v1/local";

/// Path of [`RenewRequest`]s on the node listener.
pub const RENEW_PATH: &str = "/certificate/v1";

/// How tokens of an orchestrator begin, so that they are found where they should not be.
const PREFIX: &str = "skjoin";

/// Hexadecimal digits of a token's id, and of its secret.
const ID_DIGITS: usize = 8;
const SECRET_DIGITS: usize = 32;

/// A token of an orchestrator's making: `skjoin-ID-SECRET-FINGERPRINT`.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinToken {
    /// What it is called where it is listed; not secret.
    pub id: String,
    /// What lets a node in.
    pub secret: String,
    /// The authority that vouches for the orchestrator.
    pub authority: Fingerprint,
}

/// What a node shows to be let in.
#[derive(Clone, Serialize, Deserialize)]
pub enum Proof {
    /// A token of the orchestrator's.
    Token {
        /// Its id.
        id: String,
        /// Its secret.
        secret: String,
    },
    /// That it knows the word both sides were configured with.
    Shared {
        /// [`Shared::of_node`], in hexadecimal digits.
        code: String,
    },
}

/// A node asks to be let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JoinRequest {
    /// What it is called.
    pub node: NodeId,
    /// A request to certify its key (PKCS#10, PEM).
    pub request: String,
    /// Why it should be let in.
    pub proof: Proof,
}

/// A node asks for its next certificate; who it is, its present one says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RenewRequest {
    /// A request to certify its next key (PKCS#10, PEM).
    pub request: String,
}

/// What a node gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Certified {
    /// Its certificate, PEM.
    pub certificate: String,
    /// The authority's certificate, PEM.
    pub authority: String,
    /// [`Shared::of_orchestrator`], where the node showed [`Proof::Shared`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Where a token is kept on the orchestrator's machine, for who may read it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocalToken {
    /// An absolute path.
    pub file: std::path::PathBuf,
}

/// Why a node does not get what it asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The cause.
    pub message: String,
    /// The way out.
    pub hint: String,
}

/// A word that both sides were configured with, and what shows that one knows it.
pub struct Shared<'a> {
    word: &'a str,
    authority: Fingerprint,
    request: &'a str,
}

impl JoinToken {
    /// The token as it is given away. Not [`Display`](fmt::Display): it is not to get into a log by chance.
    pub fn reveal(&self) -> String {
        let authority = self.authority.to_string().replace(':', "").to_lowercase();
        format!("{PREFIX}-{}-{}-{authority}", self.id, self.secret)
    }

    /// A token with this randomness.
    pub fn from_random(
        id: [u8; ID_DIGITS / 2],
        secret: [u8; SECRET_DIGITS / 2],
        authority: Fingerprint,
    ) -> Self {
        Self { id: hex(&id), secret: hex(&secret), authority }
    }

    /// Whether a text means to be such a token.
    pub fn is_meant(text: &str) -> bool {
        text.trim().strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('-'))
    }
}

impl FromStr for JoinToken {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "is no whole join token: `skjoin-`, and three groups of hexadecimal digits";
        let mut parts = text.trim().split('-');
        let (Some(PREFIX), Some(id), Some(secret), Some(authority), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(WRONG);
        };
        let is_hex =
            |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex(id, ID_DIGITS) || !is_hex(secret, SECRET_DIGITS) {
            return Err(WRONG);
        }
        let authority = authority.parse().map_err(|_| WRONG)?;
        Ok(Self { id: id.to_lowercase(), secret: secret.to_lowercase(), authority })
    }
}

impl fmt::Debug for JoinToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinToken").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token { id, .. } => f.debug_struct("Token").field("id", id).finish_non_exhaustive(),
            Self::Shared { .. } => f.debug_struct("Shared").finish_non_exhaustive(),
        }
    }
}

impl<'a> Shared<'a> {
    /// About one request of a node that saw this authority.
    pub fn new(word: &'a str, authority: Fingerprint, request: &'a str) -> Self {
        Self { word, authority, request }
    }

    /// What a node shows.
    pub fn of_node(&self) -> String {
        hex(&self.code("node", "").finalize().into_bytes())
    }

    /// Whether a node has shown it. Takes as long whatever is wrong with it.
    pub fn is_of_node(&self, code: &str) -> bool {
        unhex(code).is_some_and(|code| self.code("node", "").verify_slice(&code).is_ok())
    }

    /// What the orchestrator shows with the certificate it gives.
    pub fn of_orchestrator(&self, certificate: &str) -> String {
        hex(&self.code("orchestrator", certificate).finalize().into_bytes())
    }

    /// Whether the orchestrator has shown it.
    pub fn is_of_orchestrator(&self, certificate: &str, code: &str) -> bool {
        unhex(code).is_some_and(|code| self.code("orchestrator", certificate).verify_slice(&code).is_ok())
    }

    fn code(&self, side: &str, certificate: &str) -> Hmac<Sha256> {
        // As long as a block of the hash, which is the length of its keys.
        let mut key = [0; 64];
        key[..32].copy_from_slice(&Sha256::digest(self.word));
        let mut code = <Hmac<Sha256>>::new(&key.into());
        // Each part with its length, so that no two sequences of parts are the same bytes.
        for part in ["skrei join", side, &self.authority.to_string(), self.request, certificate] {
            code.update(&(part.len() as u64).to_be_bytes());
            code.update(part.as_bytes());
        }
        code
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(digit: &str) -> Fingerprint {
        digit.repeat(64).parse().unwrap()
    }

    #[test]
    fn a_token_reads_back_and_shows_its_secret_only_when_asked_to() {
        let token = JoinToken::from_random([1, 2, 3, 4], [0xab; 16], authority("c"));
        let text = token.reveal();
        assert_eq!(text.parse::<JoinToken>().unwrap(), token);
        assert_eq!(format!(" {text}\n").parse::<JoinToken>().unwrap(), token);
        assert!(!format!("{token:?}").contains(&token.secret));
        let proof = Proof::Token { id: token.id.clone(), secret: token.secret.clone() };
        assert!(!format!("{proof:?}").contains(&token.secret));
        for wrong in
            ["", "skjoin", &text[1..], &text[..text.len() - 1], &format!("{text}-"), &text.replace('a', "g")]
        {
            assert!(wrong.parse::<JoinToken>().is_err(), "{wrong}");
        }
        assert!(JoinToken::is_meant("skjoin-1") && !JoinToken::is_meant("a word"));
    }

    #[test]
    fn what_shows_a_shared_word_holds_for_one_side_one_request_and_one_authority() {
        let shared = Shared::new("word", authority("a"), "request");
        let code = shared.of_node();
        assert!(shared.is_of_node(&code));
        for other in [
            Shared::new("another", authority("a"), "request"),
            Shared::new("word", authority("b"), "request"),
            Shared::new("word", authority("a"), "another"),
        ] {
            assert!(!other.is_of_node(&code));
        }
        assert!(!shared.is_of_orchestrator("", &code), "what a node shows does not show an orchestrator");
        let code = shared.of_orchestrator("certificate");
        assert!(shared.is_of_orchestrator("certificate", &code));
        assert!(!shared.is_of_orchestrator("another", &code));
        assert!(!shared.is_of_node("") && !shared.is_of_node("zz"));
    }
}
