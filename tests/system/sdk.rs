//! The libraries for guests, each tested by its own language's means. (The Rust one is part of the workspace.)

use std::{fs, path::Path, process::Command};

use serde_json::json;
use skrei_protocol::client::News;

use super::harness::{
    Node, Orchestrator, PATIENCE, Ran, root, skrei,
    toolchains::{has, skipped},
};

#[test]
fn the_go_package_passes_its_tests() {
    if !has("go", "version") {
        return skipped("the Go package", "there is no Go");
    }
    let mut go = Command::new("go");
    let path = super::harness::toolchains::path();
    Ran::to_end(go.args(["test", "./..."]).env("PATH", path).current_dir(root().join("sdk/go"))).expect(0);
}

#[test]
fn the_python_module_passes_its_tests() {
    let mut python = Command::new("python3");
    python.args(["-B", "-m", "unittest", "-q"]).current_dir(root().join("sdk/python"));
    Ran::to_end(&mut python).expect(0);
}

#[test]
fn the_c_header_compiles_without_a_warning_and_does_what_it_says() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("test");
    let mut compiler = Command::new("cc");
    compiler.args(["-Wall", "-Wextra", "-Werror", "-std=gnu11", "test.c", "-lm", "-o"]).arg(&program);
    Ran::to_end(compiler.current_dir(root().join("sdk/c"))).expect(0);
    let files = directory.path().join("files");
    std::fs::create_dir(&files).unwrap();
    Ran::to_end(Command::new(&program).arg(&files)).expect(0);
}

/// Builds a guest's crate for a target.
fn built(directory: &Path, target: &str, more: &[&str]) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--target", target]).args(more).current_dir(directory);
    Ran::to_end(cargo.env_remove("CARGO_TARGET_DIR")).expect(0);
}

/// What `examples/bindings` says when it is refused.
const REFUSALS: [&str; 4] = [
    "a share of all there is to do is a number from 0 to 1",
    "a key has 1 to 128 bytes, and no control characters",
    "the value is not JSON",
    "`/etc`: there is no such file or directory",
];

#[tokio::test(flavor = "multi_thread")]
async fn one_program_with_bindings_is_heard_as_a_component_and_as_a_module() {
    let example = root().join("examples/bindings");
    let targets = ["wasm32-wasip1", "wasm32-wasip2"];
    targets.iter().for_each(|target| built(&example, target, &["--locked"]));
    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start_allowing(&orchestrator, "worker", |directory| {
        let out = directory.join("out");
        fs::create_dir(&out).unwrap();
        vec![format!("{}:/srv/bindings:rw", out.display())]
    });
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    for target in targets {
        // Here.
        let directory = tempfile::tempdir().unwrap();
        let module = example.join("target").join(target).join("release/bindings.wasm");
        let mut here = skrei(["run", module.to_str().unwrap(), "--dir"]);
        here.arg(format!("{}::/out:rw", directory.path().display())).args(["--", "--greeting=Hi"]);
        let ran = Ran::to_end(here.env("HOME", directory.path()));
        let said = ran.expect(0);
        for line in [
            "progress 25% installs",
            "progress 100% is done",
            "value part=[0,1]",
            "INFO installing node=none files=2",
        ] {
            assert!(said.contains(line), "{target}: {said}");
        }
        let refused: Vec<_> =
            ran.stdout.lines().map(|line| line.strip_prefix("refused: ").unwrap()).collect();
        assert_eq!(refused, REFUSALS, "{target}");
        assert_eq!(fs::read_to_string(directory.path().join("greeting.txt")).unwrap(), "Hi");

        // On a node.
        let mut job =
            orchestrator.command(&["job", "run", "-V", &format!("target={target}"), "-V", "greeting=Servus"]);
        Ran::to_end(job.arg(example.join("job.yaml"))).expect(0);
        let execution =
            client.executions("bindings").await.unwrap().items.into_iter().max_by_key(|one| one.job_version);
        let output = execution.unwrap().run_output.unwrap();
        assert_eq!(output.values["installed"], json!(["greeting.txt", "empty.txt"]), "{target}");
        assert_eq!(output.values["part"], json!([0, 1]));
        assert!(output.stderr.contains("INFO installing node=worker files=2"), "{target}: {}", output.stderr);
        assert_eq!(fs::read_to_string(node.place("out/greeting.txt")).unwrap(), "Servus");
        assert_eq!(fs::read_dir(node.place("out")).unwrap().count(), 2, "nothing is left over");
        fs::remove_file(node.place("out/greeting.txt")).unwrap();
    }
}

/// A program with neither the standard library nor an allocator, which goes on until it is stopped.
const BARE: &str = r#"
#![no_std]
#![no_main]

use skrei_sdk::imported::{self, File, Level};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
pub extern "C" fn _start() {
    imported::log(Level::Info, "bare");
    let (part, parts) = imported::partition();
    assert!(part == 0 && parts == 1);
    imported::progress(0.5, "half way").unwrap();
    imported::value_json("found", "{\"a\": [1]}").unwrap();
    assert!(imported::value_json("found", "{").is_err());
    assert!(imported::progress(2.0, "").is_err());
    imported::install("/out", &[File::new("a", b"1"), File::new("b", b"")]).unwrap();
    assert!(imported::install("/none", &[]).is_err());
    loop {
        imported::progress(0.75, "goes on").unwrap();
    }
}
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_rust_crate_without_the_standard_library_is_heard_through_the_api() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    fs::create_dir_all(place("src")).unwrap();
    fs::write(place("src/main.rs"), BARE).unwrap();
    let sdk = root().join("sdk/rust");
    let manifest = format!(
        "[workspace]\n[package]\nname = \"bare\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [dependencies]\nskrei-sdk = {{ path = {sdk:?}, default-features = false }}\n\
         [profile.release]\npanic = \"abort\"\nopt-level = \"s\"\nlto = true\nstrip = true\n"
    );
    fs::write(place("Cargo.toml"), manifest).unwrap();
    // Its `_start` is its own, and not the C library's.
    let flags = "target.wasm32-wasip1.rustflags=['-Clink-self-contained=no']";
    built(directory.path(), "wasm32-wasip1", &["--config", flags]);
    let module = place("target/wasm32-wasip1/release/bare.wasm");
    fs::copy(&module, place("bare.wasm")).unwrap();
    assert!(fs::metadata(&module).unwrap().len() < 10_000, "it is small");
    let job = "Name: bare\nType: daemon\nTasks:\n  - Name: main\n    Engine: {Type: wasm, Params: {EntryModule: bare.wasm}}\n\
        \x20   InputSources:\n      - Target: /out\n        Source: {Type: scratch}\n";
    fs::write(place("job.yaml"), job).unwrap();

    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "ro");
    orchestrator.wait_for_nodes(1).await;
    let mut run = orchestrator.command(&["job", "run", "--wait=false"]);
    Ran::to_end(run.arg(place("job.yaml"))).expect(0);
    let client = orchestrator.client();
    let mut news = client.events_and_progress("bare").await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, async {
        loop {
            if let News::Progress(event) = news.next_news().await.unwrap()
                && event.progress.message == "goes on"
            {
                return event.progress.in_words();
            }
        }
    });
    assert_eq!(seen.await.unwrap(), "75% goes on");
    orchestrator.run(&["job", "stop", "bare"]).expect(0);
}
