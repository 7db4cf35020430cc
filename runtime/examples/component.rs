//! Runs a component: the same sandbox, whichever WASI a program was built for.
//!
//! `cargo run -p skrei-runtime --example component`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use skrei_runtime::{Config, Ending, Mode, Mount, Runtime, Sandbox};

pub(crate) fn main() -> Result<(), Box<dyn Error>> {
    let host = tempfile::tempdir()?;
    std::fs::write(host.path().join("greeting.txt"), "good morning")?;
    let runtime = Runtime::new(Config::default())?;

    // One program, as a module on WASI preview 1 and as a component on WASI 0.2.
    for program in [skrei_test_guests::probe(), skrei_test_guests::p2::probe()] {
        let sandbox = Sandbox::new()
            .mount(Mount::open(host.path(), "/in", Mode::ReadOnly)?)?
            .args(["read /in:greeting.txt", "write /in:greeting.txt changed"]);
        let outcome = runtime.load(program)?.run_blocking(sandbox)?;
        assert_eq!(outcome.ending, Ending::Exited(0));
        print!("{}", outcome.stdout);
    }

    // A component of another kind is refused before it runs.
    let refused = runtime.load(b"(component)").err();
    println!("{}", refused.ok_or("a component that cannot be run was accepted")?);
    Ok(())
}
