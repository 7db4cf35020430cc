//! Programs of several modules.

use std::fs;

use skrei_runtime::{
    Chain, Config, Ending, HostCall, HostError, HostFunctions, Limit, Limits, LinkError, Linking, Mode,
    Mount, Outcome, Runtime, Sandbox, load,
};

use crate::grounds::runtime;

/// Exports `value`, which gives a number.
fn gives(number: i32) -> String {
    format!(r#"(module (func (export "value") (result i32) (i32.const {number})))"#)
}

/// Exports `value`, which gives what `value` of another gives, and one more.
fn adds_to(other: &str) -> String {
    format!(
        r#"(module (import "{other}" "value" (func $value (result i32)))
            (func (export "value") (result i32) (i32.add (call $value) (i32.const 1))))"#
    )
}

/// Exits with what `value` of a module gives.
fn exits_with(module: &str) -> String {
    format!(
        r#"(module (import "{module}" "value" (func $value (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (call $value))))"#
    )
}

fn run(linking: Linking<'_>, entry: &str) -> Outcome {
    linking.load(entry.as_bytes()).unwrap().run_blocking(Sandbox::new()).unwrap()
}

fn refused(linking: Linking<'_>, entry: &str) -> LinkError {
    linking.load(entry.as_bytes()).unwrap_err()
}

fn names(names: &[&str]) -> Chain {
    Chain(names.iter().map(|&name| name.to_owned()).collect())
}

#[test]
fn a_module_imports_from_those_that_are_given_whatever_their_order() {
    let linking = runtime()
        .linking()
        .import("two", adds_to("one"))
        .import("one", gives(40))
        .import("three", adds_to("two"));
    assert_eq!(run(linking, &exits_with("three")).ending, Ending::Exited(42));
}

#[test]
fn one_that_is_imported_twice_is_there_once() {
    let counter = r#"(module (global $count (mut i32) (i32.const 0))
        (func (export "value") (result i32)
            (global.set $count (i32.add (global.get $count) (i32.const 1))) (global.get $count)))"#;
    let linking = runtime().linking().import("counter", counter).import("other", adds_to("counter"));
    let entry = r#"(module (import "counter" "value" (func $own (result i32)))
        (import "other" "value" (func $other (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (drop (call $own)) (drop (call $other)) (call $exit (call $own))))"#;
    let module = linking.load(entry.as_bytes()).unwrap();
    for _ in 0..2 {
        // Each run has instances of its own.
        assert_eq!(module.run_blocking(Sandbox::new()).unwrap().ending, Ending::Exited(3));
    }
}

#[test]
fn files_of_the_sandbox_are_found_by_their_paths_and_import_from_each_other() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("lib/only")).unwrap();
    fs::write(temp.path().join("lib/a.wasm"), adds_to("lib/b.wasm")).unwrap();
    fs::write(temp.path().join("lib/b.wasm"), adds_to("/lib/only")).unwrap();
    fs::write(temp.path().join("lib/only/c.wasm"), gives(40)).unwrap();
    fs::write(temp.path().join("single"), gives(7)).unwrap();
    let sandbox = Sandbox::new()
        .mount(Mount::open(temp.path().join("lib"), "/lib", Mode::ReadOnly).unwrap())
        .unwrap()
        .mount(Mount::open(temp.path().join("single"), "/tools/seven", Mode::ReadOnly).unwrap())
        .unwrap();
    let linking = || runtime().linking().files(&sandbox);
    assert_eq!(run(linking(), &exits_with("/lib/a.wasm")).ending, Ending::Exited(42));
    assert_eq!(run(linking(), &exits_with("tools/seven")).ending, Ending::Exited(7));
    // A name that was given is meant, whatever file has it.
    let given = linking().import("/lib/a.wasm", gives(1));
    assert_eq!(run(given, &exits_with("/lib/a.wasm")).ending, Ending::Exited(1));
    assert_eq!(
        run(linking().import_file("lib/b.wasm"), &exits_with("lib/a.wasm")).ending,
        Ending::Exited(42)
    );

    let missing = refused(linking().import_file("lib/z.wasm"), &exits_with("lib/a.wasm"));
    assert!(
        matches!(&missing, LinkError::File { chain, .. } if *chain == names(&["lib/z.wasm"])),
        "{missing}"
    );
    fs::write(temp.path().join("lib/only/d.wasm"), gives(1)).unwrap();
    let ambiguous = refused(linking(), &exits_with("/lib/a.wasm"));
    assert_eq!(
        ambiguous.to_string(),
        "in the entry module -> `/lib/a.wasm` -> `lib/b.wasm` -> `/lib/only`: the module's file cannot be read: it is a directory with more than one `.wasm` file"
    );
}

#[test]
fn no_path_of_an_import_leads_out_of_a_mount() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("lib")).unwrap();
    fs::write(temp.path().join("outside.wasm"), gives(1)).unwrap();
    std::os::unix::fs::symlink("../outside.wasm", temp.path().join("lib/link.wasm")).unwrap();
    let mount = Mount::open(temp.path().join("lib"), "/lib", Mode::ReadOnly).unwrap();
    let sandbox = Sandbox::new().mount(mount).unwrap();
    for path in
        ["/lib/../outside.wasm", "/lib/link.wasm", "../outside.wasm", "/outside.wasm", "/libx", "/etc/passwd"]
    {
        let refused = refused(runtime().linking().files(&sandbox), &exits_with(path));
        assert!(matches!(refused, LinkError::Missing { .. } | LinkError::File { .. }), "{path}: {refused}");
    }
}

#[test]
fn a_circle_a_missing_name_and_a_wrong_type_are_reported_with_the_way_there() {
    let linking = || runtime().linking();
    let circle = refused(linking().import("a", adds_to("b")).import("b", adds_to("a")), &exits_with("a"));
    assert_eq!(circle, LinkError::Loop { chain: names(&["a", "b", "a"]) });
    assert_eq!(
        circle.to_string(),
        "modules import from each other in a circle: the entry module -> `a` -> `b` -> `a`"
    );
    let itself = refused(linking().import("a", adds_to("a")), &exits_with("a"));
    assert_eq!(itself, LinkError::Loop { chain: names(&["a", "a"]) });

    let missing = refused(linking().import("a", adds_to("b")), &exits_with("a"));
    let expected =
        LinkError::Missing { chain: names(&["a"]), module: "b".to_owned(), name: "value".to_owned() };
    assert_eq!(missing, expected);

    let no_export = refused(linking().import("a", r#"(module)"#), &exits_with("a"));
    assert!(
        matches!(&no_export, LinkError::Export { found, .. } if found.contains("nothing")),
        "{no_export}"
    );
    let other_type = r#"(module (func (export "value") (param i32) (result i32) (local.get 0)))"#;
    let other_type = refused(linking().import("a", other_type), &exits_with("a"));
    assert!(matches!(&other_type, LinkError::Export { .. }), "{other_type}");
    let a_memory = r#"(module (memory (export "value") 1))"#;
    let a_memory = refused(linking().import("a", a_memory), &exits_with("a"));
    assert!(matches!(&a_memory, LinkError::Export { found, .. } if found.contains("memory")), "{a_memory}");

    let of_host = r#"(module (import "wasi_snapshot_preview1" "sock_open" (func)) (func (export "value") (result i32) unreachable))"#;
    let of_host = refused(linking().import("a", of_host), &exits_with("a"));
    let unknown =
        load::Error::UnknownImport { module: "wasi_snapshot_preview1".into(), name: "sock_open".into() };
    assert_eq!(of_host, LinkError::Load { chain: names(&["a"]), error: unknown });

    let truncated = refused(linking().import("a", *b"\0asm\x01\0\0\0\x01"), &exits_with("a"));
    assert!(matches!(&truncated, LinkError::Load { chain, .. } if *chain == names(&["a"])), "{truncated}");
    let component = refused(linking().import("a", *b"(component)"), &exits_with("a"));
    let expected = LinkError::Load { chain: names(&["a"]), error: load::Error::ComponentAsPart };
    assert_eq!(component, expected);
    let twice = refused(linking().import("a", gives(1)).import("a", gives(2)), &exits_with("a"));
    assert_eq!(twice, LinkError::Twice { name: "a".to_owned() });
    let nothing_to_start = refused(linking().import("a", gives(1)), "(module)");
    assert!(matches!(nothing_to_start, LinkError::Load { error: load::Error::NoEntryPoint, .. }));
}

#[test]
fn a_chain_without_end_is_cut_off() {
    let mut linking = runtime().linking();
    for number in 0..1000 {
        linking = linking.import(format!("m{number}"), adds_to(&format!("m{}", number + 1)));
    }
    let refused = refused(linking, &exits_with("m0"));
    assert!(matches!(&refused, LinkError::TooMany { most: 16, .. }), "{refused}");
    let mut linking = runtime().linking();
    for number in 0..15 {
        linking = linking.import(format!("m{number}"), gives(number));
    }
    assert_eq!(run(linking, &exits_with("m14")).ending, Ending::Exited(14));
}

#[test]
fn a_module_that_was_given_comes_before_the_host_and_the_host_before_files() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("app"), gives(3)).unwrap();
    let sandbox = Sandbox::new().mount(Mount::open(temp.path(), ".", Mode::ReadOnly).unwrap()).unwrap();
    let functions = HostFunctions::new().add("app", "value", |_: &mut HostCall<'_>| Ok(5));
    let runtime =
        Runtime::with_host_functions(Config { guests_max: 4, ..Config::default() }, functions).unwrap();
    assert_eq!(run(runtime.linking().files(&sandbox), &exits_with("app")).ending, Ending::Exited(5));
    let given = runtime.linking().files(&sandbox).import("app", gives(8));
    assert_eq!(run(given, &exits_with("app")).ending, Ending::Exited(8));
}

#[test]
fn each_module_calls_the_host_with_its_own_memory() {
    let library = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\08\00\00\00\08\00\00\00library\n")
        (func (export "_initialize"))
        (func (export "say") (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))"#;
    let entry = r#"(module
        (import "library" "say" (func $say))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\08\00\00\00\06\00\00\00entry\n")
        (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
            (call $say)
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))"#;
    let outcome = run(runtime().linking().import("library", library), entry);
    assert_eq!(outcome.stdout.to_string(), "entry\nlibrary\nentry\n");
}

#[test]
fn memories_tables_and_globals_are_shared_and_a_library_is_set_up_first() {
    let library = r#"(module
        (memory (export "memory") 1) (table (export "table") 4 funcref) (global (export "base") i32 (i32.const 64))
        (func (export "_initialize") (i32.store (i32.const 64) (i32.const 42))))"#;
    let entry = r#"(module
        (import "library" "memory" (memory 1)) (import "library" "table" (table 4 funcref))
        (import "library" "base" (global $base i32))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (i32.load (global.get $base)))))"#;
    assert_eq!(run(runtime().linking().import("library", library), entry).ending, Ending::Exited(42));
}

#[test]
fn all_of_them_together_have_the_limits_of_one_guest() {
    let grows = r#"(module (memory (export "memory") 1)
        (func (export "value") (result i32) (memory.grow (i32.const 160))))"#;
    let entry = r#"(module (import "a" "value" (func $a (result i32))) (import "b" "value" (func $b (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (if (i32.lt_s (call $a) (i32.const 0)) (then unreachable))
            (if (i32.lt_s (call $b) (i32.const 0)) (then unreachable))))"#;
    let module = runtime().linking().import("a", grows).import("b", grows).load(entry.as_bytes()).unwrap();
    let ending = |memory_bytes| {
        let limits = Limits { memory_bytes, ..Limits::default() };
        module.run_blocking(Sandbox::new().limits(limits)).unwrap().ending
    };
    assert_eq!(ending(32 << 20), Ending::Exited(0));
    assert_eq!(ending(16 << 20), Ending::HitLimit(Limit::Memory), "ten megabytes each, and sixteen in all");

    let spins = r#"(module (func (export "value") (result i32) (loop (br 0)) (i32.const 0)))"#;
    let module = runtime().linking().import("spins", spins).load(exits_with("spins").as_bytes()).unwrap();
    let limits = Limits { wall_time: Some(std::time::Duration::from_millis(100)), ..Limits::default() };
    let outcome = module.run_blocking(Sandbox::new().limits(limits)).unwrap();
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime));
}

#[test]
fn what_is_imported_after_a_memory_is_checked_too() {
    let library = r#"(module (memory (export "memory") 1 2) (table (export "table") 4 funcref)
        (global (export "constant") i32 (i32.const 1)) (global (export "state") (mut i32) (i32.const 1)))"#;
    let loads = |imports: &str| {
        let entry =
            format!(r#"(module (import "a" "memory" (memory 1)) {imports} (func (export "_start")))"#);
        runtime().linking().import("a", library).load(entry.as_bytes()).map(drop)
    };
    let error = |imports: &str| loads(imports).unwrap_err();
    let exit = |params: &str| format!(r#"(import "wasi_snapshot_preview1" "proc_exit" (func {params}))"#);
    assert_eq!(loads(&exit("(param i32)")), Ok(()));
    let of_load = |error| LinkError::Load { chain: Chain::default(), error };
    let unknown =
        load::Error::UnknownImport { module: "wasi_snapshot_preview1".into(), name: "sock \"open".into() };
    let imports = r#"(import "wasi_snapshot_preview1" "sock \"open" (func))"#;
    assert_eq!(error(imports), of_load(unknown));
    for imports in [exit("(param i64)"), exit("(param externref)"), exit("(param i32) (result i32)")] {
        let error = error(&imports);
        assert!(matches!(&error, LinkError::Load { error: load::Error::ImportType { .. }, .. }), "{error}");
    }
    for (imports, message) in [
        (
            r#"(import "a" "constant" (global (mut i32)))"#,
            "imports `a::constant` as a mutable global of i32, and `a` has a constant global of i32",
        ),
        (
            r#"(import "a" "state" (global (mut i64)))"#,
            "imports `a::state` as a mutable global of i64, and `a` has a mutable global of i32",
        ),
        (
            r#"(import "a" "table" (table 1 externref))"#,
            "as a table of 1 (ref null extern), and `a` has a table of 4 (ref null func)",
        ),
        (
            r#"(import "a" "memory" (memory 1 1))"#,
            "as a memory of 1 to 1 pages of 65536 bytes, and `a` has a memory of 1 to 2 pages of 65536 bytes",
        ),
    ] {
        let error = error(imports);
        assert!(matches!(&error, LinkError::Export { .. }), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    assert_eq!(
        loads(r#"(import "a" "memory" (memory 1 3)) (import "a" "state" (global (mut i32)))"#),
        Ok(())
    );
}

#[test]
fn a_link_put_in_the_place_of_a_mounted_file_is_not_followed() {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name);
    fs::write(path("mine.wasm"), gives(1)).unwrap();
    fs::write(path("neighbour.wasm"), gives(2)).unwrap();
    let sandbox =
        Sandbox::new().mount(Mount::open(path("mine.wasm"), "/lib.wasm", Mode::ReadOnly).unwrap()).unwrap();
    let linking = || runtime().linking().files(&sandbox);
    assert_eq!(run(linking(), &exits_with("/lib.wasm")).ending, Ending::Exited(1));
    fs::remove_file(path("mine.wasm")).unwrap();
    std::os::unix::fs::symlink("neighbour.wasm", path("mine.wasm")).unwrap();
    let refused = refused(linking(), &exits_with("/lib.wasm"));
    assert!(matches!(&refused, LinkError::File { .. }), "{refused}");
}

#[test]
fn a_path_leads_into_the_mount_that_says_most_of_it_and_dots_are_part_of_names() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("outer/sub")).unwrap();
    fs::create_dir(temp.path().join("inner")).unwrap();
    fs::write(temp.path().join("outer/sub/a.wasm"), gives(1)).unwrap();
    fs::write(temp.path().join("inner/a.wasm"), gives(2)).unwrap();
    let mount = |host: &str, guest: &str| Mount::open(temp.path().join(host), guest, Mode::ReadOnly).unwrap();
    let sandbox = Sandbox::new()
        .mount(mount("outer", "/.lib"))
        .and_then(|sandbox| sandbox.mount(mount("inner", "/.lib/sub")))
        .and_then(|sandbox| sandbox.mount(mount("outer", "/lib")))
        .unwrap();
    for (name, code) in [("/.lib/sub/a.wasm", 2), (".lib/sub/a.wasm", 2), ("/lib/sub/a.wasm", 1)] {
        assert_eq!(
            run(runtime().linking().files(&sandbox), &exits_with(name)).ending,
            Ending::Exited(code),
            "{name}"
        );
    }
}

#[test]
fn a_library_that_fails_in_its_set_up_is_the_guests_failure() {
    let functions =
        HostFunctions::new().add("app", "fail", |_: &mut HostCall<'_>| -> Result<(), HostError> {
            Err(HostError::new("not today"))
        });
    let runtime =
        Runtime::with_host_functions(Config { guests_max: 4, ..Config::default() }, functions).unwrap();
    let import = r#"(import "app" "fail" (func $fail))"#;
    for set_up in
        ["(start $set-up) (func $set-up (call $fail))", r#"(func (export "_initialize") (call $fail))"#]
    {
        let library =
            format!(r#"(module {import} {set_up} (func (export "value") (result i32) (i32.const 1)))"#);
        let outcome = run(runtime.linking().import("a", library), &exits_with("a"));
        let Ending::Trapped(trap) = outcome.ending else { panic!("{:?}", outcome.ending) };
        assert!(trap.what.contains("not today"), "{}", trap.what);
    }
}
