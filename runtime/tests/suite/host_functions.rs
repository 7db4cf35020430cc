//! Functions of the embedder's own.

use std::sync::{Arc, Mutex};

use skrei_runtime::{Config, Ending, Error, HostCall, HostError, HostFunctions, Runtime, Sandbox, load};

fn runtime(functions: HostFunctions) -> Runtime {
    Runtime::with_host_functions(Config { guests_max: 4, ..Config::default() }, functions).unwrap()
}

/// Calls `app.say` with this address and length, after data at address 8.
fn says(at: u32, len: u32) -> String {
    format!(
        r#"(module (import "app" "say" (func $say (param i32 i32)))
            (memory (export "memory") 1) (data (i32.const 8) "good \ff morning")
            (func (export "_start") (call $say (i32.const {at}) (i32.const {len}))))"#
    )
}

fn say(call: &mut HostCall<'_>, at: u32, len: u32) -> Result<(), HostError> {
    let text = call.text(at, len)?.to_owned();
    let heard = call.data::<Mutex<Vec<String>>>().ok_or_else(|| HostError::new("nobody listens"))?;
    heard.lock().map_err(|_| HostError::new("the list is broken"))?.push(text);
    Ok(())
}

#[test]
fn each_run_brings_what_its_calls_work_on() {
    let runtime = runtime(HostFunctions::new().add("app", "say", say));
    let module = runtime.load(says(8, 4).as_bytes()).unwrap();
    for _ in 0..2 {
        let heard = Arc::new(Mutex::new(Vec::<String>::new()));
        let outcome = module.run_blocking(Sandbox::new().data(Arc::clone(&heard))).unwrap();
        assert_eq!(outcome.ending, Ending::Exited(0));
        assert_eq!(*heard.lock().unwrap(), ["good"]);
    }
}

#[test]
fn an_error_of_a_function_ends_the_guest_with_its_words() {
    let runtime = runtime(HostFunctions::new().add("app", "say", say));
    let what = |at, len, sandbox: Sandbox| {
        let module = runtime.load(says(at, len).as_bytes()).unwrap();
        match module.run_blocking(sandbox).unwrap().ending {
            Ending::Trapped(trap) => trap.what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(what(8, 4, Sandbox::new()), "nobody listens");
    assert_eq!(what(8, 4, Sandbox::new().data(Arc::new(7))), "nobody listens");
    assert!(what(8, 8, Sandbox::new()).contains("not UTF-8"));
    for (at, len) in [(65_535, 2), (u32::MAX, u32::MAX), (70_000, 0)] {
        assert!(what(at, len, Sandbox::new()).contains("outside the guest's memory"), "{at} {len}");
    }
}

#[test]
fn a_guest_without_a_memory_is_told_so() {
    let runtime = runtime(HostFunctions::new().add("app", "say", say));
    let module = runtime.load(
        br#"(module (import "app" "say" (func $say (param i32 i32)))
            (func (export "_start") (call $say (i32.const 0) (i32.const 1))))"#,
    );
    let ending = module.unwrap().run_blocking(Sandbox::new()).unwrap().ending;
    assert!(matches!(&ending, Ending::Trapped(trap) if trap.what.contains("`memory`")), "{ending:?}");
}

#[test]
fn functions_have_any_number_of_numbers_up_to_six() {
    let functions = HostFunctions::new().add("app", "none", |_: &mut HostCall<'_>| Ok(1_i64)).add(
        "app",
        "six",
        |_: &mut HostCall<'_>, a: i32, b: u32, c: i64, d: u64, e: f32, f: f64| {
            Ok(f64::from(a) + f64::from(b) + c as f64 + d as f64 + f64::from(e) + f)
        },
    );
    let module = br#"(module
        (import "app" "none" (func $none (result i64)))
        (import "app" "six" (func $six (param i32 i32 i64 i64 f32 f64) (result f64)))
        (func (export "_start")
            (if (f64.ne (call $six (i32.const 1) (i32.const 2) (call $none) (i64.const 4) (f32.const 5) (f64.const 6))
                        (f64.const 19)) (then unreachable))))"#;
    let ending = runtime(functions).load(module).unwrap().run_blocking(Sandbox::new()).unwrap().ending;
    assert_eq!(ending, Ending::Exited(0));
}

#[test]
fn a_name_that_is_taken_and_an_import_of_another_type_are_refused() {
    let nothing = |_: &mut HostCall<'_>| Ok(());
    for (module, name) in [("app", "twice"), ("wasi_snapshot_preview1", "fd_write")] {
        let functions = HostFunctions::new().add("app", "twice", nothing).add(module, name, nothing);
        let refused = Runtime::with_host_functions(Config::default(), functions).unwrap_err();
        assert!(matches!(&refused, Error::HostFunction { name: taken, .. } if taken == name), "{refused}");
    }
    let runtime = runtime(HostFunctions::new().add("app", "say", nothing));
    let refused = runtime.load(says(0, 0).as_bytes()).unwrap_err();
    assert!(matches!(refused, load::Error::ImportType { .. }), "{refused}");
}
