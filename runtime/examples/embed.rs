//! A host program with plug-ins: it runs any of them over a directory of its user's, which they may read and not change,
//! and hears what they tell. A plug-in is any program for WASI, in any language, a module or a component.
//!
//! `cargo run -p skrei-runtime --example embed -- PLUGIN.wasm DIRECTORY`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skrei_runtime::{ChannelSink, Config, Limits, Mode, Mount, Outcome, Runtime, Sandbox};

/// Where plug-ins find what to tell things to, and the variable that says so.
const CHANNEL: &str = "/.skrei/channel";
const CHANNEL_VARIABLE: &str = "SKREI_CHANNEL";

/// The most that is kept of what a plug-in tells: it is a stranger.
const TOLD_BYTES_MAX: usize = 64 << 10;

#[derive(Default)]
struct Told(Mutex<Vec<u8>>);

impl ChannelSink for Told {
    fn write(&self, bytes: &[u8]) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = TOLD_BYTES_MAX - told.len();
        told.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

/// Runs a plug-in; gives how it ended, and the lines that it told. Compiled code is kept in `code_dir`.
pub(crate) fn run(
    plugin: &Path,
    directory: &Path,
    code_dir: Option<PathBuf>,
) -> Result<(Outcome, Vec<String>), Box<dyn Error>> {
    let runtime = Runtime::new(Config { guests_max: 1, code_dir, ..Config::default() })?;
    let module = runtime.load(&std::fs::read(plugin)?)?;
    let told = Arc::new(Told::default());
    let limits = Limits { wall_time: Some(Duration::from_secs(30)), ..Limits::default() };
    let sandbox = Sandbox::new()
        .mount(Mount::open(directory, "/in", Mode::ReadOnly)?)?
        .mount(Mount::channel(Arc::clone(&told) as Arc<dyn ChannelSink>, CHANNEL))?
        .env(CHANNEL_VARIABLE, CHANNEL)
        .limits(limits);
    let outcome = module.run_blocking(sandbox)?;
    let told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = String::from_utf8_lossy(&told).lines().map(str::to_owned).collect();
    Ok((outcome, lines))
}

#[allow(dead_code, reason = "the tests call what it calls")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [plugin, directory] = arguments.as_slice() else {
        return Err("usage: embed PLUGIN.wasm DIRECTORY".into());
    };
    let (outcome, told) = run(plugin, directory, None)?;
    print!("{}", outcome.stdout);
    for line in told {
        println!("told: {line}");
    }
    println!("the plug-in {}", outcome.ending);
    Ok(())
}
