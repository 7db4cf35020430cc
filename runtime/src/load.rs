//! What is refused before it ever runs.

use wasmtime::{ExternType, UnknownImportError};

use crate::compile::{Compiled, Compiler};
use crate::component::Command;
use crate::engine::Engines;
use crate::module::{self, Code, Core};
use crate::names::{list, shown};
use crate::{footprint, link, names};

/// Why bytes were not accepted as a module, or an entry point not as one of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are no bytes.
    #[error("the module is empty")]
    Empty,
    /// More than [`Config::module_bytes_max`](crate::Config::module_bytes_max).
    #[error("the module is too large: {bytes} bytes, and {bytes_max} is the most")]
    TooLarge {
        /// The module's size.
        bytes: usize,
        /// The most that is accepted.
        bytes_max: usize,
    },
    /// So much in it that each instance would take the host's own memory, which no limit of a run is about.
    #[error(
        "the module has too much in it: an instance takes about {bytes} bytes of the host's memory beside the guest's own, and {bytes_max} is the most"
    )]
    InstanceTooLarge {
        /// What an instance takes, about.
        bytes: u64,
        /// The most that is accepted.
        bytes_max: u64,
    },
    /// Neither WebAssembly's binary format nor its text format.
    #[error("not WebAssembly: neither the binary format nor the text format")]
    NotWasm,
    /// The text format, with a mistake in it.
    #[error("the module's text does not parse: {}", names::message(.message))]
    Text {
        /// What is wrong, with line and column.
        message: String,
    },
    /// A component of another world than `wasi:cli/command`: it exports no `wasi:cli/run` of WASI 0.2 or 0.3.
    #[error("the component has nothing to start at: it exports no `wasi:cli/run@0.2` or `@0.3`{}", instead(.exports))]
    World {
        /// What it exports.
        exports: Vec<String>,
    },
    /// A component where modules are linked: components bring along what they need.
    #[error("a component cannot be linked with modules")]
    ComponentAsPart,
    /// The right format, but cut off, damaged, or using a feature that is not there.
    #[error("the module is truncated or invalid: {}", names::message(.message))]
    Invalid {
        /// What is wrong, with an offset.
        message: String,
    },
    /// The [`CompilerProcess`](crate::CompilerProcess) was stopped.
    #[error("compiling the module takes longer than {time_max:?}, which is the most")]
    CompileTime {
        /// How long it may take.
        time_max: std::time::Duration,
    },
    /// The [`CompilerProcess`](crate::CompilerProcess) failed, for want of memory as a rule.
    #[error("the module cannot be compiled {message}")]
    Compiler {
        /// What happened.
        message: String,
    },
    /// It needs something that is not provided.
    #[error("the module imports `{}::{}`, which is not provided", shown(.module), shown(.name))]
    UnknownImport {
        /// The import's module name.
        module: String,
        /// The import's own name.
        name: String,
    },
    /// A component needs something that is not provided, and cannot be linked with others for it.
    #[error("the component imports `{}`{}, which is not provided", shown(.interface), item(.name))]
    UnknownInterface {
        /// The interface, or what is imported by itself.
        interface: String,
        /// What is missing of the interface.
        name: Option<String>,
    },
    /// It imports something under the right name with another type.
    #[error("the module's imports do not fit: {}", names::message(.message))]
    ImportType {
        /// Which import, and how it differs.
        message: String,
    },
    /// It is a library (a reactor) that exports no function without parameters to start at.
    #[error("the module has nothing to start at: no `_start` and no other function without parameters")]
    NoEntryPoint,
    /// It has no export of the entry point's name.
    #[error("the module has no entry point `{name}`; it has {}", list(.candidates))]
    EntryPointMissing {
        /// The name asked for.
        name: String,
        /// What the module could be started at instead.
        candidates: Vec<String>,
    },
    /// The export is not a function without parameters.
    #[error("`{name}` cannot be an entry point: it is {found}, not a function without parameters")]
    EntryPointType {
        /// The name asked for.
        name: String,
        /// What it is.
        found: String,
    },
}

const MAGIC: &[u8] = b"\0asm";

/// Checks and compiles. Takes about a millisecond of CPU time per kilobyte.
pub(crate) fn compile(
    engines: &Engines,
    compiler: &Compiler,
    digest: &str,
    wasm: &[u8],
    bytes_max: usize,
) -> Result<Code, Error> {
    let wasm = &*binary(wasm, bytes_max)?;
    let instance_bytes = instance_bytes(wasm, footprint::INSTANCES_BYTES_MAX)?;
    let (compiled, linked) = compiler.code(engines, digest, wasm)?;
    let module = match compiled {
        Compiled::Module(module) => module,
        Compiled::Component(component) => {
            return Command::new(linked, &component, instance_bytes).map(Code::Command);
        }
    };
    let pre = linked.modules.instantiate_pre(&module).map_err(|error| import_error(&error))?;
    let core = Core::new(pre);
    if module::entry_points(&module).next().is_none() {
        return Err(Error::NoEntryPoint);
    }
    Ok(Code::Core(core))
}

/// Checks and compiles a module of several for the engine in which guests have whatever they need. What it imports is for
/// the others to say.
pub(crate) fn compile_part(
    engines: &Engines,
    compiler: &Compiler,
    digest: &str,
    wasm: &[u8],
    bytes_max: usize,
) -> Result<wasmtime::Module, Error> {
    let wasm = &*binary(wasm, bytes_max)?;
    instance_bytes(wasm, footprint::INSTANCES_BYTES_MAX / link::MODULES_MAX as u64)?;
    match compiler.code_on_demand(engines, digest, wasm)? {
        Compiled::Module(module) => Ok(module),
        Compiled::Component(_) => Err(Error::ComponentAsPart),
    }
}

/// What an instance takes beside the guest's own memory, if it is not more than `bytes_max`.
fn instance_bytes(wasm: &[u8], bytes_max: u64) -> Result<u64, Error> {
    let bytes = footprint::instance_bytes(wasm);
    if bytes > bytes_max { Err(Error::InstanceTooLarge { bytes, bytes_max }) } else { Ok(bytes) }
}

/// The binary format of what may be text.
fn binary(wasm: &[u8], bytes_max: usize) -> Result<std::borrow::Cow<'_, [u8]>, Error> {
    if wasm.is_empty() {
        return Err(Error::Empty);
    }
    if wasm.len() > bytes_max {
        return Err(Error::TooLarge { bytes: wasm.len(), bytes_max });
    }
    if wasm.starts_with(MAGIC) {
        return Ok(wasm.into());
    }
    if MAGIC.starts_with(wasm) {
        return Err(Error::Invalid { message: "it ends within the first four bytes".to_owned() });
    }
    // Text starts with `(module`, `(component` or a comment.
    if !matches!(wasm.trim_ascii_start().first(), Some(b'(' | b';')) {
        return Err(Error::NotWasm);
    }
    wat::parse_bytes(wasm).map_err(|error| Error::Text { message: error.to_string().trim().to_owned() })
}

pub(crate) fn import_error(error: &wasmtime::Error) -> Error {
    match error.downcast_ref::<UnknownImportError>() {
        Some(import) => {
            Error::UnknownImport { module: import.module().to_owned(), name: import.name().to_owned() }
        }
        None => Error::ImportType { message: format!("{error:#}") },
    }
}

/// Says in words what an export is, for [`Error::EntryPointType`].
pub(crate) fn describe(export: &ExternType) -> String {
    match export {
        ExternType::Func(function) => {
            format!("a function with {} parameters", function.params().len())
        }
        ExternType::Global(_) => "a global".to_owned(),
        ExternType::Table(_) => "a table".to_owned(),
        ExternType::Memory(_) => "a memory".to_owned(),
        ExternType::Tag(_) => "a tag".to_owned(),
    }
}

/// What a component has instead of what it should, as the end of a sentence.
fn instead(exports: &[String]) -> String {
    if exports.is_empty() { String::new() } else { format!("; it exports {}", list(exports)) }
}

/// What is missing of an interface, after its name.
fn item(name: &Option<String>) -> String {
    name.as_ref().map(|name| format!(" with `{}`", shown(name))).unwrap_or_default()
}
