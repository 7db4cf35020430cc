//! How a guest ended, as the host is told.

use skrei_runtime::{Ending, Limit, Limits, Sandbox};

use crate::grounds::{guest, in_each_world, load, run};

in_each_world! {
    a_normal_return_is_exit_code_0
    a_trap_of_a_stripped_program_still_has_its_frames
    usage_tells_time_and_memory
}

fn a_normal_return_is_exit_code_0() {
    let outcome = run(guest!(noop), Sandbox::new());
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.ending.is_success());
}

#[test]
fn an_exit_code_arrives_as_it_was_given() {
    for code in [0, 1, 7, 125, 255, 70_000, -1] {
        let outcome = run(skrei_test_guests::exit(), Sandbox::new().arg(code.to_string()));
        assert_eq!(outcome.ending, Ending::Exited(code));
        assert_eq!(outcome.stdout.to_string(), format!("exiting with {code}\n"));
    }
}

#[test]
fn a_trap_says_what_happened_and_where() {
    let named = br#"(module
        (func $inner unreachable)
        (func $outer (call $inner))
        (func (export "_start") (call $outer)))"#;
    let Ending::Trapped(trap) = run(named, Sandbox::new()).ending else { panic!("no trap") };
    assert!(trap.what.contains("unreachable"), "{}", trap.what);
    assert_eq!(trap.backtrace, ["inner", "outer", "function 2"]);
}

fn a_trap_of_a_stripped_program_still_has_its_frames() {
    let Ending::Trapped(trap) = run(guest!(trap), Sandbox::new()).ending else { panic!("no trap") };
    assert!(trap.backtrace.len() >= 3, "{:?}", trap.backtrace);
}

#[test]
fn what_was_written_before_the_end_is_kept() {
    let writes_then_traps = br#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "\10\00\00\00\05\00\00\00last\n")
        (func (export "_start")
            (drop (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 0)))
            unreachable))"#;
    let outcome = run(writes_then_traps, Sandbox::new());
    assert!(matches!(outcome.ending, Ending::Trapped(_)));
    assert_eq!(outcome.stdout.bytes, b"last\n");
}

#[test]
fn one_module_runs_again_and_again_with_nothing_left_over() {
    let counts = br#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (global $count (mut i32) (i32.const 0))
        (func (export "_start")
            (i32.store (i32.const 64) (i32.add (i32.load (i32.const 64)) (i32.const 1)))
            (global.set $count (i32.add (global.get $count) (i32.load (i32.const 64))))
            (call $exit (global.get $count))))"#;
    let module = load(counts);
    for _ in 0..20 {
        assert_eq!(module.run_blocking(Sandbox::new()).unwrap().ending, Ending::Exited(1));
    }
}

fn usage_tells_time_and_memory() {
    let outcome = run(guest!(sleep), Sandbox::new().arg("20"));
    assert!(outcome.usage.wall_time.as_millis() >= 20);
    assert!(outcome.usage.memory_bytes_peak >= 1 << 20);
}

#[test]
fn a_guest_that_passes_nonsense_is_told_so_and_the_host_lives() {
    // Every function with addresses far outside the guest's one page: all must answer, none may trap.
    let nonsense = br#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func $fault (param i32)
            (if (i32.ne (local.get 0) (i32.const 21)) (then (call $exit (local.get 0)))))
        (func (export "_start")
            (call $fault (call $write (i32.const 1) (i32.const -8) (i32.const 1) (i32.const 0)))
            (call $fault (call $write (i32.const 1) (i32.const 0) (i32.const -1) (i32.const 0)))
            (call $fault (call $read (i32.const 0) (i32.const -1) (i32.const 7) (i32.const 0)))
            (call $fault (call $random (i32.const 65530) (i32.const 7)))
            (call $fault (call $poll (i32.const 65500) (i32.const 0) (i32.const 1) (i32.const 0)))
            (call $fault (call $args (i32.const -2) (i32.const -2)))))"#;
    assert_eq!(run(nonsense, Sandbox::new()).ending, Ending::Exited(0));
}

#[test]
fn what_goes_wrong_in_a_start_function_is_the_guests_doing() {
    let starts = |body: &str| {
        let module =
            format!(r#"(module (memory 1) (start $start) (func $start {body}) (func (export "_start")))"#);
        let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
        run(module.as_bytes(), Sandbox::new().limits(limits)).ending
    };
    assert!(matches!(starts("unreachable"), Ending::Trapped(_)));
    assert_eq!(starts("(call $start)"), Ending::HitLimit(Limit::Stack));
    let refused = "(drop (memory.grow (i32.const 1000)))";
    assert_eq!(starts(&format!("{refused} unreachable")), Ending::HitLimit(Limit::Memory));
    // It coped with that, and failed at something else.
    let Ending::Trapped(trap) = starts(&format!("{refused} (drop (i32.div_s (i32.const 1) (i32.const 0)))"))
    else {
        panic!("no trap")
    };
    assert!(trap.what.contains("divide by zero"), "{}", trap.what);
}
