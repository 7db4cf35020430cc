//! The sandbox that commands use to check and run modules.

use std::path::PathBuf;

use skrei_compute::told::host_functions;
use skrei_runtime::{CompilerProcess, Config, Error, Runtime};

/// This program, as its own compiler: also if its file was replaced meanwhile.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// The command by which it is one.
pub(crate) const COMPILE: &str = "compile-module";

/// The compiler of large modules: a process of this program.
pub(crate) fn compiler() -> CompilerProcess {
    CompilerProcess::new(THIS_PROGRAM).arg(COMPILE)
}

/// A sandbox for one guest, with the code this user's commands compiled before. Where there is no place for that,
/// without.
pub(crate) fn for_one_guest() -> Result<Runtime, Error> {
    let config = Config { guests_max: 1, compiler: Some(compiler()), ..Config::default() };
    let new = |config| Runtime::with_host_functions(config, host_functions());
    let kept = code_dir().map(|dir| new(Config { code_dir: Some(dir), ..config.clone() }));
    match kept {
        Some(Ok(runtime)) => Ok(runtime),
        _ => new(config),
    }
}

/// Where the XDG base directory specification puts what can be made again.
fn code_dir() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(cache.join("skrei/code"))
}
