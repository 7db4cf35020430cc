//! What a guest could take by what WebAssembly has beside memories and tables, and time it could take between two looks.

use std::time::Duration;

use skrei_runtime::{Ending, Limit, Limits, Sandbox};

use crate::grounds::{Grounds, run, runtime};

fn in_time(wall: u64) -> Limits {
    Limits { wall_time: Some(Duration::from_millis(wall)), ..Limits::default() }
}

#[test]
fn a_memory_that_is_shared_is_refused() {
    let shared = br#"(module (memory 1 1 shared) (func (export "_start")))"#;
    let refusal = match runtime().load(shared) {
        Err(error) => error.to_string(),
        Ok(module) => module.run_blocking(Sandbox::new()).unwrap_err().to_string(),
    };
    assert!(refusal.contains("shared"), "{refusal}");
}

#[test]
fn waiting_for_a_memory_that_nobody_shares_ends_the_guest_and_holds_no_thread() {
    let waits = br#"(module (memory 1)
        (func (export "_start")
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"#;
    let outcome = run(waits, Sandbox::new().limits(in_time(5000)));
    assert!(matches!(outcome.ending, Ending::Trapped(_)), "{:?}", outcome.ending);
}

#[test]
fn what_a_collector_looks_after_counts_as_memory() {
    let hoards = br#"(module
        (rec
            (type $list (struct (field (mut (ref null $list))) (field (ref $bytes))))
            (type $bytes (array (mut i8))))
        (func (export "_start") (local $all (ref null $list))
            (loop
                (local.set $all
                    (struct.new $list (local.get $all) (array.new_default $bytes (i32.const 100000))))
                (br 0))))"#;
    let limits = Limits { memory_bytes: 16 << 20, ..in_time(20_000) };
    let outcome = run(hoards, Sandbox::new().limits(limits));
    assert!(outcome.usage.memory_bytes_peak <= 16 << 20, "{:?}", outcome.usage);
    assert!(
        !matches!(outcome.ending, Ending::Exited(_) | Ending::HitLimit(Limit::WallTime)),
        "{:?}",
        outcome.ending
    );
}

#[test]
fn a_memory_of_64_bits_has_the_same_limit() {
    let grows = br#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") i64 1)
        (func (export "_start")
            (if (i64.ne (memory.grow (i64.const 0x1000000000)) (i64.const -1)) (then (call $exit (i32.const 1))))
            (if (i64.ne (memory.grow (i64.const 8192)) (i64.const -1)) (then (call $exit (i32.const 2))))))"#;
    assert_eq!(run(grows, Sandbox::new()).ending, Ending::Exited(0));
}

#[test]
fn time_ends_a_guest_that_calls_itself_without_a_loop_or_throws_without_end() {
    for body in [
        r#"(func $again (export "_start") (return_call $again))"#,
        r#"(tag $stone) (func (export "_start")
            (loop (block $caught (try_table (catch $stone $caught) (throw $stone))) (br 0)))"#,
    ] {
        let outcome = run(format!("(module {body})").as_bytes(), Sandbox::new().limits(in_time(100)));
        assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime), "{body}");
    }
}

#[test]
fn time_ends_a_guest_that_fills_all_of_its_memory_again_and_again() {
    let fills = br#"(module (memory 4096)
        (func (export "_start") (loop
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 268435456))
            (br 0))))"#;
    // Within one it cannot be stopped: some 30 ms where the memory is there already.
    assert_eq!(run(fills, Sandbox::new().limits(in_time(300))).ending, Ending::HitLimit(Limit::WallTime));
}

#[test]
fn a_path_as_long_as_the_memory_is_refused_before_it_is_looked_at() {
    let looks = br#"(module
        (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 4096)
        (func (export "_start") (call $exit (call $unlink (i32.const 3) (i32.const 0) (i32.const 268435456)))))"#;
    assert_eq!(run(looks, Grounds::new().sandbox()).ending, Ending::Exited(37));
}

#[test]
fn names_that_a_guest_has_for_its_functions_are_told_as_far_as_people_read() {
    let name = "n".repeat(1 << 20);
    let traps = format!(r#"(module (func ${name} unreachable) (func (export "_start") (call ${name})))"#);
    let Ending::Trapped(trap) = run(traps.as_bytes(), Sandbox::new()).ending else { panic!("no trap") };
    assert!(
        trap.backtrace[0].starts_with("nnn") && trap.backtrace[0].len() < 300,
        "{}",
        trap.backtrace[0].len()
    );
    let imports = format!(r#"(module (import "{name}" "{name}" (func)) (func (export "_start")))"#);
    let error = runtime().load(imports.as_bytes()).unwrap_err();
    assert!(error.to_string().len() < 1000, "{}", error.to_string().len());
}
