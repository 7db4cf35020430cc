//! From a module's bytes to code: kept, or compiled here, or by a process that can be stopped.

mod code_dir;
mod process;
mod serve;

use wasmtime::Engine;

use crate::{Config, Error, load};
use code_dir::CodeDir;

pub use process::CompilerProcess;
pub use serve::serve as serve_compiler;

/// Gives a module's code, whether it has to be compiled or not.
pub(crate) struct Compiler {
    kept: Option<CodeDir>,
    process: Option<CompilerProcess>,
    config: Config,
}

impl Compiler {
    pub(crate) fn new(config: &Config, engine: &Engine) -> Result<Compiler, Error> {
        let open = |dir: &std::path::PathBuf| CodeDir::open(dir, config.code_bytes_max, engine);
        let kept = config.code_dir.as_ref().map(open).transpose()?;
        Ok(Compiler { kept, process: config.compiler.clone(), config: config.clone() })
    }

    /// The code of a core module in the binary format, whose digest this is.
    pub(crate) fn module(
        &self,
        engine: &Engine,
        digest: &str,
        wasm: &[u8],
    ) -> Result<wasmtime::Module, load::Error> {
        let kept = self.kept.as_ref().and_then(|kept| kept.find(digest));
        if let Some(module) = kept.and_then(|code| from_code(engine, &code).ok()) {
            return Ok(module);
        }
        let invalid = |error: wasmtime::Error| load::Error::Invalid { message: format!("{error:#}") };
        match self.process.as_ref().filter(|process| wasm.len() >= process.module_bytes_min) {
            Some(process) => {
                let code = process.compile(&self.config, wasm)?;
                self.keep(digest, &code);
                from_code(engine, &code)
                    .map_err(|error| load::Error::Compiler { message: format!("{error:#}") })
            }
            None => {
                let module = wasmtime::Module::from_binary(engine, wasm).map_err(invalid)?;
                if self.kept.is_some() {
                    self.keep(digest, &module.serialize().map_err(invalid)?);
                }
                Ok(module)
            }
        }
    }

    fn keep(&self, digest: &str, code: &[u8]) {
        if let Some(kept) = &self.kept {
            kept.keep(digest, code);
        }
    }
}

/// Code as the engine's own `serialize` gave it, in this process, in one that made it for this one, or in one that
/// could sign it.
#[expect(
    unsafe_code,
    reason = "loading machine code trusts it; what comes here was made by our own compiler"
)]
fn from_code(engine: &Engine, code: &[u8]) -> wasmtime::Result<wasmtime::Module> {
    // SAFETY: the bytes are what `Module::serialize` gave, unchanged: the code directory checks a keyed digest, and
    // a compiler process is this program's own and ended well. The engine refuses other versions and settings.
    unsafe { wasmtime::Module::deserialize(engine, code) }
}
