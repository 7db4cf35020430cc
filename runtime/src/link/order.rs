//! Who is needed by whom: modules in the order in which they are instantiated.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::{Chain, LinkError};
use super::files::{self, Unread};
use crate::runtime::Shared;
use crate::{Sandbox, load};

/// Modules in one program, the entry module included.
pub(crate) const MODULES_MAX: usize = 16;

/// Where a module that was given is.
#[derive(Debug)]
pub(super) enum Given {
    Bytes(Vec<u8>),
    File,
}

/// Modules, each after those it imports from; the entry module is the last.
pub(super) struct Order {
    pub(super) parts: Vec<Found>,
}

/// One module of a program.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) module: Arc<wasmtime::Module>,
    /// The way to it.
    pub(super) chain: Chain,
}

/// On the way through the modules.
struct Search<'a> {
    shared: &'a Shared,
    given: BTreeMap<String, Given>,
    files: Option<&'a Sandbox>,
    done: Vec<Found>,
}

impl Order {
    pub(super) fn of(
        shared: &Shared,
        given: Vec<(String, Given)>,
        files: Option<&Sandbox>,
        digest: &Arc<str>,
        entry: &[u8],
    ) -> Result<Order, LinkError> {
        let mut search = Search { shared, given: BTreeMap::new(), files, done: Vec::new() };
        let names: Vec<_> = given.iter().map(|(name, _)| name.clone()).collect();
        for (name, given) in given {
            if search.given.insert(name.clone(), given).is_some() {
                return Err(LinkError::Twice { name });
            }
        }
        // Those that are given come first, whether anybody imports from them or not.
        for name in names {
            search.visit(&name, &Chain::default())?;
        }
        let module = shared.part(digest, entry);
        let module = module.map_err(|error| LinkError::Load { chain: Chain::default(), error })?;
        search.add(String::new(), module, Chain::default())?;
        Ok(Order { parts: search.done })
    }
}

impl Search<'_> {
    /// Makes sure that the module of this name is there; `from` is the way to the one that imports it.
    fn visit(&mut self, name: &str, from: &Chain) -> Result<bool, LinkError> {
        if self.done.iter().any(|found| found.name == name) {
            return Ok(true);
        }
        let chain = from.with(name);
        if from.0.iter().any(|earlier| earlier == name) {
            return Err(LinkError::Loop { chain });
        }
        if chain.0.len() >= MODULES_MAX || self.done.len() + 1 >= MODULES_MAX {
            return Err(LinkError::TooMany { chain, most: MODULES_MAX });
        }
        let bytes = match self.given.get_mut(name) {
            Some(Given::Bytes(bytes)) => Some(std::mem::take(bytes)),
            Some(Given::File) => match self.read(name, &chain)? {
                None => {
                    let message = "there is no such file in the sandbox".to_owned();
                    return Err(LinkError::File { chain, message });
                }
                found => found,
            },
            None => self.read(name, &chain)?,
        };
        let Some(bytes) = bytes else { return Ok(false) };
        let digest = Shared::digest(&bytes);
        let module = self.shared.part(&digest, &bytes);
        let module = module.map_err(|error| LinkError::Load { chain: chain.clone(), error })?;
        self.add(name.to_owned(), module, chain)?;
        Ok(true)
    }

    fn read(&self, name: &str, chain: &Chain) -> Result<Option<Vec<u8>>, LinkError> {
        let Some(sandbox) = self.files else { return Ok(None) };
        files::read(sandbox, name, self.shared.module_bytes_max()).map_err(|unread| match unread {
            Unread::TooLarge(error) => LinkError::Load { chain: chain.clone(), error },
            Unread::Failed(message) => LinkError::File { chain: chain.clone(), message },
        })
    }

    /// Adds a module after all that it imports from.
    fn add(&mut self, name: String, module: Arc<wasmtime::Module>, chain: Chain) -> Result<(), LinkError> {
        let mut looked_for: Vec<&str> = Vec::new();
        for import in module.imports() {
            let from = import.module();
            let is_given = self.given.contains_key(from);
            if looked_for.contains(&from) || (self.shared.is_of_host(from) && !is_given) {
                continue;
            }
            looked_for.push(from);
            if !self.visit(from, &chain)? {
                let (module, name) = (from.to_owned(), import.name().to_owned());
                return Err(LinkError::Missing { chain, module, name });
            }
        }
        self.done.push(Found { name, module, chain });
        Ok(())
    }
}

impl Shared {
    /// A module of several, compiled or found compiled.
    fn part(&self, digest: &Arc<str>, wasm: &[u8]) -> Result<Arc<wasmtime::Module>, load::Error> {
        self.parts.get(digest, || self.compile_part(digest, wasm))
    }
}
