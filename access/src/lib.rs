//! Who may do what.
//!
//! A request shows a [`Credential`]; [`Access`] finds out whose it is, a [`User`]'s from the configuration or the
//! [`UserFile`], or a token of an identity [`Provider`], and says who the [`Caller`] is and what they may do
//! ([`Capabilities`]). Whatever is not granted is denied. No secret is kept as it was shown, and none is ever printed.

mod access;
mod buckets;
mod caller;
mod capability;
mod credential;
mod denied;
mod file;
mod key;
mod login;
mod password;
mod provider;
mod secret;
mod user;
mod verified;

pub use access::{Access, Mode};
pub use buckets::Buckets;
pub use caller::{Caller, Method};
pub use capability::{Action, Capabilities, Capability, NotACapability, Resource};
pub use credential::Credential;
pub use denied::Denied;
pub use file::{FileError, StoredUser, UserFile};
pub use key::{ApiKey, KeyDigest};
pub use login::{LoggedIn, Login, LoginError, LoginSettings};
pub use password::{PasswordHash, hash as hash_password, hash_bcrypt as hash_password_bcrypt};
pub use provider::{ALGORITHMS, Provider, ProviderError, ProviderSettings, claims_unchecked};
pub use secret::Secret;
pub use user::{Proof, User, UserError, WrittenUser};
