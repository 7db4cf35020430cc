//! `skrei auth hash-password`.

use clap::Args;
use skrei_access::{hash_password, hash_password_bcrypt};

use crate::{error::Error, exit, terminal};

/// Longest password taken.
const CHARS_MAX: usize = 255;

/// The hash of a password, for `API.Auth.Users` in a configuration file. The password is typed, or the first line of
/// standard input.
#[derive(Debug, Args)]
pub(crate) struct HashPassword {
    /// With bcrypt in place of argon2id, for a file that Bacalhau reads, too
    #[arg(long)]
    bcrypt: bool,
}

impl HashPassword {
    pub(super) fn run(self) -> Result<u8, Error> {
        let cannot = |error| Error::usage(format!("the password cannot be read: {error}"));
        let password = terminal::prompt::secret("Password:").map_err(cannot)?;
        let chars = password.expose().chars().count();
        if chars == 0 || chars > CHARS_MAX {
            return Err(Error::usage(format!("a password has 1 to {CHARS_MAX} characters")));
        }
        let hash = if self.bcrypt { hash_password_bcrypt } else { hash_password };
        terminal::data(&hash(password.expose()).map_err(Error::usage)?)?;
        Ok(exit::SUCCESS)
    }
}
