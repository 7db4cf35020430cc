//! Whether everything that a module imports is there, and is what it should be.

use std::fmt::Write as _;

use wasmtime::{
    ExternType, FuncType, GlobalType, ImportType, Linker, MemoryType, Module, TableType, UnknownImportError,
    ValType,
};

use super::error::{Chain, LinkError};
use super::order::Found;
use crate::guest::Guest;
use crate::load;

/// Checks what a module imports, from modules and from the host.
pub(super) fn check(part: &Found, earlier: &[Found], host: &Linker<Guest>) -> Result<(), LinkError> {
    let chain = &part.chain;
    let mut linker = host.clone();
    linker.allow_shadowing(true);
    let exporter = |name: &str| earlier.iter().rfind(|earlier| earlier.name == name);
    for import in part.module.imports() {
        let Some(from) = exporter(import.module()) else { continue };
        let (wanted, found) = (import.ty(), from.module.get_export(import.name()));
        if !found.as_ref().is_some_and(|found| fits(&wanted, found)) {
            return Err(LinkError::Export {
                chain: chain.clone(),
                module: import.module().to_owned(),
                name: import.name().to_owned(),
                wanted: describe(&wanted),
                found: found.map_or_else(|| "nothing of that name".to_owned(), |found| describe(&found)),
            });
        }
        if let ExternType::Func(function) = wanted {
            // Never called: only there so that the host's functions can be checked.
            let stub = linker.func_new(import.module(), import.name(), function, |_, _, _| Ok(()));
            stub.map(drop).map_err(|error| wrong(chain, &error))?;
        }
    }
    match linker.instantiate_pre(&part.module) {
        Ok(_) => Ok(()),
        // Memories, tables and globals are there once their modules are. The linker looks no further than the first, so
        // that what is the host's is checked by itself.
        Err(error)
            if error
                .downcast_ref::<UnknownImportError>()
                .is_some_and(|unknown| exporter(unknown.module()).is_some()) =>
        {
            let of_host = part.module.imports().filter(|import| exporter(import.module()).is_none());
            let checked = Module::new(host.engine(), importing(of_host))
                .and_then(|module| host.instantiate_pre(&module).map(drop));
            checked.map_err(|error| wrong(chain, &error))
        }
        Err(error) => Err(wrong(chain, &error)),
    }
}

fn wrong(chain: &Chain, error: &wasmtime::Error) -> LinkError {
    LinkError::Load { chain: chain.clone(), error: load::import_error(error) }
}

/// Whether an export can be imported, as far as that is known before it is there: a memory or table may have grown by
/// then.
fn fits(wanted: &ExternType, found: &ExternType) -> bool {
    match (wanted, found) {
        (ExternType::Func(wanted), ExternType::Func(found)) => found.matches(wanted),
        (ExternType::Global(wanted), ExternType::Global(found)) => global_fits(wanted, found),
        (ExternType::Memory(wanted), ExternType::Memory(found)) => memory_fits(wanted, found),
        (ExternType::Table(wanted), ExternType::Table(found)) => table_fits(wanted, found),
        (ExternType::Tag(wanted), ExternType::Tag(found)) => FuncType::eq(found.ty(), wanted.ty()),
        _ => false,
    }
}

fn global_fits(wanted: &GlobalType, found: &GlobalType) -> bool {
    wanted.mutability() == found.mutability()
        && match wanted.mutability() {
            wasmtime::Mutability::Const => found.content().matches(wanted.content()),
            wasmtime::Mutability::Var => ValType::eq(found.content(), wanted.content()),
        }
}

fn memory_fits(wanted: &MemoryType, found: &MemoryType) -> bool {
    wanted.is_64() == found.is_64()
        && wanted.is_shared() == found.is_shared()
        && wanted.page_size_log2() == found.page_size_log2()
        && within(wanted.maximum(), found.maximum())
}

fn table_fits(wanted: &TableType, found: &TableType) -> bool {
    wanted.is_64() == found.is_64()
        && wasmtime::RefType::eq(wanted.element(), found.element())
        && within(wanted.maximum(), found.maximum())
}

/// Whether what grows to one maximum never passes the other.
fn within(wanted: Option<u64>, found: Option<u64>) -> bool {
    wanted.is_none_or(|wanted| found.is_some_and(|found| found <= wanted))
}

/// A module, as text, that imports these and does nothing.
fn importing<'m>(imports: impl Iterator<Item = ImportType<'m>>) -> String {
    let mut text = "(module".to_owned();
    for import in imports {
        let item = match import.ty() {
            ExternType::Func(function) => {
                format!("(func (param{}) (result{}))", types(function.params()), types(function.results()))
            }
            // The host has functions alone: whatever the rest is like, it is missing or of another type.
            ExternType::Global(_) => "(global i32)".to_owned(),
            ExternType::Memory(_) => "(memory 0)".to_owned(),
            ExternType::Table(_) => "(table 0 funcref)".to_owned(),
            ExternType::Tag(_) => "(tag)".to_owned(),
        };
        // Writing to a string does not fail.
        let _ = write!(text, " (import {} {} {item})", quoted(import.module()), quoted(import.name()));
    }
    text + ")"
}

/// Types of parameters or results, each with a space before it. Of references the host's functions have none.
fn types(types: impl Iterator<Item = ValType>) -> String {
    types.fold(String::new(), |text, ty| match ty {
        ValType::Ref(_) => text + " externref",
        ty => format!("{text} {ty}"),
    })
}

/// A name as the text format has it, whatever is in it.
fn quoted(name: &str) -> String {
    let escaped = name.bytes().fold(String::new(), |text, byte| format!("{text}\\{byte:02x}"));
    format!("\"{escaped}\"")
}

/// Says in words what is imported or exported, as far as it can differ.
fn describe(item: &ExternType) -> String {
    let most = |maximum: Option<u64>| maximum.map(|most| format!(" to {most}")).unwrap_or_default();
    match item {
        ExternType::Func(function) => {
            format!(
                "a function ({}) -> ({})",
                types(function.params()).trim(),
                types(function.results()).trim()
            )
        }
        ExternType::Global(global) => match global.mutability() {
            wasmtime::Mutability::Const => format!("a constant global of {}", global.content()),
            wasmtime::Mutability::Var => format!("a mutable global of {}", global.content()),
        },
        ExternType::Memory(memory) => {
            let shared = if memory.is_shared() { "shared " } else { "" };
            let width = if memory.is_64() { "64-bit " } else { "" };
            let (least, most) = (memory.minimum(), most(memory.maximum()));
            format!("a {shared}{width}memory of {least}{most} pages of {} bytes", memory.page_size())
        }
        ExternType::Table(table) => {
            let width = if table.is_64() { "64-bit " } else { "" };
            format!("a {width}table of {}{} {}", table.minimum(), most(table.maximum()), table.element())
        }
        ExternType::Tag(_) => load::describe(item),
    }
}
