//! A guest crate on its way to being wasm.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Target;

/// Names another compiler for guests, for the recipe that does without rustup.
const GUEST_RUSTC: &str = "SKREI_GUEST_RUSTC";

/// A folder with a guest's `Cargo.toml` and `Cargo.lock`, and how to build it.
#[derive(Clone, Debug)]
pub struct Guest {
    folder: PathBuf,
    target: Target,
    target_dir: Option<PathBuf>,
    watched: Vec<PathBuf>,
    bins: Vec<String>,
}

impl Guest {
    /// A guest in `folder`, relative to the package whose build script runs. Built for [`Target::Wasip1`] into
    /// `OUT_DIR/guest` unless told otherwise.
    pub fn new(folder: impl Into<PathBuf>) -> Guest {
        let (target, target_dir, watched, bins) = Default::default();
        Guest { folder: folder.into(), target, target_dir, watched, bins }
    }

    /// Builds for another target.
    pub fn target(mut self, target: Target) -> Guest {
        self.target = target;
        self
    }

    /// Builds into another directory. It must not be the outer build's own target directory, whose lock the
    /// outer build holds.
    pub fn target_dir(mut self, directory: impl Into<PathBuf>) -> Guest {
        self.target_dir = Some(directory.into());
        self
    }

    /// Also rebuilds when `path` changes: a crate outside the folder that the guest depends on by path.
    pub fn watch(mut self, path: impl Into<PathBuf>) -> Guest {
        self.watched.push(path.into());
        self
    }

    /// Builds these binaries only. Default: all.
    pub fn bins(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Guest {
        self.bins.extend(names.into_iter().map(Into::into));
        self
    }

    /// Compiles with `--release --locked` and tells cargo which files to watch.
    ///
    /// # Panics
    /// With one message, when the folder has no `Cargo.toml`, the target's standard library cannot be had, or
    /// the guest does not compile.
    pub fn build(&self) -> Modules {
        let manifest = self.folder.join("Cargo.toml");
        assert!(manifest.is_file(), "no guest at `{}`: it has no Cargo.toml", self.folder.display());
        self.tell_cargo_what_to_watch();

        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        crate::env::forget_outer_build(&mut cargo);
        match std::env::var_os(GUEST_RUSTC) {
            Some(rustc) => drop(cargo.env("RUSTC", rustc)),
            None => self.target.ensure_std(),
        }
        let target_dir = self.where_to_build();
        cargo.args(["build", "--release", "--locked", "--target", self.target.triple()]);
        cargo.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target_dir);
        cargo.args(self.bins.iter().flat_map(|bin| ["--bin", bin]));
        let output = cargo.output().unwrap_or_else(|error| panic!("cargo could not be run: {error}"));
        assert!(
            output.status.success(),
            "the guest in `{}` did not compile for {}:\n{}",
            self.folder.display(),
            self.target.triple(),
            String::from_utf8_lossy(&output.stderr)
        );
        Modules { directory: target_dir.join(self.target.triple()).join("release") }
    }

    fn where_to_build(&self) -> PathBuf {
        self.target_dir.clone().unwrap_or_else(|| {
            let out_dir = std::env::var_os("OUT_DIR");
            Path::new(&out_dir.unwrap_or_else(|| panic!("OUT_DIR is not set: call this from a build script")))
                .join("guest")
        })
    }

    #[expect(clippy::print_stdout, reason = "standard output is how a build script speaks to cargo")]
    fn tell_cargo_what_to_watch(&self) {
        println!("cargo::rerun-if-env-changed={GUEST_RUSTC}");
        for entry in ["Cargo.toml", "Cargo.lock", "src", "build.rs", ".cargo"] {
            let path = self.folder.join(entry);
            if path.exists() {
                println!("cargo::rerun-if-changed={}", path.display());
            }
        }
        for path in &self.watched {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

/// The compiled modules of one [`Guest`], a file per binary.
#[derive(Clone, Debug)]
pub struct Modules {
    directory: PathBuf,
}

impl Modules {
    /// The file compiled from the binary named `bin`.
    ///
    /// # Panics
    /// When the guest has no such binary.
    pub fn path(&self, bin: &str) -> PathBuf {
        let path = self.directory.join(bin).with_extension("wasm");
        assert!(path.is_file(), "the guest has no binary `{bin}`: `{}` does not exist", path.display());
        path
    }
}
