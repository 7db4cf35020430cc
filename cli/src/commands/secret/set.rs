//! `skrei secret set`.

use clap::Args;
use skrei_protocol::api::secret::PutSecretRequest;

use super::Where;
use crate::{cli::Globals, commands::client, error::Error, exit, given_secret::GivenSecret, terminal};

/// Keep a secret, and say which jobs and nodes may have it. One that is there already gets the new value, and keeps what
/// is not said anew.
#[derive(Debug, Args)]
#[command(
    after_help = "The value is read from a file, a variable or standard input; it does not come out again. In a job: \
    `Secrets: [{Name: NAME, Target: /secrets/NAME}]`, or `{{secret \"NAME\"}}` as the value of a variable."
)]
pub(crate) struct Set {
    /// Its name, and where its value is: `@FILE`, `env:VARIABLE`, or `@-` for standard input
    #[arg(value_name = "NAME=SOURCE")]
    secret: String,
    /// A job that may have it, by name, with `*` for any text; repeatable. Nobody may unless you say so
    #[arg(long = "job", value_name = "NAME")]
    jobs: Vec<String>,
    /// Only nodes whose labels match may have it: `zone=eu,rack in (1,2)` [default: any node]
    #[arg(long, value_name = "SELECTOR")]
    nodes: Option<String>,
    #[command(flatten)]
    place: Where,
}

impl Set {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let given = GivenSecret::read(&self.secret, &mut None)?;
        let request = PutSecretRequest {
            value: given.base64(),
            jobs: (!self.jobs.is_empty()).then_some(self.jobs),
            nodes: self.nodes,
            rotate: false,
        };
        let answer = client(globals)?.set_secret(&self.place.namespace, &given.name, &request).await?;
        say(&answer);
        Ok(exit::SUCCESS)
    }
}

/// Says what was set, without saying it.
pub(super) fn say(answer: &skrei_protocol::api::secret::PutSecretResponse) {
    let secret = &answer.secret;
    let jobs = secret.jobs.join(", ");
    let nodes = &secret.nodes;
    let nodes =
        if nodes.is_empty() { "any node".to_owned() } else { format!("nodes with {}", nodes.join(", ")) };
    let name = &secret.name;
    terminal::note(&format!(
        "Secret {name} is set (fingerprint {}): jobs {jobs}, on {nodes}.",
        secret.fingerprint
    ));
    if answer.same_value {
        terminal::note("It is the value it had before.");
    }
}
