//! From a module's bytes to code: kept, or compiled here, or by a process that can be stopped.

mod code_dir;
mod process;
mod serve;

use wasmparser::{Parser, Payload};
use wasmtime::component::Component;
use wasmtime::{Engine, Module};

use crate::engine::{Engines, Linked, Room};
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

/// Code for one engine.
pub(crate) enum Compiled {
    Module(Module),
    Component(Component),
}

/// From here on compiling takes longer than setting up an engine.
const LARGE_BYTES: usize = 1 << 20;

/// Components from this size on have a language's interpreter inside.
const INTERPRETER_BYTES: usize = 8 << 20;

/// Whether bytes in the binary format are a component's.
pub(crate) fn is_component(wasm: &[u8]) -> bool {
    /// What stands in its header where a module has zeros.
    const LAYER: &[u8] = &[0x01, 0x00];
    wasm.get(6..8) == Some(LAYER)
}

/// Whether a component says by its exports that it is made for WASI 0.3.
fn runs_concurrently(wasm: &[u8]) -> bool {
    const RUN: &str = "wasi:cli/run@0.3";
    // Those of the components in it are no matter, and what does not parse is for the compiler to tell.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        match payload {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(exports)
                if depth == 1
                    && exports
                        .clone()
                        .into_iter()
                        .flatten()
                        .any(|export| export.name.name.starts_with(RUN)) =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}

impl Compiler {
    pub(crate) fn new(config: &Config) -> Result<Compiler, Error> {
        let open = |dir: &std::path::PathBuf| CodeDir::open(dir, config.code_bytes_max);
        let kept = config.code_dir.as_ref().map(open).transpose()?;
        Ok(Compiler { kept, process: config.compiler.clone(), config: config.clone() })
    }

    /// The code of a module or component in the binary format, whose digest this is, and the engine it is for: one with a
    /// pool, if what it needs is there.
    pub(crate) fn code<'e>(
        &self,
        engines: &'e Engines,
        digest: &str,
        wasm: &[u8],
    ) -> Result<(Compiled, &'e Linked), load::Error> {
        let is_component = is_component(wasm);
        let (pooled, room) = if is_component && runs_concurrently(wasm) {
            let concurrent = engines.concurrent().map_err(|message| load::Error::Compiler { message })?;
            (concurrent, Room::Concurrent)
        } else {
            (engines.pooled(), Room::Pooled)
        };
        if let Some(code) = self.kept_for(&pooled.engine, digest, wasm) {
            return Ok((code, pooled));
        }
        // What was found before not to fit into the pool is kept for the other engine: a large one is not compiled for
        // the pool again to find the same.
        if wasm.len() >= LARGE_BYTES
            && self.kept.is_some()
            && let Ok(linked) = engines.on_demand()
            && let Some(code) = self.kept_for(&linked.engine, digest, wasm)
        {
            return Ok((code, linked));
        }
        // A component with an interpreter inside is of many parts, more than the pool has room for, and takes so long to
        // compile that it is not done in vain.
        if wasm.len() >= INTERPRETER_BYTES
            && is_component
            && let Ok(linked) = engines.on_demand()
        {
            return Ok((self.code_for(&linked.engine, Room::OnDemand, digest, wasm)?, linked));
        }
        match self.code_for(&pooled.engine, room, digest, wasm) {
            // It may need what the pool has not. One that is just wrong is so for either.
            Err(error @ load::Error::Invalid { .. }) => {
                let Ok(linked) = engines.on_demand() else { return Err(error) };
                Ok((self.code_for(&linked.engine, Room::OnDemand, digest, wasm)?, linked))
            }
            code => Ok((code?, pooled)),
        }
    }

    /// The same for the engine in which guests have whatever they need.
    pub(crate) fn code_on_demand(
        &self,
        engines: &Engines,
        digest: &str,
        wasm: &[u8],
    ) -> Result<Compiled, load::Error> {
        let linked = engines.on_demand().map_err(|message| load::Error::Compiler { message })?;
        self.code_for(&linked.engine, Room::OnDemand, digest, wasm)
    }

    fn code_for(
        &self,
        engine: &Engine,
        room: Room,
        digest: &str,
        wasm: &[u8],
    ) -> Result<Compiled, load::Error> {
        if let Some(code) = self.kept_for(engine, digest, wasm) {
            return Ok(code);
        }
        let is_component = is_component(wasm);
        let invalid = |error: wasmtime::Error| load::Error::Invalid { message: format!("{error:#}") };
        if let Some(process) = self.process.as_ref().filter(|process| wasm.len() >= process.module_bytes_min)
        {
            let code = process.compile(&self.config, room, wasm)?;
            let compiled = from_code(engine, is_component, &code).map_err(invalid)?;
            self.keep(engine, digest, &code);
            return Ok(compiled);
        }
        let compiled = if is_component {
            Component::from_binary(engine, wasm).map(Compiled::Component)
        } else {
            Module::from_binary(engine, wasm).map(Compiled::Module)
        };
        let compiled = compiled.map_err(invalid)?;
        if self.kept.is_some() {
            self.keep(engine, digest, &compiled.serialize().map_err(invalid)?);
        }
        Ok(compiled)
    }

    /// What was compiled before for an engine.
    fn kept_for(&self, engine: &Engine, digest: &str, wasm: &[u8]) -> Option<Compiled> {
        let code = self.kept.as_ref()?.find(engine, digest)?;
        from_code(engine, is_component(wasm), &code).ok()
    }

    fn keep(&self, engine: &Engine, digest: &str, code: &[u8]) {
        if let Some(kept) = &self.kept {
            kept.keep(engine, digest, code);
        }
    }
}

impl Compiled {
    fn serialize(&self) -> wasmtime::Result<Vec<u8>> {
        match self {
            Compiled::Module(module) => module.serialize(),
            Compiled::Component(component) => component.serialize(),
        }
    }
}

/// Code as the engine's own `serialize` gave it, in this process, in one that made it for this one, or in one that
/// could sign it.
#[expect(
    unsafe_code,
    reason = "loading machine code trusts it; what comes here was made by our own compiler"
)]
fn from_code(engine: &Engine, is_component: bool, code: &[u8]) -> wasmtime::Result<Compiled> {
    // SAFETY: the bytes are what `serialize` gave, unchanged: the code directory checks a keyed digest, and a
    // compiler process is this program's own and ended well. The engine refuses other versions and settings.
    unsafe {
        if is_component {
            Component::deserialize(engine, code).map(Compiled::Component)
        } else {
            Module::deserialize(engine, code).map(Compiled::Module)
        }
    }
}
