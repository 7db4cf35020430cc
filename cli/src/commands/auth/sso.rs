//! `skrei auth sso`.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use skrei_access::{Login, LoginError, LoginSettings, claims_unchecked};
use skrei_protocol::client::Client;

use crate::{
    cli::Globals,
    commands::config,
    error::Error,
    exit,
    logins::Tokens,
    terminal::{self, style},
};

/// Longest name of somebody else's that is shown.
const NAME_CHARS_MAX: usize = 100;

/// Log in at the server's identity provider.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Log in with a browser, here or on another device
    Login(LogIn),
    /// Forget the token
    Logout(LogOut),
    /// Show the token
    Token(Token),
}

/// Logs in with a browser, here or on another device; commands show the token from then on.
#[derive(Debug, Args)]
#[command(after_help = "The token is kept in the data directory, for its owner alone, until it expires.")]
pub(crate) struct LogIn {}

/// Forgets the token of this server. At the provider, it stays good until it expires.
#[derive(Debug, Args)]
pub(crate) struct LogOut {
    /// Also if nobody is logged in
    #[arg(short, long)]
    force: bool,
}

/// Shows the token of this server. Whoever has it can call as you.
#[derive(Debug, Args)]
pub(crate) struct Token {
    /// What it says, in place of the token itself; nothing is checked
    #[arg(short, long)]
    decode: bool,
}

impl Command {
    pub(super) async fn run(self, globals: &Globals) -> Result<u8, Error> {
        let config = config(globals)?;
        // Without a credential: a token that is over must not keep anybody from getting the next one.
        let client = Client::trusting(&config.endpoint(), &config.tls.trust)?;
        let tokens = Tokens::new(&config.data_dir);
        match self {
            Self::Login(_) => log_in(&client, &tokens, &config.callers).await,
            Self::Logout(logout) => logout.run(&client, &tokens),
            Self::Token(token) => token.run(&client, &tokens),
        }
    }
}

async fn log_in(client: &Client, tokens: &Tokens, own: &crate::config::Callers) -> Result<u8, Error> {
    let offered = client.auth_config().await?.config;
    if offered.device_authorization_endpoint.is_empty() && offered.token_endpoint.is_empty() {
        let message = format!("the server at {} has no identity provider to log in at", client.endpoint());
        return Err(Error::refused(message).hint(
            "show a key in place of it: SKREI_API_KEY; the server is told of a provider in API.Auth.Oauth2",
        ));
    }
    let provider =
        if offered.provider_name.is_empty() { &offered.provider_id } else { &offered.provider_name };
    let provider = if provider.is_empty() { "the identity provider".to_owned() } else { plain(provider) };
    let settings = LoginSettings {
        device_endpoint: offered.device_authorization_endpoint,
        token_endpoint: offered.token_endpoint,
        client: offered.device_client_id,
        audience: offered.audience,
        scopes: offered.scopes,
        interval: Duration::from_secs(offered.polling_interval.max(1)),
    };
    let trust = own.provider.as_ref().map(|provider| provider.trust.clone()).unwrap_or_default();
    let login = Login::begin(&settings, &trust).await.map_err(failed)?;
    let style = style::stderr();
    let page = login.page_with_code.as_ref().unwrap_or(&login.page);
    terminal::note(&format!(
        "To log in at {provider}, open\n\n  {}\n\nand confirm the code {}. It is good for {} minutes.",
        style.cyan(page),
        style.bold(&login.user_code),
        login.until.saturating_duration_since(Instant::now()).as_secs().div_ceil(60),
    ));
    let logged_in = tokio::select! {
        logged_in = login.wait() => logged_in.map_err(failed)?,
        _ = tokio::signal::ctrl_c() => return Ok(exit::INTERRUPTED),
    };
    tokens.set(client.endpoint(), &logged_in.token)?;
    let name = claims_unchecked(logged_in.token.expose())
        .and_then(|claims| claims.get("sub")?.as_str().map(plain))
        .unwrap_or_else(|| "you".to_owned());
    terminal::note(&format!("Logged in at {} as {name}.", client.endpoint()));
    Ok(exit::SUCCESS)
}

impl LogOut {
    fn run(self, client: &Client, tokens: &Tokens) -> Result<u8, Error> {
        if !tokens.remove(client.endpoint())? && !self.force {
            return Err(Error::not_found(format!("nobody is logged in at {}", client.endpoint())));
        }
        terminal::note(&format!("Logged out of {}.", client.endpoint()));
        Ok(exit::SUCCESS)
    }
}

impl Token {
    fn run(self, client: &Client, tokens: &Tokens) -> Result<u8, Error> {
        let token = tokens.get(client.endpoint())?.ok_or_else(|| {
            Error::not_found(format!("nobody is logged in at {}", client.endpoint()))
                .hint("log in with `skrei auth sso login`")
        })?;
        if self.decode {
            let claims = claims_unchecked(token.expose());
            let claims = claims.ok_or_else(|| Error::usage("the token that is kept cannot be read"))?;
            terminal::data(&terminal::yaml(&claims)?)?;
        } else {
            terminal::data(token.expose())?;
        }
        Ok(exit::SUCCESS)
    }
}

/// What somebody else calls something, as it is shown: nothing in it moves the cursor or turns the line around.
fn plain(text: &str) -> String {
    let is_hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    text.chars().filter(|c| !is_hidden(*c)).take(NAME_CHARS_MAX).collect()
}

fn failed(error: LoginError) -> Error {
    let message = error.to_string();
    match error {
        LoginError::Away(..) => Error::new(exit::UNREACHABLE, message),
        LoginError::Expired => Error::new(exit::TIMEOUT, message).hint("begin anew: `skrei auth sso login`"),
        LoginError::Trust(_) => Error::usage(message),
        LoginError::NotOffered(_) => {
            Error::refused(message).hint("the server's administrator sets it in API.Auth.Oauth2")
        }
        _ => Error::refused(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_without_what_would_make_it_look_like_something_else() {
        assert_eq!(plain("Example Login"), "Example Login");
        assert_eq!(plain("Ex\u{1b}[2Jam\u{202e}ple\r\n"), "Ex[2Jample");
        assert_eq!(plain(&"x".repeat(500)).len(), NAME_CHARS_MAX);
    }
}
