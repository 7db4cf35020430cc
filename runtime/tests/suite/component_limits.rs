//! What only a component can try to have too much of.

use std::time::Duration;

use skrei_runtime::{Ending, Error, Limit, Limits, Sandbox};

use crate::components::command;
use crate::grounds::{load, run, runtime};

fn trap_of(component: &str) -> String {
    match run(component.as_bytes(), Sandbox::new()).ending {
        Ending::Trapped(trap) => trap.what,
        other => panic!("{other:?}"),
    }
}

/// A component of modules that each have a memory of so many pages, and that does nothing else.
fn of_memories(count: usize, pages: u32) -> String {
    let memories: String =
        (0..count).map(|number| format!("(core instance $memory{number} (instantiate $memory))")).collect();
    command(&format!("(core module $memory (memory {pages})) {memories}"), "", "(i32.const 0)")
}

#[test]
fn a_component_that_needs_more_than_the_pool_has_runs_outside_of_it() {
    assert_eq!(run(of_memories(3, 1).as_bytes(), Sandbox::new()).ending, Ending::Exited(0));
    let limits = Limits { wall_time: Some(Duration::from_millis(100)), ..Limits::default() };
    let spins = of_memories(3, 1).replace("(i32.const 0)))", "(loop (br 0)) (i32.const 0)))");
    assert_eq!(
        run(spins.as_bytes(), Sandbox::new().limits(limits)).ending,
        Ending::HitLimit(Limit::WallTime)
    );
}

#[test]
fn a_module_that_needs_more_than_the_pool_has_does_too() {
    let tables = "(table 1 funcref)".repeat(12);
    let module = format!(r#"(module {tables} (memory 1) (memory 1) (func (export "_start")))"#);
    assert_eq!(run(module.as_bytes(), Sandbox::new()).ending, Ending::Exited(0));
}

#[test]
fn the_memories_of_a_component_count_together() {
    let limits = Limits { memory_bytes: 4 << 20, ..Limits::default() };
    let run = |pages| run(of_memories(4, pages).as_bytes(), Sandbox::new().limits(limits.clone()));
    assert_eq!(run(15).ending, Ending::Exited(0));
    assert_eq!(run(15).usage.memory_bytes_peak, 4 * 15 * 65_536);
    assert_eq!(run(17).ending, Ending::HitLimit(Limit::Memory));
}

#[test]
fn instances_memories_and_tables_are_bounded() {
    let many = |what: &str, count: usize| {
        let instances: String = (0..count).map(|_| "(core instance (instantiate $one))").collect();
        command(&format!("(core module $one {what}) {instances}"), "", "(i32.const 0)")
    };
    for component in [many("", 200), many("(memory 0)", 20), many("(table 0 funcref)", 70)] {
        let error = load(component.as_bytes()).run_blocking(Sandbox::new()).unwrap_err();
        assert!(matches!(error, Error::Start(_)), "{error:?}");
    }
}

#[test]
fn handles_to_things_of_its_own_are_bounded() {
    let hoards = r#"(component
        (type $thing (resource (rep i32)))
        (core func $new (canon resource.new $thing))
        (core module $main
            (import "host" "new" (func $new (param i32) (result i32)))
            (func (export "run") (result i32) (loop (drop (call $new (i32.const 7))) (br 0)) (i32.const 0)))
        (core instance $main (instantiate $main (with "host" (instance (export "new" (func $new))))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $cli (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $cli)))"#;
    assert!(trap_of(hoards).contains("handle limit"));
}

const CLOCK: &str = r#"(import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (export "pollable" (type $p (eq $pollable)))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core func $wait (canon lower (func $clock "subscribe-duration")))"#;

#[test]
fn what_the_host_keeps_for_a_component_is_bounded() {
    let core = r#"(import "host" "wait" (func $wait (param i64) (result i32)))"#;
    let hoards = command(CLOCK, core, "(loop (drop (call $wait (i64.const 1))) (br 0)) (i32.const 0)");
    assert!(trap_of(&hoards).contains("resource table"));
}

const RANDOM: &str = r#"(import "wasi:random/random@0.2.0" (instance $random
        (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 64)))
    (core instance $memory (instantiate $memory))
    (core func $draw (canon lower (func $random "get-random-bytes")
        (memory (core memory $memory "memory")) (realloc (core func $memory "realloc"))))"#;

#[test]
fn random_bytes_are_not_made_by_the_gigabyte() {
    let core = r#"(import "host" "draw" (func $draw (param i64 i32)))"#;
    let draws = command(RANDOM, core, "(call $draw (i64.const 1000000000000) (i32.const 0)) (i32.const 0)");
    let what = trap_of(&draws);
    assert!(what.contains("1000000000000 random bytes"), "{what}");
}

#[test]
fn what_is_not_a_components_own_handle_ends_it() {
    let imports = r#"(import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
        (alias export $poll "pollable" (type $pollable))
        (core func $drop (canon resource.drop $pollable))"#;
    let core = r#"(import "host" "drop" (func $drop (param i32)))"#;
    let drops = command(imports, core, "(call $drop (i32.const 3)) (i32.const 0)");
    assert!(trap_of(&drops).contains("unknown handle"), "{}", trap_of(&drops));
}

#[test]
fn a_thousand_components_run_one_after_another_and_leave_nothing_behind() {
    let module = runtime().load(skrei_test_guests::p2::noop()).unwrap();
    for _ in 0..1000 {
        assert_eq!(module.run_blocking(Sandbox::new()).unwrap().ending, Ending::Exited(0));
    }
}

#[test]
fn the_instances_of_a_component_take_so_much_of_the_hosts_memory_together_and_no_more() {
    let many = |count: usize| {
        let elements = "0 ".repeat(200_000);
        let instances = "(core instance (instantiate $one))".repeat(count);
        let imports = format!("(core module $one (func) (elem func {elements})) {instances}");
        load(command(&imports, "", "(i32.const 0)").as_bytes()).run_blocking(Sandbox::new())
    };
    assert_eq!(many(10).unwrap().ending, Ending::Exited(0));
    let error = many(30).unwrap_err();
    assert!(matches!(error, Error::Start(_)), "{error:?}");
}

const STDOUT: &str = r#"(import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $failure))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $out (sub resource)))
        (export "error" (type $e (eq $failure)))
        (type $variant (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $stream-error (eq $variant)))
        (export "[method]output-stream.write" (func
            (param "self" (borrow $out)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
    (alias export $streams "output-stream" (type $output))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (export "output-stream" (type $o (eq $output)))
        (export "get-stdout" (func (result (own $o))))))
    (core module $memory (memory (export "memory") 400))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.write")
        (memory (core memory $memory "memory"))))"#;

#[test]
fn a_component_that_writes_more_than_it_was_told_it_may_ends() {
    let write = |bytes: u32| {
        let core = r#"(import "host" "get" (func $get (result i32)))
            (import "host" "write" (func $write (param i32 i32 i32 i32)))"#;
        let body = format!(
            "(call $write (call $get) (i32.const 64) (i32.const {bytes}) (i32.const 0)) (i32.const 0)"
        );
        command(STDOUT, core, &body)
    };
    let outcome = run(write(64 << 10).as_bytes(), Sandbox::new());
    assert_eq!((outcome.ending, outcome.stdout.bytes.len()), (Ending::Exited(0), 64 << 10));
    let what = trap_of(&write((64 << 10) + 1));
    assert!(what.contains("65537 bytes are written at once, and `check-write` allows 65536"), "{what}");
    // So much is not even copied.
    let what = trap_of(&write(20 << 20));
    assert!(!what.contains("check-write"), "{what}");
}
