//! From what a request shows to who is calling.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use skrei_tls::Client;
use tokio::sync::Semaphore;

use crate::{
    Buckets, Caller, Capabilities, Credential, Denied, KeyDigest, Method, PasswordHash, Proof, Provider,
    ProviderError, Secret, User, UserFile, caller::Shown, verified::Verified,
};

/// Clients whose failures are remembered.
const CLIENTS_MAX: usize = 20_000;

/// Passwords checked at one time: one core of each so many, at least one. Each takes 19 MiB and a core for a while.
const CORES_FOR_EACH: usize = 4;

/// Passwords that wait to be checked. More are sent away: by the time it was their turn, nobody would wait for it.
const WAITING_MAX: usize = 64;

/// When whoever was sent away may come back.
const BUSY_PAUSE: Duration = Duration::from_secs(2);

/// The clock is looked at again after so long.
const LOOK: Duration = Duration::from_secs(3600);

/// Whether callers must say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whoever reaches the API may do everything; what is shown is not looked at.
    Open,
    /// Whoever is not known may do nothing.
    Required,
}

/// Who may do what.
#[derive(Debug)]
pub struct Access {
    mode: Mode,
    configured: Vec<User>,
    file: Option<UserFile>,
    provider: Option<Provider>,
    failures: Mutex<Buckets>,
    hashing: Arc<Semaphore>,
    waiting: Semaphore,
    verified: Verified,
    decoy: Option<PasswordHash>,
}

impl Access {
    /// Everybody may do everything.
    pub fn open() -> Self {
        Self::new(Mode::Open, Vec::new(), None, None, 1)
    }

    /// These users may do what was granted to them, and whoever comes with a token of the provider what that says.
    /// A client may fail `failures_per_minute` times.
    pub fn required(
        configured: Vec<User>,
        file: Option<UserFile>,
        provider: Option<Provider>,
        failures_per_minute: u32,
    ) -> Self {
        Self::new(Mode::Required, configured, file, provider, failures_per_minute)
    }

    fn new(
        mode: Mode,
        configured: Vec<User>,
        file: Option<UserFile>,
        provider: Option<Provider>,
        failures_per_minute: u32,
    ) -> Self {
        let failures = f64::from(failures_per_minute.max(1));
        // Without any password there is none to compare with, and nothing to find out by how long that takes.
        let decoy = configured.iter().find_map(|user| match &user.proof {
            Proof::Password(hash) => Some(hash.clone()),
            Proof::Key(_) => None,
        });
        let decoy = decoy.or_else(|| PasswordHash::of_plain("decoy").ok().filter(|_| mode == Mode::Required));
        Self {
            mode,
            configured,
            file,
            provider,
            failures: Mutex::new(Buckets::new(failures / 60.0, failures, CLIENTS_MAX)),
            hashing: Arc::new(Semaphore::new(cores().div_ceil(CORES_FOR_EACH))),
            waiting: Semaphore::new(WAITING_MAX),
            verified: Verified::new(),
            decoy,
        }
    }

    /// Whether callers must say who they are.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whose tokens are accepted.
    pub fn provider(&self) -> Option<&Provider> {
        self.provider.as_ref()
    }

    /// Who calls, by the request's `Authorization` header and where it comes from.
    ///
    /// # Errors
    /// Why they are not let in.
    pub async fn identify(&self, header: Option<&str>, from: IpAddr) -> Result<Caller, Denied> {
        if self.mode == Mode::Open {
            let (name, capabilities) = ("anyone".to_owned(), Capabilities::everything());
            return Ok(Caller {
                name,
                method: Method::Open,
                capabilities,
                shown: Shown::Nothing,
                until: None,
            });
        }
        let header = header.ok_or(Denied::Missing)?;
        let client = Client::from(from);
        // A turn is taken before anything is compared, so that attempts at one moment count, too.
        let turn = self.failures().take(client, Instant::now());
        let identified = match (Credential::parse(header), turn) {
            (None, _) => Err(Denied::Unreadable),
            (Some(Credential::Password { .. }), Err(wait)) => return Err(Denied::TooOften(wait)),
            (Some(Credential::Password { user, password }), Ok(())) => self.password(&user, &password).await,
            // A key or signature cannot be guessed: who has a good one is let in whatever came before it.
            (Some(Credential::Key(key)), _) => self.key(&key),
            (Some(Credential::Token(token)), _) => self.token(&token).await,
        };
        match (&identified, turn) {
            (Ok(_) | Err(Denied::ProviderAway(_) | Denied::UsersAway | Denied::Busy(_)), Ok(())) => {
                self.failures().give_back(client, Instant::now());
            }
            (Ok(_), Err(_)) | (Err(_), Ok(())) => {}
            (Err(_), Err(wait)) => return Err(Denied::TooOften(wait)),
        }
        identified
    }

    fn key(&self, key: &Secret) -> Result<Caller, Denied> {
        let digest = KeyDigest::of(key.expose());
        let mut found = None;
        let stored = self.stored()?;
        // All of them, whether it was found or not.
        for user in self.configured.iter().chain(stored.iter()) {
            if let Proof::Key(known) = &user.proof
                && known.is(&digest)
            {
                found = Some(user);
            }
        }
        Caller::of(found.ok_or(Denied::Key)?, Method::Key)
    }

    async fn password(&self, name: &str, password: &Secret) -> Result<Caller, Denied> {
        let stored = self.stored()?;
        let users = self.configured.iter().chain(stored.iter());
        let mut known = users.filter_map(|user| match &user.proof {
            Proof::Password(hash) if user.name.eq_ignore_ascii_case(name) => Some((user, hash)),
            _ => None,
        });
        let known = known.next_back();
        let hash = match known {
            Some((_, hash)) => hash.clone(),
            None => self.decoy.clone().ok_or(Denied::Password)?,
        };
        let mark = self.verified.mark(&hash, password);
        if known.is_none() || !self.verified.contains(&mark, Instant::now()) {
            if !self.verify(hash, password.clone()).await? || known.is_none() {
                return Err(Denied::Password);
            }
            self.verified.insert(mark, Instant::now());
        }
        Caller::of(known.ok_or(Denied::Password)?.0, Method::Password)
    }

    /// Whether it is the password, in turn.
    async fn verify(&self, hash: PasswordHash, password: Secret) -> Result<bool, Denied> {
        let turn = {
            let _waiting = self.waiting.try_acquire().map_err(|_| Denied::Busy(BUSY_PAUSE))?;
            // Never closed.
            Arc::clone(&self.hashing).acquire_owned().await.map_err(|_| Denied::Password)?
        };
        let verified = tokio::task::spawn_blocking(move || {
            // Held for as long as it takes, though whoever asked may be gone by now: what is begun cannot be stopped.
            let _turn = turn;
            hash.verify(password.expose())
        });
        Ok(verified.await.unwrap_or(false))
    }

    async fn token(&self, token: &Secret) -> Result<Caller, Denied> {
        let Some(provider) = &self.provider else {
            return Err(Denied::Token("no identity provider is configured (API.Auth.Oauth2)".to_owned()));
        };
        provider.check(token, SystemTime::now()).await.map_err(|error| match error {
            ProviderError::Away(message) => Denied::ProviderAway(message),
            other => Denied::Token(other.to_string()),
        })
    }

    fn stored(&self) -> Result<Arc<[User]>, Denied> {
        match &self.file {
            None => Ok(Arc::default()),
            Some(file) => file.users().map_err(|error| {
                tracing::error!("nobody of the file of users is let in: {error}");
                Denied::UsersAway
            }),
        }
    }

    /// Ends when a caller would be let in no more: their key was revoked, or may do something else now, or its time is
    /// over. What is open for them ends with it.
    pub async fn over(&self, caller: &Caller) {
        let mut changes = self.file.as_ref().and_then(UserFile::changes);
        // What changes while it is looked at is looked at again.
        while self.lets_in(caller) {
            let left = caller.until.map(|until| until.duration_since(SystemTime::now()).unwrap_or_default());
            let expired = async {
                match left {
                    // A clock that is set meanwhile is noticed.
                    Some(left) => tokio::time::sleep(left.min(LOOK)).await,
                    None => std::future::pending().await,
                }
            };
            let changed = async {
                match &mut changes {
                    Some(changes) => changes.changed().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = expired => {}
                // Nobody tells of changes any more: to be safe, this one may be of the last.
                is_told = changed => if !is_told { return },
            }
        }
    }

    fn lets_in(&self, caller: &Caller) -> bool {
        if caller.until.is_some_and(|until| until <= SystemTime::now()) {
            return false;
        }
        let is_by = |user: &User| match (&user.proof, &caller.shown) {
            (Proof::Key(kept), Shown::Key(shown)) => kept.is(shown),
            (Proof::Password(kept), Shown::Password(shown)) => kept == shown,
            _ => false,
        };
        let is_same =
            |user: &User| user.name == caller.name && user.capabilities == caller.capabilities && is_by(user);
        match caller.shown {
            Shown::Nothing => true,
            _ => {
                self.configured.iter().any(is_same)
                    || self.stored().is_ok_and(|stored| stored.iter().any(is_same))
            }
        }
    }

    fn failures(&self) -> std::sync::MutexGuard<'_, Buckets> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}
