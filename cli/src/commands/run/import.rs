//! `--import [NAME=]FILE`.

use std::{path::PathBuf, str::FromStr};

use crate::error::Error;

/// A module that the guest imports from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Import {
    /// What it is imported as.
    pub(super) name: String,
    file: PathBuf,
}

impl FromStr for Import {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = text.split_once('=').unwrap_or((text, text));
        if name.is_empty() || file.is_empty() {
            return Err("a name or a file is missing; write `NAME=FILE`, or `FILE`".to_owned());
        }
        Ok(Self { name: name.to_owned(), file: file.into() })
    }
}

impl Import {
    /// Reads the file.
    pub(super) fn read(&self) -> Result<Vec<u8>, Error> {
        std::fs::read(&self.file).map_err(|error| {
            Error::not_found(format!("--import: `{}` cannot be read: {error}", self.file.display()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_imported_by_its_name_or_its_file() {
        let import = |name: &str, file: &str| Ok(Import { name: name.to_owned(), file: file.into() });
        for (text, expected) in [
            ("math=build/m.wasm", import("math", "build/m.wasm")),
            ("lib/a.wasm", import("lib/a.wasm", "lib/a.wasm")),
            ("a=b=c", import("a", "b=c")),
        ] {
            assert_eq!(Import::from_str(text), expected, "{text}");
        }
        assert!(
            Import::from_str("=a").is_err()
                && Import::from_str("a=").is_err()
                && Import::from_str("").is_err()
        );
    }
}
