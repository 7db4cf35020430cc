//! Modules that a job file names by a path next to it: found here, read and uploaded by the caller.

use serde_json::{Map, Value};

use crate::{
    Digest, guest_path,
    manifest::{InputSource, Manifest, Task, Typed},
};

/// Where the guest finds an uploaded module.
const MODULE_DIRECTORY: &str = "/wasm";

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
            let params = Map::from_iter([
                ("Digest".to_owned(), digest.to_string().into()),
                ("Size".to_owned(), size.into()),
            ]);
            task.input_sources.push(InputSource {
                source: Typed { kind: "artifact".to_owned(), params },
                alias: String::new(),
                target,
            });
            supplied = true;
        }
        supplied
    }
}

fn local_module(task: &Task) -> Option<&str> {
    if !task.engine.kind.trim().eq_ignore_ascii_case("wasm") {
        return None;
    }
    let (_, module) = task.engine.params.iter().find(|(name, _)| is_entry_module(name))?;
    let path = module.as_str().filter(|path| !path.trim().is_empty() && !path.contains("://"))?;
    // A path that goes up is no guest path, and so supplied by nothing.
    let wanted = guest_path::normalise(path).ok();
    let is_supplied = wanted.is_some_and(|wanted| {
        task.input_sources.iter().any(|input| guest_path::normalise(&input.target) == Ok(wanted.clone()))
    });
    (!is_supplied).then_some(path)
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
