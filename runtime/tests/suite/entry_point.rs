//! Where a run starts.

use skrei_runtime::{Ending, Error, Sandbox, load};

use crate::grounds::{load as load_module, run};

const LIBRARY: &[u8] = br#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (global $ready (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $ready (i32.const 40)))
    (func (export "work") (call $exit (i32.add (global.get $ready) (i32.const 2))))
    (func (export "with-parameters") (param i32)))"#;

#[test]
fn a_library_starts_at_a_named_function_after_its_own_set_up() {
    assert_eq!(run(LIBRARY, Sandbox::new().entry_point("work")).ending, Ending::Exited(42));
}

#[test]
fn an_entry_point_may_return_something_which_is_ignored() {
    let answers = br#"(module (func (export "answer") (result i32 i64) (i32.const 42) (i64.const 1)))"#;
    assert_eq!(run(answers, Sandbox::new().entry_point("answer")).ending, Ending::Exited(0));
}

#[test]
fn a_library_without_a_named_function_is_refused_with_what_it_has() {
    let error = load_module(LIBRARY).run_blocking(Sandbox::new()).unwrap_err();
    assert_eq!(error.to_string(), "the module has no entry point `_start`; it has `work`");
}

#[test]
fn an_entry_point_of_another_kind_is_refused_as_what_it_is() {
    let module = load_module(LIBRARY);
    for (name, found) in [("with-parameters", "a function with 1 parameters"), ("memory", "a memory")] {
        let error = module.run_blocking(Sandbox::new().entry_point(name)).unwrap_err();
        let Error::Load(load::Error::EntryPointType { found: seen, .. }) = error else { panic!("{error:?}") };
        assert_eq!(seen, found);
    }
}
