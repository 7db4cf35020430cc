//! Making modules smaller, where there is a tool for it.

use std::{fs, path::Path};

use crate::{
    guest::{module, project::Project, tool::Tool},
    terminal,
};

/// What is never worth the wait: a language's own tools have done what there is to do.
const BYTES_MAX: u64 = 16 << 20;

/// Runs `wasm-opt` over the module if it is installed. That it fails is no failure: older ones do not know what newer
/// compilers make.
pub(super) fn optimise(project: &Project) {
    let path = project.module_path();
    let small_enough = fs::metadata(&path).is_ok_and(|file| file.len() <= BYTES_MAX);
    let Some(tool) = Tool::on_path("wasm-opt").filter(|_| small_enough && module::is_module(&path)) else {
        return;
    };
    let smaller = path.with_extension("smaller");
    let arguments = [Path::new("-Oz"), &path, Path::new("-o"), &smaller];
    let here = Path::new(".");
    let done =
        tool.run(here, arguments, &[]).is_ok() && fs::metadata(&smaller).is_ok_and(|file| file.len() > 0);
    if done && fs::rename(&smaller, &path).is_ok() {
        return;
    }
    let _ = fs::remove_file(&smaller);
    terminal::note("wasm-opt could not make the module smaller; it stays as it was built");
}
