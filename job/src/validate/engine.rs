//! The engine: there is one, `wasm`, and its module comes from an input source.

use serde_json::Value;

use super::{
    inputs::Sources,
    params::{self, Params},
};
use crate::{
    archive::Archive,
    guest_path, manifest,
    path::Path,
    problem::{Problem, nearest, quoted},
    read,
    spec::{Input, Program, Source},
};

/// The function called if the job names none.
pub(crate) const DEFAULT_ENTRY_POINT: &str = "_start";

pub(crate) const PARAMS: &[&str] = &["EntryModule", "Entrypoint", "Parameters", "ImportModules"];

/// Where the module goes when the old form, an input source in place of a path, names no target.
const LEGACY_MODULE_TARGET: &str = "/wasm/entry.wasm";

/// Where an imported module goes when the old form names no target.
fn legacy_import_target(index: usize) -> String {
    format!("/wasm/imports/module_{index}.wasm")
}

/// Modules that one job may import from: as many as a sandbox links.
const IMPORTS_MAX: usize = 15;

/// Lower-case type, canonical parameter names, the default entry point, and the old form rewritten.
pub(super) fn normalise(task: &mut manifest::Task) {
    task.engine.kind = task.engine.kind.trim().to_lowercase();
    if task.engine.kind != "wasm" {
        return;
    }
    params::canonical(&mut task.engine.params, PARAMS);
    if let Some(source @ Value::Object(_)) = task.engine.params.get("EntryModule") {
        let mut source = read::input_source_value(source);
        if source.target.trim().is_empty() {
            LEGACY_MODULE_TARGET.clone_into(&mut source.target);
        }
        task.engine.params.insert("EntryModule".to_owned(), source.target.clone().into());
        task.input_sources.push(source);
        // The old form carried the environment of other engines along; it never had an effect.
        task.engine.params.retain(|name, _| !name.eq_ignore_ascii_case("EnvironmentVariables"));
    }
    if let Some(Value::Array(imports)) = task.engine.params.get_mut("ImportModules") {
        for (index, import) in imports.iter_mut().enumerate().filter(|(_, import)| import.is_object()) {
            let mut source = read::input_source_value(import);
            if source.target.trim().is_empty() {
                source.target = legacy_import_target(index);
            }
            *import = source.target.clone().into();
            task.input_sources.push(source);
        }
    }
    take_environment(task);
    for list in ["Parameters", "ImportModules"] {
        params::texts_as_written(&mut task.engine.params, list);
    }
    let entry_point = task.engine.params.entry("Entrypoint").or_insert(Value::Null);
    if entry_point.as_str().is_none_or(|name| name.trim().is_empty()) && !entry_point.is_object() {
        *entry_point = params::as_text(entry_point)
            .filter(|name| !name.trim().is_empty())
            .unwrap_or_else(|| DEFAULT_ENTRY_POINT.to_owned())
            .into();
    }
}

/// The environment as other engines have it, a list of `NAME=VALUE` in the params, goes where ours is: so a job file whose
/// engine alone was changed means what it meant. What the task sets itself counts.
fn take_environment(task: &mut manifest::Task) {
    let params = &mut task.engine.params;
    let named = |name: &&String| name.eq_ignore_ascii_case("EnvironmentVariables");
    let Some(name) = params.keys().find(named).cloned() else { return };
    let Some(Value::Array(items)) = params.get(&name) else { return };
    let split = |item: &Value| {
        let text = params::as_text(item)?;
        text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    // One that is no `NAME=VALUE` stays, and is a problem there.
    let Some(pairs) = items.iter().map(split).collect::<Option<Vec<_>>>() else { return };
    params.remove(&name);
    for (name, value) in pairs {
        task.env.entry(name).or_insert(value);
    }
}

/// The program, and which of the inputs is its module.
pub(super) fn read(
    task: &manifest::Task,
    sources: &Sources,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<(Program, usize)> {
    let engine = path.key("Engine");
    match task.engine.kind.as_str() {
        "wasm" => {}
        "" => {
            problems.push(
                Problem::new(engine, "a task needs an engine")
                    .hint(engine_block("Engine:\n  Type: wasm\n  Params:")),
            );
            return None;
        }
        "docker" => {
            problems.push(Problem::new(engine.key("Type"), "`docker` cannot run here: skrei runs WebAssembly only").hint(
                engine_block(
                    "compile the program to WASM (for Rust: `cargo build --release --target wasm32-wasip1`) and write\nEngine:\n  Type: wasm\n  Params:",
                ),
            ));
            return None;
        }
        other => {
            let hint = match nearest(other, ["wasm", "webassembly"]) {
                Some(_) => "did you mean `wasm`?",
                None => "`wasm` is the only engine",
            };
            let message = format!("{} is not an engine", quoted(&task.engine.kind));
            problems.push(Problem::new(engine.key("Type"), message).hint(hint));
            return None;
        }
    }
    let params =
        Params::read(&task.engine.params, engine.key("Params"), "the `wasm` engine", PARAMS, problems);
    let arguments = params.texts("Parameters", problems);
    if arguments.iter().any(|argument| argument.contains('\0')) {
        problems.push(Problem::new(params.path("Parameters"), "there is a NUL character in an argument"));
    }
    let entry_point = params.text("Entrypoint", problems).unwrap_or_else(|| DEFAULT_ENTRY_POINT.to_owned());
    let imports = params.texts("ImportModules", problems);
    check_imports(&imports, task, sources, &params.path("ImportModules"), problems);
    let module = params.required(
        "EntryModule",
        "name the module: a file next to the job file, or the `Target` of an input source",
        problems,
    )?;
    let module_at = module_input(&module, task, sources, &params.path("EntryModule"), problems)?;
    let source = sources.get(module_at)?.as_ref()?.source.clone();
    if source == Source::Scratch {
        let message =
            format!("{} is a scratch directory, which is empty when the guest starts", quoted(&module));
        problems
            .push(Problem::new(params.path("EntryModule"), message).hint("name a file next to the job file"));
        return None;
    }
    if let Source::Archive(archive) = &source
        && let Err(error) = Archive::unpack(archive).and_then(Archive::module)
    {
        let message = format!("{} is an archive, and {error}", quoted(&module));
        let hint = "pack the module alone, on the top level of the archive";
        problems.push(Problem::new(params.path("EntryModule"), message).hint(hint));
        return None;
    }
    Some((Program { module: source, entry_point, arguments, imports }, module_at))
}

/// Each is a module's name, and the place where it is found.
fn check_imports(
    imports: &[String],
    task: &manifest::Task,
    sources: &Sources,
    path: &Path,
    problems: &mut Vec<Problem>,
) {
    if imports.len() > IMPORTS_MAX {
        let message = format!("{} modules are imported, and {IMPORTS_MAX} is the most", imports.len());
        problems.push(Problem::new(path, message).hint("link some of them into one"));
    }
    let entry = task.engine.params.get("EntryModule").and_then(Value::as_str).map(guest_path::normalise);
    for (index, import) in imports.iter().enumerate() {
        let path = path.index(index);
        let place = match guest_path::normalise(import) {
            Ok(place) => place,
            Err(reason) => {
                problems.push(
                    Problem::new(path, format!("{} {reason}", quoted(import)))
                        .hint("write `NAME=FILE`: what it is imported as, and the file"),
                );
                continue;
            }
        };
        if imports[..index].contains(import) {
            problems.push(Problem::new(path, format!("{} is there twice", quoted(import))));
        } else if entry == Some(Ok(place.clone())) {
            let message = format!("{} is the entry module, which nothing imports", quoted(import));
            problems.push(Problem::new(path, message));
        } else if !sources.iter().flatten().any(|input| supplies(input, &place)) {
            let message = format!("no input source supplies the imported module {}", quoted(import));
            problems.push(Problem::new(path, message).hint(
                "give it as a file next to the job file (`FILE`, or `NAME=FILE`), or add an input source with this `Target`",
            ));
        }
    }
}

/// Whether a module could be at this place once the input is there.
fn supplies(input: &Input, place: &str) -> bool {
    let holds_more = matches!(input.source, Source::HostPath(_) | Source::Archive(_));
    input.target == place || (holds_more && guest_path::is_within(place, &input.target))
}

/// Which input supplies the module.
fn module_input(
    module: &str,
    task: &manifest::Task,
    sources: &Sources,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Option<usize> {
    let wanted = match guest_path::normalise(module) {
        Ok(wanted) => wanted,
        Err(reason) => {
            problems.push(Problem::new(path, format!("{} {reason}", quoted(module))));
            return None;
        }
    };
    let targets: Vec<_> =
        task.input_sources.iter().map(|input| guest_path::normalise(&input.target).ok()).collect();
    let found = targets.iter().position(|target| target.as_deref() == Some(wanted.as_str()));
    // A download may also be meant by the path at which it lies.
    let lies_at = |source: &Option<Input>| source.as_ref().is_some_and(|input| input.target == wanted);
    let found = found.or_else(|| sources.iter().position(lies_at));
    if found.is_none() {
        let below = targets.iter().flatten().any(|target| guest_path::is_within(&wanted, target));
        let hint = if below {
            "the target of the source must be the module file itself, not a directory around it"
        } else {
            "give it as a file next to the job file, or add an input source with this `Target`"
        };
        let message = format!("no input source supplies the module {}", quoted(module));
        problems.push(Problem::new(path, message).hint(hint));
    }
    found
}

fn engine_block(before: &str) -> String {
    let indent = if before.ends_with("Params:") { "    " } else { "" };
    format!("{before}\n{indent}EntryModule: main.wasm")
}
