//! Functions of the embedder's own.

use std::sync::{Arc, Mutex};

use skrei_runtime::{
    Config, Ending, Error, HostCall, HostError, HostFunctions, InterfaceCall, Runtime, Sandbox, load,
};

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

/// A component that calls `acme:shop/counter` with some text, and is done if it gets 3.
const COUNTS: &str = r#"(component
    (import "acme:shop/counter@1.0.0" (instance $counter
        (export "count" (func (param "what" string) (param "by" u32) (result (result u32 (error string)))))))
    (core module $memory
        (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3))))
        (data (i32.const 8) "apples"))
    (core instance $memory (instantiate $memory))
    (core func $count (canon lower (func $counter "count")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))
    (core module $main
        (import "host" "memory" (memory 1))
        (import "host" "count" (func $count (param i32 i32 i32 i32)))
        (func (export "run") (result i32)
            (call $count (i32.const 8) (i32.const 6) (i32.const 3) (i32.const 64))
            (i32.or (i32.load8_u (i32.const 64)) (i32.ne (i32.load (i32.const 68)) (i32.const 3)))))
    (core instance $main (instantiate $main (with "host" (instance
        (export "memory" (memory $memory "memory")) (export "count" (func $count))))))
    (func $run (result (result)) (canon lift (core func $main "run")))
    (instance $cli (export "run" (func $run)))
    (export "wasi:cli/run@0.2.0" (instance $cli)))"#;

fn count(call: &mut InterfaceCall<'_>, what: String, by: u32) -> Result<Result<u32, String>, HostError> {
    let heard = call.data::<Mutex<Vec<String>>>().ok_or_else(|| HostError::new("nobody listens"))?;
    heard.lock().map_err(|_| HostError::new("the list is broken"))?.push(what);
    Ok(Ok(by))
}

#[test]
fn a_component_calls_an_interface_of_the_embedders_with_values() {
    let runtime = runtime(HostFunctions::new().add_to_interface("acme:shop/counter@1.0.0", "count", count));
    let module = runtime.load(COUNTS.as_bytes()).unwrap();
    let heard = Arc::new(Mutex::new(Vec::<String>::new()));
    let outcome = module.run_blocking(Sandbox::new().data(Arc::clone(&heard))).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(*heard.lock().unwrap(), ["apples"]);
    let ending = module.run_blocking(Sandbox::new()).unwrap().ending;
    assert!(matches!(&ending, Ending::Trapped(trap) if trap.what == "nobody listens"), "{ending:?}");
}

#[test]
fn an_interface_with_other_types_or_without_the_function_is_refused_when_it_is_loaded() {
    let other = |_: &mut InterfaceCall<'_>, _: Vec<u8>| Ok(());
    let functions = HostFunctions::new().add_to_interface("acme:shop/counter@1.0.0", "count", other);
    let refused = runtime(functions).load(COUNTS.as_bytes()).unwrap_err();
    assert!(matches!(refused, load::Error::ImportType { .. }), "{refused}");
    let functions = HostFunctions::new().add_to_interface("acme:shop/counter@1.0.0", "weigh", other);
    let refused = runtime(functions).load(COUNTS.as_bytes()).unwrap_err();
    let (interface, name) = ("acme:shop/counter@1.0.0".to_owned(), Some("count".to_owned()));
    assert_eq!(refused, load::Error::UnknownInterface { interface, name });
}

#[test]
fn a_name_taken_in_an_interface_is_refused() {
    let nothing = |_: &mut InterfaceCall<'_>| Ok(());
    for (interface, name) in [("acme:shop/counter", "twice"), ("wasi:cli/exit@0.2.12", "exit")] {
        let functions = HostFunctions::new()
            .add_to_interface("acme:shop/counter", "twice", nothing)
            .add_to_interface(interface, name, nothing);
        let refused = Runtime::with_host_functions(Config::default(), functions).unwrap_err();
        assert!(matches!(&refused, Error::HostFunction { name: taken, .. } if taken == name), "{refused}");
    }
}
