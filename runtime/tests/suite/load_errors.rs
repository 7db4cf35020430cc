//! Bytes that are no module, each refused as what it is.

use std::thread;

use skrei_runtime::{Config, Runtime, load};

use crate::grounds::runtime;

fn refused(bytes: &[u8]) -> load::Error {
    runtime().load(bytes).unwrap_err()
}

#[test]
fn nothing_is_no_module() {
    assert_eq!(refused(b""), load::Error::Empty);
}

#[test]
fn something_else_is_no_module() {
    for bytes in [&b"#!/bin/sh\n"[..], b"\x7fELF\x02\x01\x01", b"hello", b"\xff\xfe", b"  \n"] {
        assert_eq!(refused(bytes), load::Error::NotWasm, "{bytes:?}");
    }
}

#[test]
fn a_module_cut_off_anywhere_is_invalid() {
    let whole = skrei_test_guests::noop();
    for length in [1, 3, 4, 7, 9, 100, whole.len() / 2, whole.len() - 1] {
        let error = refused(&whole[..length]);
        assert!(matches!(error, load::Error::Invalid { .. }), "{length}: {error}");
    }
}

#[test]
fn text_is_a_module_unless_it_has_a_mistake() {
    assert!(runtime().load(b"  ;; a comment\n(module (func (export \"_start\")))").is_ok());
    let error = refused(b"(module\n  (func (export \"_start\") (call $missing)))");
    let load::Error::Text { message } = error else { panic!("{error}") };
    assert!(message.contains("2:"), "{message}");
}

#[test]
fn an_unknown_import_is_named() {
    let module = br#"(module (import "env" "magic" (func)) (func (export "_start")))"#;
    assert_eq!(refused(module).to_string(), "the module imports `env::magic`, which is not provided");
}

#[test]
fn an_import_of_another_type_is_named() {
    let module = br#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func (param i64)))
        (func (export "_start")))"#;
    let error = refused(module);
    let load::Error::ImportType { message } = error else { panic!("{error}") };
    assert!(message.contains("proc_exit"), "{message}");
}

#[test]
fn a_module_with_nothing_to_start_at_is_refused() {
    for module in [
        &br#"(module (func (export "_initialize")))"#[..],
        br#"(module (memory (export "memory") 1))"#,
        br#"(module (func (export "f") (param i32)))"#,
    ] {
        assert_eq!(refused(module), load::Error::NoEntryPoint);
    }
}

#[test]
fn a_module_over_the_size_limit_is_refused_with_both_sizes() {
    let runtime = Runtime::new(Config { module_bytes_max: 1000, ..Config::default() }).unwrap();
    let bytes = skrei_test_guests::noop();
    let error = runtime.load(bytes).unwrap_err();
    assert_eq!(error, load::Error::TooLarge { bytes: bytes.len(), bytes_max: 1000 });
}

#[test]
fn the_same_bytes_are_compiled_once_and_have_one_digest() {
    let runtime = Runtime::new(Config::default()).unwrap();
    let load = || {
        let start = std::time::Instant::now();
        let module = runtime.load(skrei_test_guests::probe()).unwrap();
        (module.digest().to_owned(), start.elapsed())
    };
    let (digest, cold) = load();
    let (same, warm) = load();
    assert_eq!(digest.len(), 64);
    assert_eq!(digest, same);
    assert!(warm < cold / 4, "cold {cold:?}, warm {warm:?}");
    assert_ne!(runtime.load(skrei_test_guests::noop()).unwrap().digest(), digest);
}

#[test]
fn a_failure_is_not_remembered_and_callers_at_once_all_hear_it() {
    let module = br#"(module (import "env" "absent" (func)) (func (export "_start")))"#;
    let threads = [(); 4].map(|()| thread::spawn(|| refused(module)));
    for error in threads.map(|thread| thread.join().unwrap()) {
        assert!(matches!(error, load::Error::UnknownImport { .. }), "{error}");
    }
}

#[test]
fn the_oldest_module_makes_room_for_a_new_one() {
    let runtime = Runtime::new(Config { modules_cached: 1, ..Config::default() }).unwrap();
    let first = runtime.load(skrei_test_guests::noop()).unwrap();
    let second = runtime.load(skrei_test_guests::exit()).unwrap();
    let again = runtime.load(skrei_test_guests::noop()).unwrap();
    assert_eq!(first.digest(), again.digest());
    assert_ne!(first.digest(), second.digest());
    assert!(first.run_blocking(skrei_runtime::Sandbox::new()).unwrap().ending.is_success());
}

/// A module with a segment of so many elements that is kept for later.
fn of_elements(count: usize) -> String {
    format!(
        r#"(module (func (export "_start")) (func (export "value") (result i32) (i32.const 1)) (elem func {}))"#,
        "0 ".repeat(count)
    )
}

#[test]
fn a_module_whose_instances_would_take_the_hosts_memory_is_refused() {
    let error = refused(of_elements(4_500_000).as_bytes());
    assert!(
        matches!(error, load::Error::InstanceTooLarge { bytes, bytes_max } if bytes > bytes_max),
        "{error}"
    );
    assert!(runtime().load(of_elements(1000).as_bytes()).is_ok());
    // Of several modules each may have its part.
    let part = of_elements(300_000);
    let entry = r#"(module (import "a" "value" (func (result i32))) (func (export "_start")))"#;
    let error = runtime().linking().import("a", part).load(entry.as_bytes()).unwrap_err();
    assert!(
        error.to_string().starts_with("in the entry module -> `a`: the module has too much in it"),
        "{error}"
    );
}
