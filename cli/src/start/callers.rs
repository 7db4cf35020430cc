//! Who may call the API of an orchestrator.

use std::{path::Path, sync::Arc};

use skrei_access::{Access, ApiKey, Capabilities, FileError, Provider, StoredUser, User, UserFile};
use skrei_requester::Callers;
use skrei_tls::Served;

use super::listen::Bound;
use crate::{
    config::{AuthMode, Config, ServerTls},
    error::Error,
    logins,
};

/// The user whose key is made when there is nobody else.
const ADMINISTRATOR: &str = "admin";

/// The user of this process itself, where it calls its own API.
const OWN: &str = "skrei";

/// Who may call, as it is configured and by where the API listens.
///
/// # Errors
/// A user or provider that cannot be, or a file that cannot be read or written.
pub(super) fn callers(
    config: &Config,
    data_dir: &Path,
    api: &Bound,
    served: Option<Arc<Served>>,
    own_key: Option<&ApiKey>,
) -> Result<Callers, Error> {
    let settings = &config.callers;
    let file = logins::users(data_dir);
    let has_users = settings.has_users() || !file.list().map_err(|error| unusable(&error))?.is_empty();
    let is_asked = match settings.mode {
        AuthMode::Open => false,
        AuthMode::Required => true,
        AuthMode::Auto => has_users || api.is_open(),
    };
    let access = if is_asked {
        if !has_users {
            make_administrator(&file, data_dir)?;
        }
        required(config, file, own_key)?
    } else {
        if settings.mode == AuthMode::Open {
            let who = if api.is_open() { "other machines" } else { "everybody on this machine" };
            tracing::warn!("{who} may call the API and do everything: API.Auth.Mode is `open`");
        }
        Access::open()
    };
    Ok(Callers {
        access: Arc::new(access),
        requests_per_second: settings.requests,
        // A stranger's page can lead a browser to a port of its own machine, but not by the port's own name.
        names: (!is_asked && !api.is_open()).then(|| own_names(config)),
        // Whoever made an authority here tries something out; a year is long for that.
        https_only: served.filter(|_| config.tls.server != ServerTls::SelfSigned),
        audit_kept: settings.audit_kept,
    })
}

fn required(config: &Config, file: UserFile, own_key: Option<&ApiKey>) -> Result<Access, Error> {
    let settings = &config.callers;
    let mut users = settings
        .users
        .iter()
        .map(User::new)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Error::usage(format!("API.Auth.Users: {error}")))?;
    users.extend(own_key.map(|key| User::with_key(OWN, key.digest(), Capabilities::everything())));
    let provider = settings.provider.clone().map(Provider::new).transpose();
    let provider = provider.map_err(|error| Error::usage(error.to_string()))?;
    tracing::info!("callers of the API must say who they are; `skrei auth add` lets somebody in");
    // What is open for somebody ends when they are revoked.
    let file = file.watched().map_err(|error| {
        Error::unavailable(format!("who may call the API cannot be followed: {error}"))
            .hint("raise fs.inotify.max_user_instances (sysctl) if other programs have them all")
    })?;
    Ok(Access::required(users, Some(file), provider, settings.failures))
}

/// The key is written first: a user whose key nobody has could not be made again.
fn make_administrator(file: &UserFile, data_dir: &Path) -> Result<(), Error> {
    let key = ApiKey::generate().map_err(|error| Error::unavailable(format!("make a key: {error}")))?;
    let path = logins::administrator_key(data_dir);
    logins::write_private(&path, key.secret().expose().as_bytes())?;
    file.add(StoredUser {
        name: ADMINISTRATOR.to_owned(),
        password: None,
        key: Some(key.digest()),
        capabilities: Capabilities::everything(),
        created: logins::seconds_now(),
        expires: None,
    })
    .map_err(|error| unusable(&error))?;
    tracing::warn!(
        "nobody could call the API yet, so an administrator's key was made: it is in `{}`, for its owner alone",
        path.display()
    );
    Ok(())
}

fn own_names(config: &Config) -> Vec<String> {
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let names = [hostname.trim().to_owned(), config.api.host.clone()];
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

fn unusable(error: &FileError) -> Error {
    Error::unavailable(format!("who may call the API cannot be known: {error}"))
        .hint("correct or remove the file; `skrei auth add` makes it anew")
}
