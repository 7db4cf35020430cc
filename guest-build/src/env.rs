//! The outer build's environment, kept away from the guest's.

use std::process::Command;

/// Variables that choose the outer build's compiler, flags or place of output.
///
/// Clippy runs as a wrapper and coverage as flags; neither has a meaning for wasm, and either would make the
/// guest's build depend on how the outer one was called.
const OUTER: &[&str] = &[
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CLIPPY_ARGS",
    "RUSTC",
    "RUSTC_LINKER",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
];

/// Prefixes of the same kind; `CARGO_TARGET_<TRIPLE>_*` is deliberately not among them, since that is how a
/// person points one target at another linker or sysroot.
const OUTER_PREFIXES: &[&str] = &["CARGO_BUILD_", "CARGO_CFG_", "CARGO_FEATURE_", "CARGO_PROFILE_"];

/// Removes from `command` what belongs to the outer build alone.
pub(crate) fn forget_outer_build(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_outer) {
            command.env_remove(name);
        }
    }
}

fn is_outer(name: &str) -> bool {
    OUTER.contains(&name) || OUTER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::is_outer;

    #[test]
    fn wrappers_and_flags_of_the_outer_build_are_forgotten() {
        for name in ["RUSTC_WORKSPACE_WRAPPER", "RUSTFLAGS", "CARGO_BUILD_TARGET", "CARGO_TARGET_DIR"] {
            assert!(is_outer(name), "{name}");
        }
    }

    #[test]
    fn what_a_person_sets_for_the_wasm_target_is_kept() {
        for name in ["CARGO_TARGET_WASM32_WASIP1_LINKER", "RUSTUP_TOOLCHAIN", "CARGO_HOME", "PATH"] {
            assert!(!is_outer(name), "{name}");
        }
    }
}
