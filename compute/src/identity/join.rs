//! Joining: from a token to an identity.

use std::path::Path;

use skrei_protocol::join::{
    Certified, JOIN_PATH, JoinRequest, JoinToken, LOCAL_PATH, LocalToken, Proof, Shared,
};
use skrei_tls::{CertificateDer, Fingerprint, Identity, Introduction, NodeKey, Orchestrator};

use super::{IDENTITY_FILE, JoinError, error::Failed, key_file, local, request::Requests};
use crate::{
    Config, Error,
    link::{Address, Pause, spread},
};

/// What a node joins with.
enum Means {
    /// A token of the orchestrator's making.
    Token(JoinToken),
    /// A word that both were configured with.
    Word(String),
    /// Nothing but being on the orchestrator's own machine, as the same user.
    Here,
}

impl Means {
    fn of(config: &Config) -> Result<Self, JoinError> {
        match &config.token {
            None => Ok(Self::Here),
            Some(text) if JoinToken::is_meant(text) => {
                text.parse().map(Self::Token).map_err(JoinError::BadToken)
            }
            Some(word) => Ok(Self::Word(word.clone())),
        }
    }

    /// Whom to believe, with what this says of it.
    fn orchestrator(&self, authority: Option<CertificateDer<'static>>) -> Result<Orchestrator, JoinError> {
        match (self, authority) {
            (Self::Token(token), Some(authority)) if token.authority != Fingerprint::of(&authority) => {
                let message = "the token in Compute.Auth.Token is of another authority".to_owned();
                Err(JoinError::Authority(message))
            }
            (_, Some(authority)) => Ok(Orchestrator::Of(authority)),
            (Self::Token(token), None) => Ok(Orchestrator::Fingerprint(token.authority)),
            (Self::Word(_) | Self::Here, None) => Ok(Orchestrator::Anybody),
        }
    }
}

/// Asks one orchestrator after the other to be let in, until one does.
pub(super) async fn join(
    config: &Config,
    orchestrators: &[Address],
    expired: Option<&Identity>,
) -> Result<Identity, Error> {
    let means = Means::of(config)?;
    let authority = config.ca_file.as_deref().map(read).transpose()?;
    let believed = means.orchestrator(authority)?;
    let mut pause = Pause::default();
    for address in orchestrators.iter().cycle() {
        match ask(config, address, &means, &believed, expired).await {
            Ok(identity) => {
                let authority = Fingerprint::of(identity.authority());
                tracing::info!(%address, "joined; the authority believed from now on has SHA-256 {authority}");
                return Ok(identity);
            }
            Err(Failed::For(error)) => return Err(error.into()),
            Err(Failed::Now(reason)) => {
                let wait = pause.next(spread());
                tracing::warn!(%address, %reason, retry_in = ?wait, "not joined yet");
                tokio::time::sleep(wait).await;
            }
        }
    }
    Err(Error::NoOrchestrator)
}

async fn ask(
    config: &Config,
    address: &Address,
    means: &Means,
    believed: &Orchestrator,
    expired: Option<&Identity>,
) -> Result<Identity, Failed> {
    if matches!(means, Means::Here) && !local::is_here(address).await {
        return Err(Failed::For(JoinError::NoToken { orchestrator: address.to_string() }));
    }
    let tls = |error: skrei_tls::TlsError| Failed::For(JoinError::Tls(error.to_string()));
    let introduction = Introduction::to(believed.clone()).map_err(tls)?;
    let requests = Requests::to(address, introduction.config.clone())?;
    // Whoever answers this is whom everything after it is said to.
    let answered = requests.get::<LocalToken>(LOCAL_PATH).await;
    let authority = match (introduction.authority(), answered.as_ref().err()) {
        (Some(authority), _) => authority.clone(),
        (None, Some(Failed::Now(reason))) => return Err(Failed::Now(reason.clone())),
        (None, _) => return Err(Failed::Now("it is no orchestrator of this version".to_owned())),
    };
    let fingerprint = Fingerprint::of(&authority);

    let file = config.data_dir.join(IDENTITY_FILE);
    let key = NodeKey::provide(&key_file(&config.data_dir), expired.map(|_| file.as_path()))?;
    let node = config.node.clone();
    let request = key.request(node.as_str())?;
    let token = match means {
        Means::Word(_) => None,
        Means::Token(token) => Some(token.clone()),
        Means::Here => {
            let token = local::token(&answered?.file).map_err(|reason| {
                tracing::error!(%address, %reason, "this node has no token, and cannot take the orchestrator's own");
                Failed::For(JoinError::NoToken { orchestrator: address.to_string() })
            })?;
            if token.authority != fingerprint {
                let reason = "it names a token file that is not its own: somebody else may have its port";
                return Err(Failed::Now(reason.to_owned()));
            }
            Some(token)
        }
    };
    let shared = match means {
        Means::Word(word) => Some(Shared::new(word, fingerprint, &request)),
        Means::Token(_) | Means::Here => None,
    };
    let proof = match (token, &shared) {
        (Some(JoinToken { id, secret, .. }), _) => Proof::Token { id, secret },
        (None, Some(shared)) => Proof::Shared { code: shared.of_node() },
        (None, None) => return Err(Failed::For(JoinError::NoToken { orchestrator: address.to_string() })),
    };
    let asked = JoinRequest { node, request: request.clone(), proof };
    let Certified { certificate, authority, code } = requests.post(JOIN_PATH, &asked).await?;
    if let Some(shared) = shared
        && !code.is_some_and(|code| shared.is_of_orchestrator(&certificate, &code))
    {
        let reason =
            "it does not know Compute.Auth.Token: it is another orchestrator, or somebody in between";
        return Err(Failed::Now(reason.to_owned()));
    }
    // Who was named beforehand may have been replaced, and vouches for whoever says so.
    let expected = matches!(believed, Orchestrator::Anybody).then_some(fingerprint);
    Ok(key.certified(&certificate, &authority, expected, &file)?)
}

fn read(path: &Path) -> Result<CertificateDer<'static>, JoinError> {
    skrei_tls::read_certificate(path).map_err(|error| JoinError::Authority(error.to_string()))
}
