//! Modules that a job file names by a path next to it: found here, read and uploaded by the caller.

use serde_json::{Map, Value};

use crate::{
    Digest, guest_path,
    manifest::{InputSource, Manifest, Task, Typed},
};

/// Where the guest finds an uploaded module.
const MODULE_DIRECTORY: &str = "/wasm";

/// An imported module that no input source supplies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalImport {
    /// As it is written in `ImportModules`: `FILE`, or `NAME=FILE`.
    pub written: String,
    /// What it is imported as.
    pub name: String,
    /// A file of the person who submits the job, relative to the job file.
    pub file: String,
}

/// The imported modules that no input source supplies, in the order written.
pub fn local_imports(manifest: &Manifest) -> Vec<LocalImport> {
    manifest
        .tasks
        .iter()
        .flat_map(|task| imports(task).filter_map(|import| local_import(task, import)))
        .collect()
}

/// The paths, as written, of entry modules that no input source supplies: files of the person who submits the
/// job, relative to the job file. Each once.
///
/// Whether there is such a file is for the caller to see; without it, validation says that nothing supplies
/// the module.
pub fn local_modules(manifest: &Manifest) -> Vec<String> {
    let mut found: Vec<String> = manifest.tasks.iter().filter_map(local_module).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

impl Manifest {
    /// Lets an uploaded artifact supply the module that [`local_modules`] found under this path: the entry
    /// module becomes `/wasm/<file name>`, supplied by an input source of type `artifact`.
    ///
    /// Returns whether any task named that path.
    pub fn supply_module(&mut self, path: &str, digest: Digest, size: u64) -> bool {
        let mut supplied = false;
        for task in &mut self.tasks {
            if local_module(task) != Some(path) {
                continue;
            }
            let target = free_target(task, path);
            if let Some(module) = entry_module_mut(&mut task.engine.params) {
                *module = Value::String(target.clone());
            }
            task.input_sources.push(artifact(digest, size, target));
            supplied = true;
        }
        supplied
    }

    /// Whether an input source may hold the module that others import from under this name.
    pub fn may_supply_import(&self, name: &str) -> bool {
        self.tasks.iter().any(|task| is_supplied(task, name) == Some(true))
    }

    /// Lets an uploaded artifact supply the module that [`local_imports`] found under this name: it is there as
    /// what it is imported as.
    pub fn supply_import(&mut self, import: &LocalImport, digest: Digest, size: u64) {
        for task in &mut self.tasks {
            let list = task.engine.params.iter_mut().find(|(name, _)| is_import_modules(name));
            let Some((_, Value::Array(list))) = list else { continue };
            let Some(entry) = list.iter_mut().find(|entry| entry.as_str() == Some(&import.written)) else {
                continue;
            };
            *entry = Value::String(import.name.clone());
            task.input_sources.push(artifact(digest, size, import.name.clone()));
        }
    }
}

fn artifact(digest: Digest, size: u64, target: String) -> InputSource {
    let params =
        Map::from_iter([("Digest".to_owned(), digest.to_string().into()), ("Size".to_owned(), size.into())]);
    InputSource { source: Typed { kind: "artifact".to_owned(), params }, alias: String::new(), target }
}

fn imports(task: &Task) -> impl Iterator<Item = &str> {
    let is_wasm = task.engine.kind.trim().eq_ignore_ascii_case("wasm");
    let list = task.engine.params.iter().find(|(name, _)| is_wasm && is_import_modules(name));
    let list = list.and_then(|(_, list)| list.as_array()).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str)
}

fn local_import(task: &Task, written: &str) -> Option<LocalImport> {
    if is_supplied(task, written) == Some(true) {
        return None;
    }
    let (name, file) = written.split_once('=').unwrap_or((written, written));
    // What can be no guest path, or is taken, is left for the check of the job to name.
    let is_free = is_supplied(task, name) == Some(false);
    let is_file = !file.trim().is_empty() && !file.contains("://");
    (is_free && is_file).then(|| LocalImport {
        written: written.to_owned(),
        name: name.to_owned(),
        file: file.to_owned(),
    })
}

/// Whether an input source is, or may hold, what a module imports from under this name; none if it is no guest path.
fn is_supplied(task: &Task, name: &str) -> Option<bool> {
    let place = guest_path::normalise(name).ok()?;
    let mut targets = task.input_sources.iter().filter_map(|input| guest_path::normalise(&input.target).ok());
    Some(targets.any(|target| target == place || guest_path::is_within(&place, &target)))
}

fn is_import_modules(name: &str) -> bool {
    name.eq_ignore_ascii_case("ImportModules")
}

fn local_module(task: &Task) -> Option<&str> {
    if !task.engine.kind.trim().eq_ignore_ascii_case("wasm") {
        return None;
    }
    let (_, module) = task.engine.params.iter().find(|(name, _)| is_entry_module(name))?;
    let path = module.as_str().filter(|path| !path.trim().is_empty() && !path.contains("://"))?;
    // A path that goes up is no guest path, and so supplied by nothing.
    let wanted = guest_path::normalise(path).ok();
    let is_supplied =
        wanted.is_some_and(|wanted| task.input_sources.iter().any(|input| supplies(input, &wanted)));
    (!is_supplied).then_some(path)
}

/// Whether a source has its target at this path, or is fetched to a place below which the path lies.
fn supplies(input: &InputSource, wanted: &str) -> bool {
    let Ok(target) = guest_path::normalise(&input.target) else { return false };
    let is_download = input.source.kind.trim().eq_ignore_ascii_case("urlDownload");
    target == wanted || is_download && guest_path::is_within(wanted, &target)
}

fn is_entry_module(name: &str) -> bool {
    name.eq_ignore_ascii_case("EntryModule")
}

fn entry_module_mut(params: &mut Map<String, Value>) -> Option<&mut Value> {
    params.iter_mut().find(|(name, _)| is_entry_module(name)).map(|(_, module)| module)
}

/// `/wasm/<file name>`, or with a number in between if something else is there.
fn free_target(task: &Task, path: &str) -> String {
    let name =
        path.rsplit(['/', '\\']).find(|part| !matches!(*part, "" | "." | "..")).unwrap_or("module.wasm");
    let is_taken = |target: &str| {
        task.input_sources
            .iter()
            .any(|input| guest_path::normalise(&input.target).is_ok_and(|taken| taken == target))
    };
    let mut target = format!("{MODULE_DIRECTORY}/{name}");
    let mut number = 1_u32;
    while is_taken(&target) {
        target = format!("{MODULE_DIRECTORY}/{number}/{name}");
        number += 1;
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{read, spec::Source, validate};

    fn job(module: &str) -> Manifest {
        let text = format!(
            "Type: ops\nTasks:\n- Name: main\n  Engine:\n    Type: wasm\n    Params: {{entrymodule: {module}}}\n  InputSources:\n  - Target: /wasm/main.wasm\n    Source: {{Type: inline, Params: {{URL: 'data:,x'}}}}\n"
        );
        read::file(&crate::Document::parse(text).unwrap()).manifest().unwrap()
    }

    #[test]
    fn a_module_without_a_source_is_a_local_file() {
        assert_eq!(local_modules(&job("../guest/main.wasm")), ["../guest/main.wasm"]);
        assert_eq!(local_modules(&job("wasm//main.wasm")), Vec::<String>::new());
    }

    #[test]
    fn an_imported_module_is_there_as_what_it_is_imported_as() {
        let mut manifest = job("wasm/main.wasm");
        let imports = serde_json::json!([
            "lib/text.wasm",
            "math=../math/build/m.wasm",
            "/wasm/main.wasm",
            "../up.wasm"
        ]);
        manifest.tasks[0].engine.params.insert("importmodules".to_owned(), imports);
        let found = local_imports(&manifest);
        let found: Vec<_> = found.iter().map(|import| (import.name.as_str(), import.file.as_str())).collect();
        assert_eq!(found, [("lib/text.wasm", "lib/text.wasm"), ("math", "../math/build/m.wasm")]);

        manifest.tasks[0].engine.params["importmodules"].as_array_mut().unwrap().truncate(2);
        let digest = Digest::of(b"module");
        for import in local_imports(&manifest) {
            manifest.supply_import(&import, digest, 6);
        }
        assert_eq!(local_imports(&manifest), []);
        let spec = validate::validate(manifest).unwrap();
        assert_eq!(spec.task().program.imports, ["lib/text.wasm", "math"]);
        let targets: Vec<_> = spec.task().inputs.iter().map(|input| input.target.as_str()).collect();
        assert_eq!(targets, ["/lib/text.wasm", "/math"]);
    }

    #[test]
    fn an_import_that_nothing_supplies_is_a_problem() {
        for (imports, part) in [
            (serde_json::json!(["nowhere.wasm"]), "no input source supplies"),
            (serde_json::json!(["../up.wasm"]), "NAME=FILE"),
            (serde_json::json!(["/wasm/main.wasm"]), "entry module"),
            (serde_json::json!(vec!["a"; 16]), "15 is the most"),
        ] {
            let mut manifest = job("wasm/main.wasm");
            manifest.tasks[0].engine.params.insert("ImportModules".to_owned(), imports);
            let problems = validate::validate(manifest).unwrap_err().to_string();
            assert!(problems.contains(part), "{problems}");
        }
    }

    #[test]
    fn the_older_form_of_an_import_is_an_input_source() {
        let mut manifest = job("wasm/main.wasm");
        let source = serde_json::json!({"Source": {"Type": "inline", "Params": {"URL": "data:,y"}}});
        manifest.tasks[0].engine.params.insert("ImportModules".to_owned(), serde_json::json!([source]));
        let spec = validate::validate(manifest).unwrap();
        assert_eq!(spec.task().program.imports, ["/wasm/imports/module_0.wasm"]);
        assert_eq!(spec.task().inputs[0].source, Source::Inline(b"y".to_vec()));
    }

    #[test]
    fn an_uploaded_module_is_supplied_by_an_artifact() {
        let mut manifest = job("../guest/main.wasm");
        let digest = Digest::of(b"module");
        assert!(!manifest.supply_module("main.wasm", digest, 6));
        assert!(manifest.supply_module("../guest/main.wasm", digest, 6));
        assert!(local_modules(&manifest).is_empty());
        let spec = validate::validate(manifest).unwrap();
        assert_eq!(spec.task().program.module, Source::Artifact { digest, size: 6 });
        assert_eq!(spec.task().inputs.len(), 1);
        assert_eq!(spec.manifest().tasks[0].input_sources[1].target, "/wasm/1/main.wasm");
    }
}
