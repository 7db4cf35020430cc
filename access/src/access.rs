//! From what a request shows to who is calling.

use std::{
    collections::HashMap,
    fmt, mem,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::{
    Buckets, Capabilities, Client, Credential, KeyDigest, PasswordHash, Proof, Provider, ProviderError,
    Secret, User, UserFile,
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

/// How long a password that was right is known to be right, and how many are.
const VERIFIED_FOR: Duration = Duration::from_secs(300);
const VERIFIED_MAX: usize = 1024;

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

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The user's name, or what the identity provider calls them.
    pub name: String,
    /// How they showed it.
    pub method: Method,
    /// What they may do.
    pub capabilities: Capabilities,
    /// By what they are found again.
    pub(crate) shown: Shown,
    /// From then on they are let in no more.
    pub(crate) until: Option<SystemTime>,
}

impl Caller {
    /// Whether they may be let in no more one day: their key may be revoked, or their time be over.
    pub fn may_end(&self) -> bool {
        self.shown != Shown::Nothing || self.until.is_some()
    }
}

/// What a caller is let in by, as far as it is kept: never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Nothing, or a token, which only time ends.
    Nothing,
    /// A key with this digest.
    Key(KeyDigest),
    /// A password with this hash.
    Password(PasswordHash),
}

/// How a caller showed who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Not at all: nobody asked.
    Open,
    /// By name and password.
    Password,
    /// By an API key.
    Key,
    /// By a token of the identity provider.
    Token,
}

impl Method {
    /// The word in records and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Password => "password",
            Self::Key => "key",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a caller is not let in. No message tells which part of a secret was wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Nothing was shown.
    #[error("this server asks who is calling, and the request does not say")]
    Missing,
    /// It cannot be understood.
    #[error("the `Authorization` header is neither `Basic` nor `Bearer`")]
    Unreadable,
    /// No such user, or another password.
    #[error("there is no such user, or the password is another")]
    Password,
    /// No such key.
    #[error("the API key is not known here, or was revoked")]
    Key,
    /// It was good once.
    #[error("the password or key of `{0}` has expired")]
    Expired(String),
    /// The token is not good.
    #[error("the token is not accepted: {0}")]
    Token(String),
    /// It cannot be looked at now.
    #[error("the token cannot be checked now: {0}")]
    ProviderAway(String),
    /// The users cannot be read now.
    #[error("the server cannot read who may call it; its log says more")]
    UsersAway,
    /// More passwords are to be checked than can be.
    #[error("the server has more passwords to check than it can at a time")]
    Busy(Duration),
    /// Too many failures.
    #[error("too many attempts failed; the next one is looked at in {} s", .0.as_secs().max(1))]
    TooOften(Duration),
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
        caller(found.ok_or(Denied::Key)?, Method::Key)
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
        caller(known.ok_or(Denied::Password)?.0, Method::Password)
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

fn caller(user: &User, method: Method) -> Result<Caller, Denied> {
    if user.is_over(SystemTime::now()) {
        return Err(Denied::Expired(user.name.clone()));
    }
    let shown = match &user.proof {
        Proof::Key(digest) => Shown::Key(*digest),
        Proof::Password(hash) => Shown::Password(hash.clone()),
    };
    let (name, capabilities) = (user.name.clone(), user.capabilities.clone());
    Ok(Caller { name, method, capabilities, shown, until: user.expires })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

/// Passwords that were right a while ago, so that not each request costs what a guess should cost. Known by a code that
/// only this process can make, and that no longer matches when the user's hash is another.
struct Verified {
    key: Zeroizing<[u8; 32]>,
    marks: Mutex<HashMap<[u8; 32], Instant>>,
}

impl Verified {
    fn new() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        // Without randomness nothing is kept: see `mark`.
        let _ = getrandom::fill(key.as_mut_slice());
        Self { key, marks: Mutex::default() }
    }

    fn mark(&self, hash: &PasswordHash, password: &Secret) -> Option<[u8; 32]> {
        if *self.key == [0; 32] {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).ok()?;
        mac.update(hash.as_str().as_bytes());
        // No hash has it in it, and so no two pairs give one text.
        mac.update(b"\0");
        mac.update(password.expose().as_bytes());
        Some(mac.finalize().into_bytes().into())
    }

    fn contains(&self, mark: &Option<[u8; 32]>, now: Instant) -> bool {
        let Some(mark) = mark else { return false };
        let marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        marks.get(mark).is_some_and(|until| *until > now)
    }

    fn insert(&self, mark: Option<[u8; 32]>, now: Instant) {
        let Some(mark) = mark else { return };
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= VERIFIED_MAX {
            let known = mem::take(&mut *marks);
            marks.extend(known.into_iter().filter(|(_, until)| *until > now).take(VERIFIED_MAX / 2));
        }
        marks.insert(mark, now + VERIFIED_FOR);
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verified(…)")
    }
}
