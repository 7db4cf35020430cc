//! Why modules do not make a program.

use std::fmt;

use crate::load;
use crate::names::{message, shown};

/// Why modules do not make a program. Every error names the way from the entry module to the one it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// A module is not accepted by itself.
    #[error("{}{error}", .chain.before())]
    Load {
        /// The way to it.
        chain: Chain,
        /// What is wrong with it.
        error: load::Error,
    },
    /// Nothing is there under the name that is imported from.
    #[error("{}the module imports `{}::{}`, which is not provided: no module and nothing of the host is called `{}`, and there is no such file in the sandbox", .chain.before(), shown(.module), shown(.name), shown(.module))]
    Missing {
        /// The way to the module that imports it.
        chain: Chain,
        /// The name imported from.
        module: String,
        /// What is imported.
        name: String,
    },
    /// The module that is imported from has no such export, or one of another type.
    #[error("{}the module imports `{}::{}` as {}, and `{}` has {}", .chain.before(), shown(.module), shown(.name), message(.wanted), shown(.module), message(.found))]
    Export {
        /// The way to the module that imports it.
        chain: Chain,
        /// The name imported from.
        module: String,
        /// What is imported.
        name: String,
        /// What it should be.
        wanted: String,
        /// What it is.
        found: String,
    },
    /// A module imports from itself, by way of others or directly.
    #[error("modules import from each other in a circle: {chain}")]
    Loop {
        /// From the entry module to the one that is there twice.
        chain: Chain,
    },
    /// More modules than one program may have.
    #[error("{}the program has more than {most} modules", .chain.before())]
    TooMany {
        /// The way to the first one too many.
        chain: Chain,
        /// How many there may be.
        most: usize,
    },
    /// A module's file cannot be read.
    #[error("{}the module's file cannot be read: {message}", .chain.before())]
    File {
        /// The way to it.
        chain: Chain,
        /// What is wrong.
        message: String,
    },
    /// Two modules are given under one name.
    #[error("there is more than one module `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
}

/// The way from the entry module to another: the names under which they import from each other. Empty for the entry
/// module itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain(pub Vec<String>);

impl Chain {
    pub(super) fn with(&self, name: &str) -> Chain {
        Chain(self.0.iter().cloned().chain([name.to_owned()]).collect())
    }

    /// The beginning of a sentence about the last of them.
    fn before(&self) -> String {
        if self.0.is_empty() { String::new() } else { format!("in {self}: ") }
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the entry module")?;
        self.0.iter().try_for_each(|name| write!(f, " -> `{}`", shown(name)))
    }
}
