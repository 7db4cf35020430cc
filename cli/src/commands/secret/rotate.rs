//! `skrei secret rotate`.

use clap::Args;
use skrei_protocol::api::secret::PutSecretRequest;

use super::{Where, set::say};
use crate::{cli::Globals, commands::client, error::Error, exit, given_secret::GivenSecret};

/// Give a secret another value; who may have it stays. Executions that start from now on get the new one.
#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Its name, and where its value is: `@FILE`, `env:VARIABLE`, or `@-` for standard input
    #[arg(value_name = "NAME=SOURCE")]
    secret: String,
    #[command(flatten)]
    place: Where,
}

impl Rotate {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let given = GivenSecret::read(&self.secret, &mut None)?;
        let request = PutSecretRequest { value: given.base64(), jobs: None, nodes: None, rotate: true };
        let answer = client(globals)?.set_secret(&self.place.namespace, &given.name, &request).await?;
        say(&answer);
        Ok(exit::SUCCESS)
    }
}
