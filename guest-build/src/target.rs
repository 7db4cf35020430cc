//! The targets a guest can be built for, and their standard libraries.

use std::path::Path;
use std::process::Command;

/// Where the fallback for machines without rustup's downloads is written down.
const RECIPE: &str = "docs/guide/guest-toolchain.md";

/// What a guest is compiled to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// A core module on WASI preview 1 (`wasm32-wasip1`). The default.
    #[default]
    Wasip1,
    /// A component on WASI 0.2 (`wasm32-wasip2`).
    Wasip2,
}

impl Target {
    /// The target's name as rustc knows it.
    pub fn triple(self) -> &'static str {
        match self {
            Target::Wasip1 => "wasm32-wasip1",
            Target::Wasip2 => "wasm32-wasip2",
        }
    }

    /// Installs the target's standard library if the compiler in use has none.
    pub(crate) fn ensure_std(self) {
        if self.has_std() {
            return;
        }
        let triple = self.triple();
        let mut rustup = Command::new("rustup");
        rustup.args(["target", "add", triple]);
        // Set by rustup's own cargo proxy: the toolchain that builds everything else.
        if let Some(toolchain) = std::env::var_os("RUSTUP_TOOLCHAIN") {
            rustup.arg("--toolchain").arg(toolchain);
        }
        let reason = match rustup.output() {
            Ok(output) if output.status.success() && self.has_std() => return,
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => format!("rustup could not be run: {error}"),
        };
        panic!(
            "the standard library for {triple} is not installed and `rustup target add {triple}` did not \
             install it: {reason}\nhint: run that command by hand, or follow {RECIPE}"
        );
    }

    fn has_std(self) -> bool {
        let mut rustc = Command::new("rustc");
        crate::env::forget_outer_build(&mut rustc);
        let output = rustc.args(["--print", "target-libdir", "--target", self.triple()]).output();
        output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir())
    }
}
