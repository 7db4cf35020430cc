//! Modules next to the job file: checked here, before anything is uploaded.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use skrei_job::{
    Digest, Manifest, Problem,
    modules::{local_imports, local_modules},
};
use skrei_runtime::{LinkError, load};

use crate::sandbox;

/// Where the module of the one task is named.
const PLACE: &str = "Tasks[0].Engine.Params.EntryModule";
/// Where those that it imports from are.
const IMPORTS_PLACE: &str = "Tasks[0].Engine.Params.ImportModules";

/// A program that imports nothing, to check a module that others import from.
const NOBODY: &[u8] = br#"(module (func (export "_start")))"#;

/// What there is to upload, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    pub(super) modules: Vec<Bytes>,
    pub(super) problems: Vec<Problem>,
}

/// Lets each module file next to the job file be supplied by its digest.
pub(super) fn supply(manifest: &mut Manifest, directory: &Path) -> Supplied {
    let mut supplied = Supplied::default();
    let mut imports = Vec::new();
    for import in local_imports(manifest) {
        let path = directory.join(&import.file);
        let content = read_file(&path, IMPORTS_PLACE).and_then(|content| {
            let alone = [(import.name.clone(), content.clone())];
            linked(NOBODY, &alone, manifest).map_err(|wrong| problem(IMPORTS_PLACE, &path, wrong))?;
            Ok(content)
        });
        let content = content.unwrap_or_else(|problem| {
            supplied.problems.push(problem);
            Bytes::new()
        });
        // Also without content: that it is missing has been said.
        manifest.supply_import(&import, Digest::of(&content), content.len() as u64);
        imports.push((import.name, content.clone()));
        supplied.modules.push(content);
    }
    let imports_are_there = supplied.problems.is_empty();
    for written in local_modules(manifest) {
        let path = directory.join(&written);
        let content = read_file(&path, PLACE).and_then(|content| {
            if imports_are_there {
                check(&content, entry_point(manifest).as_deref(), &imports, manifest)
                    .map_err(|wrong| problem(PLACE, &path, wrong))?;
            }
            Ok(content)
        });
        let content = match content {
            Ok(content) => content,
            Err(problem) => {
                supplied.problems.push(problem);
                Bytes::new()
            }
        };
        // Also without content: that it is missing has been said.
        manifest.supply_module(&written, Digest::of(&content), content.len() as u64);
        supplied.modules.push(content);
    }
    supplied
}

fn entry_point(manifest: &Manifest) -> Option<String> {
    let params = &manifest.tasks.first()?.engine.params;
    let (_, name) = params.iter().find(|(name, _)| name.eq_ignore_ascii_case("Entrypoint"))?;
    name.as_str().filter(|name| !name.trim().is_empty()).map(str::to_owned)
}

fn read_file(path: &Path, place: &str) -> Result<Bytes, Problem> {
    let shown = path.display();
    let content = std::fs::read(path).map_err(|error| {
        let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let problem = match error.kind() {
            io::ErrorKind::NotFound => format!("the module file `{shown}` does not exist"),
            _ => format!("the module file `{shown}` cannot be read: {error}"),
        };
        Problem::new(place, problem).hint(looked_at(&full))
    })?;
    Ok(content.into())
}

fn problem(place: &str, path: &Path, (message, hint): Wrong) -> Problem {
    let problem = Problem::new(place, format!("`{}`: {message}", path.display()));
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn looked_at(path: &Path) -> String {
    let mut hint =
        "paths are relative to the job file; build the module first, or correct the path".to_owned();
    if let Some(there) = path.ancestors().find(|ancestor| ancestor.is_dir()).map(PathBuf::from) {
        hint.push_str(&format!("\n`{}` is there, what follows is not", there.display()));
    }
    hint
}

/// What is wrong with a module, and the way out.
pub(crate) type Wrong = (String, Option<&'static str>);

/// Checks an entry module, with those it imports from as far as they are here.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn check(
    content: &[u8],
    entry_point: Option<&str>,
    imports: &[(String, Bytes)],
    manifest: &Manifest,
) -> Result<(), Wrong> {
    let runtime = sandbox::for_one_guest().map_err(|error| (error.to_string(), None))?;
    let wrong = |error: load::Error| (error.to_string(), hint(&error));
    let module = match runtime.load(content) {
        Ok(module) if imports.is_empty() => Some(module),
        Ok(_) => linked(content, imports, manifest)?,
        Err(load::Error::UnknownImport { module, .. })
            if !imports.is_empty() || manifest.may_supply_import(&module) =>
        {
            linked(content, imports, manifest)?
        }
        Err(error) => return Err(wrong(error)),
    };
    module.map_or(Ok(()), |module| module.check_entry_point(entry_point.unwrap_or("_start"))).map_err(wrong)
}

/// A module with those it imports from; none if some of them are where only the node sees them.
fn linked(
    content: &[u8],
    imports: &[(String, Bytes)],
    manifest: &Manifest,
) -> Result<Option<skrei_runtime::Module>, Wrong> {
    let runtime = sandbox::for_one_guest().map_err(|error| (error.to_string(), None))?;
    let given =
        imports.iter().fold(runtime.linking(), |linking, (name, wasm)| linking.import(name, wasm.to_vec()));
    match given.load(content) {
        Ok(module) => Ok(Some(module)),
        Err(LinkError::Missing { module, .. })
            if manifest.may_supply_import(&module)
                || local_imports(manifest).iter().any(|import| import.name == module) =>
        {
            Ok(None)
        }
        Err(error) => Err((error.to_string(), link_hint(&error))),
    }
}

/// The way out of what is wrong with several modules.
pub(crate) fn link_hint(error: &LinkError) -> Option<&'static str> {
    match error {
        LinkError::Load { error, .. } => hint(error),
        LinkError::Missing { .. } => {
            Some("give it with `ImportModules: [NAME=FILE]`, or --import NAME=FILE for `skrei run`")
        }
        _ => None,
    }
}

/// The way out of what is wrong with a module.
pub(crate) fn hint(error: &load::Error) -> Option<&'static str> {
    match error {
        load::Error::NotWasm | load::Error::Empty => {
            Some("compile to WebAssembly: for Rust, `cargo build --release --target wasm32-wasip1`")
        }
        load::Error::World { .. } => Some(
            "a job is a program: for Rust, a crate with a `main`, built for wasm32-wasip1 or wasm32-wasip2",
        ),
        load::Error::UnknownImport { .. }
        | load::Error::UnknownInterface { .. }
        | load::Error::ImportType { .. } => Some(
            "modules may import WASI preview 1 (`wasi_snapshot_preview1`), `wasi:http/requests` and modules given beside them; components WASI 0.2 and 0.3, `wasi:http` with it",
        ),
        load::Error::EntryPointMissing { .. } | load::Error::EntryPointType { .. } => {
            Some("name one with `Entrypoint` in the engine's params, or --entry-point for `skrei run`")
        }
        _ => None,
    }
}
