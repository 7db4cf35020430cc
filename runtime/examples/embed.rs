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

/// Where plug-ins find what to tell things to; a variable says so.
const CHANNEL: &str = "/.skrei/channel";

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

/// How a plug-in ended, and the lines that it told.
type Ran = Result<(Outcome, Vec<String>), Box<dyn Error>>;

/// Runs a plug-in. Compiled code is kept in `code_dir`.
pub(crate) fn run(plugin: &Path, directory: &Path, code_dir: Option<PathBuf>) -> Ran {
    let runtime = Runtime::new(Config { guests_max: 1, code_dir, ..Config::default() })?;
    let module = runtime.load(&std::fs::read(plugin)?)?;
    let told = Arc::new(Told::default());
    let sandbox = Sandbox::new()
        .mount(Mount::open(directory, "/in", Mode::ReadOnly)?)?
        .mount(Mount::channel(Arc::clone(&told) as Arc<dyn ChannelSink>, CHANNEL))?
        .env("SKREI_CHANNEL", CHANNEL)
        .limits(Limits { wall_time: Some(Duration::from_secs(30)), ..Limits::default() });
    let outcome = module.run_blocking(sandbox)?;
    let told = told.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok((outcome, String::from_utf8_lossy(&told).lines().map(str::to_owned).collect()))
}

#[allow(dead_code, reason = "the tests call what it calls")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (plugin, directory) =
        arguments.next().zip(arguments.next()).ok_or("usage: embed PLUGIN.wasm DIRECTORY")?;
    let (outcome, told) = run(&plugin, &directory, None)?;
    print!("{}", outcome.stdout);
    told.iter().for_each(|line| println!("told: {line}"));
    println!("the plug-in {}", outcome.ending);
    Ok(())
}
