//! `skrei config get` and `config explain`.

use clap::Args;

use super::set::known;
use crate::{
    cli::Globals,
    config::{self, key::Kind},
    error::Error,
    exit,
    terminal::{self, style},
};

/// The value of one key, alone on a line: for scripts.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The key
    #[arg(value_name = "KEY")]
    key: String,
}

/// What a key is for, what it is set to, by whom, and every way to set it.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The key
    #[arg(value_name = "KEY")]
    key: String,
}

impl Get {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let key = known(&self.key)?;
        let (_, layers) = config::load(&globals.arguments, globals.flags())?;
        let value = layers.shown().find(|(shown, ..)| shown.name == key.name).map(|(_, value, _)| value);
        terminal::data(&value.unwrap_or_default())?;
        Ok(exit::SUCCESS)
    }
}

impl Explain {
    pub(super) fn run(self, globals: &Globals) -> Result<u8, Error> {
        let key = known(&self.key)?;
        let (_, layers) = config::load(&globals.arguments, globals.flags())?;
        let (value, origin) = layers
            .shown()
            .find(|(shown, ..)| shown.name == key.name)
            .map_or_else(Default::default, |(_, value, origin)| (value, origin.to_string()));
        let style = style::stdout();
        let kind = match key.kind {
            Kind::Word(words) => format!("one of {}", words.join(", ")),
            kind => kind.as_str().to_owned(),
        };
        let none = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
        let rows = [
            ("value", format!("{}  (from {origin})", none(&value))),
            ("default", none(key.default)),
            ("type", kind),
            ("file", format!("skrei config set {}=VALUE", key.name)),
            ("flag", format!("-c {}=VALUE", key.name)),
            ("variable", config::variables(key).join(", ")),
        ];
        terminal::data(&format!("{}\n{}\n", style.bold(key.name), key.doc))?;
        for (name, text) in rows {
            terminal::data(&format!("{}  {text}", style.dim(&format!("{name:<8}"))))?;
        }
        Ok(exit::SUCCESS)
    }
}
