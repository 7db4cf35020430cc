//! The module to run, and those it imports from.

use skrei_runtime::{Module, Sandbox, load};

use super::import::Import;
use crate::{error::Error, job_file::modules, sandbox};

/// What is to be run.
pub(super) struct Program {
    /// The module as it is shown in messages.
    pub(super) shown: String,
    pub(super) entry_point: String,
    pub(super) imports: Vec<Import>,
    /// Those of the job: paths in the sandbox.
    pub(super) of_job: Vec<String>,
}

impl Program {
    /// Loads the module; what it imports from is looked for among those given and in the sandbox.
    pub(super) fn load(&self, wasm: &[u8], sandbox: &Sandbox) -> Result<Module, Error> {
        let runtime = sandbox::for_one_guest().map_err(|error| Error::internal(error.to_string()))?;
        let module = match runtime.load(wasm) {
            Err(load::Error::UnknownImport { .. }) => self.link(&runtime, wasm, sandbox)?,
            _ if !self.imports.is_empty() || !self.of_job.is_empty() => self.link(&runtime, wasm, sandbox)?,
            loaded => loaded.map_err(|error| self.refused(&error, modules::hint(&error)))?,
        };
        let checked = module.check_entry_point(&self.entry_point);
        checked.map_err(|error| self.refused(&error, modules::hint(&error)))?;
        Ok(module)
    }

    fn link(
        &self,
        runtime: &skrei_runtime::Runtime,
        wasm: &[u8],
        sandbox: &Sandbox,
    ) -> Result<Module, Error> {
        let mut linking = runtime.linking().files(sandbox);
        for path in &self.of_job {
            linking = linking.import_file(path);
        }
        for import in &self.imports {
            linking = linking.import(&import.name, import.read()?);
        }
        linking.load(wasm).map_err(|error| self.refused(&error, modules::link_hint(&error)))
    }

    fn refused(&self, error: &dyn std::error::Error, hint: Option<&str>) -> Error {
        let refused = Error::refused(format!("`{}`: {error}", self.shown));
        match hint {
            Some(hint) => refused.hint(hint),
            None => refused,
        }
    }
}
