//! Modules next to the job file: checked here, before anything is uploaded.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use skrei_job::{Digest, Manifest, Problem, modules::local_modules};
use skrei_runtime::load;

use crate::sandbox;

/// Where the module of the one task is named.
const PLACE: &str = "Tasks[0].Engine.Params.EntryModule";

/// What there is to upload, and what is wrong with it.
#[derive(Debug, Default)]
pub(super) struct Supplied {
    pub(super) modules: Vec<Bytes>,
    pub(super) problems: Vec<Problem>,
}

/// Lets each module file next to the job file be supplied by its digest.
pub(super) fn supply(manifest: &mut Manifest, directory: &Path) -> Supplied {
    let mut supplied = Supplied::default();
    for written in local_modules(manifest) {
        let path = directory.join(&written);
        let content = match load_file(&path, &entry_point(manifest)) {
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

fn load_file(path: &Path, entry_point: &Option<String>) -> Result<Bytes, Problem> {
    let shown = path.display();
    let content = std::fs::read(path).map_err(|error| {
        let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let problem = match error.kind() {
            io::ErrorKind::NotFound => format!("the module file `{shown}` does not exist"),
            _ => format!("the module file `{shown}` cannot be read: {error}"),
        };
        Problem::new(PLACE, problem).hint(looked_at(&full))
    })?;
    check(&content, entry_point.as_deref()).map_err(|(message, hint)| {
        let problem = Problem::new(PLACE, format!("`{shown}`: {message}"));
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    })?;
    Ok(content.into())
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

fn check(content: &[u8], entry_point: Option<&str>) -> Result<(), Wrong> {
    let runtime = sandbox::for_one_guest().map_err(|error| (error.to_string(), None))?;
    let wrong = |error: load::Error| (error.to_string(), hint(&error));
    let module = runtime.load(content).map_err(wrong)?;
    module.check_entry_point(entry_point.unwrap_or("_start")).map_err(wrong)
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
        load::Error::UnknownImport { .. } | load::Error::ImportType { .. } => Some(
            "modules may import WASI preview 1 (`wasi_snapshot_preview1`), components WASI 0.2, and nothing else",
        ),
        load::Error::EntryPointMissing { .. } | load::Error::EntryPointType { .. } => {
            Some("name one with `Entrypoint` in the engine's params, or --entry-point for `skrei run`")
        }
        _ => None,
    }
}
