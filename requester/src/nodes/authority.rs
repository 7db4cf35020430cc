//! The authority that vouches for the orchestrator and its nodes, in use: it may be replaced while nodes are linked.
//!
//! The next one is believed by whoever believes the one before (`skrei_tls`), so the port for nodes has a certificate of it
//! at once. Linked nodes are told to get one, too, and others when they come; with their certificate they get the
//! authority to believe. The one before is dropped when nobody needs it any more, a day later at the earliest, since tokens
//! name the authority that they were made under; or by order.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use skrei_tls::{
    Authority, AuthorityError, CertificateDer, Fingerprint, Former, NodeIssuer, NodeVerifier, Pair,
    PairError, Served, TlsError,
};
use tokio::sync::{Notify, Semaphore};

/// How long the authority before is believed at least, unless somebody drops it.
pub(crate) const BELIEVED_FOR: Duration = Duration::from_secs(86_400);

/// The authority of the nodes.
#[derive(Debug)]
pub(crate) struct NodeAuthority {
    authority: Arc<Authority>,
    verifier: Arc<NodeVerifier>,
    served: Arc<Served>,
    used: RwLock<Used>,
    /// One change at a time.
    turn: Semaphore,
    /// Something happened that may have been waited for.
    notes: Notify,
}

#[derive(Clone, Debug)]
struct Used {
    issuer: Arc<NodeIssuer>,
    former: Option<Arc<Former>>,
}

/// Why it is not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    #[error(transparent)]
    Certificate(#[from] PairError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("there is no authority before this one that is still believed")]
    NoFormer,
    #[error("a change of the authority was interrupted: {0}")]
    Interrupted(String),
}

impl NodeAuthority {
    /// Takes it into use.
    pub(crate) fn open(authority: Arc<Authority>) -> Result<Self, Error> {
        let used = Used::read(&authority)?;
        let verifier = NodeVerifier::of(believed(&authority, &used)?)?;
        let served = Served::new(&certificate(&authority)?);
        let (used, turn, notes) = (RwLock::new(used), Semaphore::new(1), Notify::new());
        Ok(Self { authority, verifier, served, used, turn, notes })
    }

    /// Who signs certificates of nodes now.
    pub(crate) fn issuer(&self) -> Arc<NodeIssuer> {
        Arc::clone(&self.used().issuer)
    }

    /// Whether this still signs certificates of nodes.
    pub(crate) fn is_present(&self, issuer: &Arc<NodeIssuer>) -> bool {
        Arc::ptr_eq(&self.used().issuer, issuer)
    }

    /// The one before, as long as it is believed.
    pub(crate) fn former(&self) -> Option<Arc<Former>> {
        self.used().former
    }

    /// Whether a certificate is of the one before.
    pub(crate) fn is_of_former(&self, certificate: Fingerprint) -> bool {
        self.used().former.is_some_and(|former| former.issued.contains(&certificate))
    }

    /// Decides whose certificates callers may show.
    pub(crate) fn verifier(&self) -> Arc<NodeVerifier> {
        Arc::clone(&self.verifier)
    }

    /// What the port for nodes is served with.
    pub(crate) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served)
    }

    /// Puts another in its place, which had certified these.
    pub(crate) async fn rotate(self: &Arc<Self>, issued: BTreeSet<Fingerprint>) -> Result<(), Error> {
        self.change(move |authority| authority.rotate(&issued, SystemTime::now())).await
    }

    /// Believes the one before no longer.
    pub(crate) async fn drop_former(self: &Arc<Self>) -> Result<(), Error> {
        if self.former().is_none() {
            return Err(Error::NoFormer);
        }
        self.change(Authority::drop_former).await
    }

    /// Something happened after which the one before may not be needed any more.
    pub(crate) fn noted(&self) {
        self.notes.notify_one();
    }

    /// Waits until it is.
    pub(crate) async fn next_note(&self) {
        self.notes.notified().await;
    }

    async fn change(
        self: &Arc<Self>,
        change: impl FnOnce(&Authority) -> Result<(), AuthorityError> + Send + 'static,
    ) -> Result<(), Error> {
        let this = Arc::clone(self);
        // Never closed. What is begun is done to its end, whoever waits for it.
        let changed = tokio::spawn(async move {
            let _turn = this.turn.acquire().await;
            let me = Arc::clone(&this);
            tokio::task::spawn_blocking(move || me.carry_out(change)).await
        });
        match changed.await {
            Ok(Ok(changed)) => changed,
            Ok(Err(error)) | Err(error) => Err(Error::Interrupted(error.to_string())),
        }
    }

    fn carry_out(&self, change: impl FnOnce(&Authority) -> Result<(), AuthorityError>) -> Result<(), Error> {
        change(&self.authority)?;
        let used = Used::read(&self.authority)?;
        self.verifier.replace(believed(&self.authority, &used)?)?;
        *self.used.write().unwrap_or_else(PoisonError::into_inner) = used;
        // At once: who gets a certificate of it believes nothing else.
        self.served.replace(&certificate(&self.authority)?);
        Ok(())
    }

    fn used(&self) -> Used {
        self.used.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Used {
    fn read(authority: &Authority) -> Result<Self, Error> {
        let issuer = Arc::new(authority.node_issuer()?);
        Ok(Self { issuer, former: authority.former()?.map(Arc::new) })
    }
}

/// The certificate of the port for nodes, made if need be.
fn certificate(authority: &Authority) -> Result<Pair, Error> {
    let now = SystemTime::now();
    authority.provide(&Authority::orchestrator_names(), now)?;
    Ok(Pair::read(&authority.server_files(), now)?)
}

/// Whose certificates count.
fn believed(authority: &Authority, used: &Used) -> Result<Vec<CertificateDer<'static>>, Error> {
    let former = used.former.as_ref().map(|former| former.certificate.clone());
    Ok([authority.certificate()?].into_iter().chain(former).collect())
}
