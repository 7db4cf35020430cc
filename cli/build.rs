//! Compiles the guest of `examples/deploy-certs`, which `skrei demo` carries inside, and lists the guest templates, which
//! `skrei new` does.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

/// What building leaves in a template's folder.
const LEFT_BEHIND: &[&str] =
    &["target", "build", "node_modules", "__pycache__", ".zig-cache", ".venv", "Cargo.lock"];

/// Libraries that are copied into a project: template, library, folder in the project.
const LIBRARIES: &[(&str, &str, &str)] = &[
    ("rust", "sdk/rust", "skrei-sdk"),
    ("rust-component", "sdk/rust", "skrei-sdk"),
    ("go", "sdk/go", "skrei"),
];

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let root = root.canonicalize().unwrap_or_else(|error| panic!("`{}`: {error}", root.display()));
    deploy_certs(&root.join("examples/deploy-certs"));
    templates(&root);
}

fn deploy_certs(example: &Path) {
    let modules = skrei_guest_build::Guest::new(example.join("guest"))
        .target_dir(example.join("guest/target"))
        .watch(example.join("../../sdk/rust/src"))
        .watch(example.join("../../sdk/rust/Cargo.toml"))
        .watch(example.join("../../sdk/rust/macros/src"))
        .build();
    println!("cargo::rustc-env=DEPLOY_CERTS_WASM={}", modules.path("deploy-certs").display());
}

/// Writes a list of `(template, [(path, content)])`.
fn templates(root: &Path) {
    let mut code = String::from("&[\n");
    let mut templates: Vec<PathBuf> = entries(&root.join("guest-templates"));
    templates.retain(|path| path.is_dir());
    for template in templates {
        let id = template.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8").to_owned();
        let mut files = Vec::new();
        walk(&template, "", &mut files);
        for (_, library, folder) in LIBRARIES.iter().filter(|(of, ..)| *of == id) {
            walk_library(&root.join(library), folder, &mut files);
        }
        files.sort();
        writeln!(code, "    ({id:?}, &[").expect("write to a string");
        for (name, path) in files {
            println!("cargo::rerun-if-changed={}", path.display());
            writeln!(code, "        ({name:?}, include_bytes!({path:?})),").expect("write to a string");
        }
        code.push_str("    ]),\n");
    }
    code.push(']');
    let out_dir = std::env::var_os("OUT_DIR").expect("OUT_DIR, which cargo sets");
    fs::write(Path::new(&out_dir).join("templates.rs"), code).expect("write into OUT_DIR");
    println!("cargo::rerun-if-changed={}", root.join("guest-templates").display());
}

/// Adds every file beneath a folder, by its path from there.
fn walk(folder: &Path, before: &str, files: &mut Vec<(String, PathBuf)>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for path in entries(folder) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
        if LEFT_BEHIND.contains(&name) {
            continue;
        }
        let shown = if before.is_empty() { name.to_owned() } else { format!("{before}/{name}") };
        match path.is_dir() {
            true => walk(&path, &shown, files),
            false => files.push((shown, path)),
        }
    }
}

/// The same for a library: as a Rust package on its own it has the manifest that is not our workspace's.
fn walk_library(folder: &Path, before: &str, files: &mut Vec<(String, PathBuf)>) {
    let mut all = Vec::new();
    walk(folder, before, &mut all);
    all.retain(|(name, _)| !name.ends_with("Cargo.toml") && !name.ends_with("_test.go"));
    let named = all.into_iter().map(|(name, path)| (name.replace("standalone.toml", "Cargo.toml"), path));
    files.extend(named);
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let read = fs::read_dir(folder).unwrap_or_else(|error| panic!("`{}`: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = read.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths
}
