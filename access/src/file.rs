//! The users that `skrei auth add` makes, in a file of the data directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::{Capabilities, KeyDigest, User, UserError, user::check_name};

/// Most users a file may hold: every key that is shown is compared with each of them.
const USERS_MAX: usize = 10_000;

/// A file of users that other processes may change.
#[derive(Debug)]
pub struct UserFile {
    path: PathBuf,
    seen: Mutex<Option<(Stamp, Arc<[User]>)>>,
    watched: Option<Watched>,
}

/// Tells of changes as long as it lives.
#[derive(Debug)]
struct Watched {
    changes: watch::Receiver<()>,
    _watcher: RecommendedWatcher,
}

/// One user of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StoredUser {
    /// What the user is called.
    pub name: String,
    /// The hash of a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The digest of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyDigest>,
    /// What the user may do.
    pub capabilities: Capabilities,
    /// When the user was added, in seconds since 1970.
    pub created: u64,
    /// From when on the user is none, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
}

/// The whole file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Content {
    users: Vec<StoredUser>,
}

/// By what one state of a file differs from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// Why the file cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The system says so.
    #[error("`{}`: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is not a file of users: {message}", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong; no secrets.
        message: String,
    },
    /// A user of this name is there already.
    #[error("there is a user `{0}` already")]
    Taken(String),
    /// A user who may not be.
    #[error(transparent)]
    User(#[from] UserError),
    /// There are too many.
    #[error("there are {USERS_MAX} users already: revoke some")]
    TooMany,
}

impl UserFile {
    /// The file at this path, which need not be there yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, seen: Mutex::default(), watched: None }
    }

    /// The same file, which from now on tells of its changes. Its directory is made if it is missing.
    ///
    /// # Errors
    /// The system cannot watch it.
    pub fn watched(mut self) -> Result<Self, FileError> {
        let failed = |error: notify::Error| FileError::Io {
            path: self.path.clone(),
            source: io::Error::other(format!("its changes cannot be watched: {error}")),
        };
        let (changed, changes) = watch::channel(());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Reading it is none. What was missed may have been one.
            if event.map_or(true, |event| !event.kind.is_access()) {
                changed.send_replace(());
            }
        })
        .map_err(failed)?;
        // The directory: the file is replaced whole, and need not be there yet.
        let directory = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        make(directory).map_err(|source| self.io(source))?;
        watcher.watch(directory, RecursiveMode::NonRecursive).map_err(failed)?;
        self.watched = Some(Watched { changes, _watcher: watcher });
        Ok(self)
    }

    /// Tells of changes from now on, where they are watched.
    pub(crate) fn changes(&self) -> Option<watch::Receiver<()>> {
        self.watched.as_ref().map(|watched| watched.changes.clone())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Everybody in it, in the order they were added.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn list(&self) -> Result<Vec<StoredUser>, FileError> {
        match fs::read(&self.path) {
            Ok(bytes) => {
                let content: Result<Content, _> = serde_json::from_slice(&bytes);
                content.map(|content| content.users).map_err(|error| FileError::Content {
                    path: self.path.clone(),
                    message: error.to_string(),
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(self.io(source)),
        }
    }

    /// Adds a user.
    ///
    /// # Errors
    /// The name is taken or none, or the file cannot be changed.
    pub fn add(&self, user: StoredUser) -> Result<(), FileError> {
        check_name(&user.name)?;
        User::try_from(&user)?;
        self.change(|users| {
            if users.iter().any(|known| known.name.eq_ignore_ascii_case(&user.name)) {
                return Err(FileError::Taken(user.name));
            }
            if users.len() >= USERS_MAX {
                return Err(FileError::TooMany);
            }
            users.push(user);
            Ok(())
        })
    }

    /// Takes a user out, by name; whether there was one.
    ///
    /// # Errors
    /// The file cannot be changed.
    pub fn remove(&self, name: &str) -> Result<bool, FileError> {
        self.change(|users| {
            let before = users.len();
            users.retain(|user| !user.name.eq_ignore_ascii_case(name));
            Ok(users.len() < before)
        })
    }

    /// Everybody in it as of now. The file is looked at each time and read when it changed, so that a user who was
    /// revoked is none from the next request on.
    ///
    /// # Errors
    /// It cannot be read; whoever asks denies.
    pub(crate) fn users(&self) -> Result<Arc<[User]>, FileError> {
        let stamp = match fs::metadata(&self.path) {
            Ok(metadata) => Some(Stamp {
                inode: metadata.ino(),
                size: metadata.size(),
                modified: (metadata.mtime(), metadata.mtime_nsec()),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(self.io(source)),
        };
        let Some(stamp) = stamp else { return Ok(Arc::default()) };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, users)) = &*seen
            && *at == stamp
        {
            return Ok(Arc::clone(users));
        }
        let users: Arc<[User]> = self.list()?.iter().map(User::try_from).collect::<Result<_, _>>()?;
        *seen = Some((stamp, Arc::clone(&users)));
        Ok(users)
    }

    /// Changes the file, alone among all processes; it is replaced whole.
    fn change<T>(
        &self,
        edit: impl FnOnce(&mut Vec<StoredUser>) -> Result<T, FileError>,
    ) -> Result<T, FileError> {
        let _alone = self.lock().map_err(|source| self.io(source))?;
        let mut users = self.list()?;
        let edited = edit(&mut users)?;
        let content = serde_json::to_vec_pretty(&Content { users })
            .map_err(|error| FileError::Content { path: self.path.clone(), message: error.to_string() })?;
        skrei_tls::replace(&self.path, &content, 0o600).map_err(|source| self.io(source))?;
        Ok(edited)
    }

    /// Held until dropped.
    fn lock(&self) -> io::Result<File> {
        if let Some(directory) = self.path.parent() {
            make(directory)?;
        }
        let path = self.path.with_extension("lock");
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    }

    fn io(&self, source: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), source }
    }
}

/// For this user alone.
fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}
