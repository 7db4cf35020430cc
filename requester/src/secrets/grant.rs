//! Which secrets a version of a job may have, when it is accepted.

use std::collections::BTreeMap;

use skrei_job::{
    JobId, Spec, Timestamp,
    secret::{Name, SealedByClient},
};
use skrei_scheduler::Grant;
use skrei_vault::{KeyRing, LockError, Locked, Secret};

use super::given;
use crate::store::{self, Store, StoredSecret};

/// Secrets that come with a submission.
pub(crate) type Given = BTreeMap<Name, GivenSecret>;

/// One of them.
#[derive(Debug)]
pub(crate) enum GivenSecret {
    /// To be locked here.
    Value(Secret),
    /// Sealed to nodes by whoever submits the job.
    Sealed(SealedByClient),
}

/// Why a job may not have a secret that it names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotGranted {
    #[error("the secret `{0}` was neither given with the job nor is it stored in its namespace `{1}`")]
    Unknown(Name, String),
    #[error("the scope of secret `{name}` ({scope}) does not cover job `{job}`")]
    OutOfScope { name: Name, scope: String, job: String },
    #[error("the secret `{0}` was given, and the job does not name it")]
    NotNamed(Name),
    #[error("the secret `{0}` was given with an earlier version of the job and removed when that had ended")]
    Gone(Name),
    #[error("the secret `{0}` cannot be locked: the system has no randomness to give")]
    NotLocked(Name),
    #[error("the secret `{name}` was given with an earlier version of the job and does not open: {cause}")]
    NotOpened { name: Name, cause: LockError },
}

/// Works out what a job may have.
pub(crate) struct Granting<'a> {
    pub(crate) store: &'a Store,
    pub(crate) ring: &'a KeyRing,
    pub(crate) spec: &'a Spec,
    /// The name it goes by.
    pub(crate) name: &'a str,
    pub(crate) now: Timestamp,
}

impl Granting<'_> {
    /// For a submission of the job with these secrets. Blocks on the store, if the job names a secret at all.
    pub(crate) fn submitted(&self, job: &JobId, mut secrets: Given) -> Result<Vec<Grant>, Refusal> {
        let mut grants = Vec::new();
        for name in self.names() {
            grants.push(match secrets.remove(name) {
                Some(GivenSecret::Value(secret)) => self.lock(job, name, &secret)?,
                Some(GivenSecret::Sealed(sealed)) => self.take(name, sealed),
                None => self.stored(name)?.ok_or_else(|| self.unknown(name))?,
            });
        }
        match secrets.into_keys().next() {
            Some(name) => Err(NotGranted::NotNamed(name).into()),
            None => Ok(grants),
        }
    }

    /// For another run of a version that had these grants. Blocks on the store as above.
    pub(crate) fn again(&self, job: &JobId, before: &[Grant]) -> Result<Vec<Grant>, Refusal> {
        let grant = |name: &Name| match before.iter().find(|grant| grant.given && grant.name == *name) {
            Some(grant) => self.lock_again(job, grant),
            None => self.stored(name)?.ok_or_else(|| self.unknown(name)),
        };
        self.names().into_iter().map(grant).collect()
    }

    fn names(&self) -> std::collections::BTreeSet<&Name> {
        self.spec.task().secrets.iter().map(|of_task| &of_task.name).collect()
    }

    /// What is sealed stays so.
    fn take(&self, name: &Name, sealed: SealedByClient) -> Grant {
        Grant {
            name: name.clone(),
            given: true,
            locked: None,
            sealed: Some(vec![sealed]),
            fingerprint: String::new(),
            at: self.now,
        }
    }

    fn lock(&self, job: &JobId, name: &Name, secret: &Secret) -> Result<Grant, Refusal> {
        let locked = self.ring.lock(secret, &given(job, name));
        let locked = locked.map_err(|_| NotGranted::NotLocked(name.clone()))?;
        Ok(Grant {
            name: name.clone(),
            given: true,
            locked: Some(locked.to_bytes()),
            sealed: None,
            fingerprint: self.ring.fingerprint(secret).to_string(),
            at: self.now,
        })
    }

    /// What was given before, under the key in force: a rotation may be about to drop the one that it is under, and does
    /// not see what is decided from now on.
    fn lock_again(&self, job: &JobId, grant: &Grant) -> Result<Grant, Refusal> {
        let name = &grant.name;
        if grant.sealed.as_ref().is_some_and(|sealed| !sealed.is_empty()) {
            return Ok(grant.clone());
        }
        let locked = grant.locked.as_deref().ok_or_else(|| NotGranted::Gone(name.clone()))?;
        let again = Locked::from_bytes(locked)
            .and_then(|locked| self.ring.lock_again(&locked, &given(job, name)))
            .map_err(|cause| NotGranted::NotOpened { name: name.clone(), cause })?;
        let locked = again.map_or_else(|| locked.to_owned(), |again| again.to_bytes());
        Ok(Grant { locked: Some(locked), ..grant.clone() })
    }

    fn stored(&self, name: &Name) -> Result<Option<Grant>, Refusal> {
        let Some(StoredSecret { scope, fingerprint, .. }) = self.store.secret(self.spec.namespace(), name)?
        else {
            return Ok(None);
        };
        if !scope.covers_job(self.name) {
            let (scope, job) = (scope.shown(), self.name.to_owned());
            return Err(NotGranted::OutOfScope { name: name.clone(), scope, job }.into());
        }
        let name = name.clone();
        Ok(Some(Grant { name, given: false, locked: None, sealed: None, fingerprint, at: self.now }))
    }

    fn unknown(&self, name: &Name) -> Refusal {
        NotGranted::Unknown(name.clone(), self.spec.namespace().to_owned()).into()
    }
}

/// Why there are no grants.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    #[error(transparent)]
    Store(#[from] store::Error),
}
