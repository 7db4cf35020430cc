//! Compiles the guest of `examples/deploy-certs`, which `skrei demo` carries inside.

use std::path::Path;

fn main() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/deploy-certs");
    let example = example.canonicalize().unwrap_or_else(|error| panic!("`{}`: {error}", example.display()));
    let modules = skrei_guest_build::Guest::new(example.join("guest"))
        .target_dir(example.join("guest/target"))
        .watch(example.join("../../sdk/rust/src"))
        .watch(example.join("../../sdk/rust/Cargo.toml"))
        .watch(example.join("../../sdk/rust/macros/src"))
        .build();
    println!("cargo::rustc-env=DEPLOY_CERTS_WASM={}", modules.path("deploy-certs").display());
}
