//! Each limit, with a guest that attacks it.

use std::thread;
use std::time::{Duration, Instant};

use skrei_runtime::{CancelToken, Ending, Limit, Limits, Sandbox};

use crate::grounds::{Grounds, World, check, guest, in_each_world, load, run};

in_each_world! {
    wall_time_ends_a_guest_that_never_calls_the_host
    wall_time_ends_a_guest_that_sleeps
    wall_time_ends_a_guest_that_waits_for_input
    a_run_within_its_wall_time_is_left_alone
    many_guests_that_spin_side_by_side_all_end_by_their_own_clock
    a_spinning_guest_gives_way_to_other_work_on_its_thread
    a_token_ends_a_guest_that_computes_and_one_that_waits
    a_token_cancelled_before_the_run_ends_it
    a_guest_that_dies_of_refused_memory_hit_the_memory_limit
    a_guest_that_copes_with_refused_memory_ends_as_it_likes
    an_ordinary_trap_is_no_memory_limit
    open_files_are_bounded_and_can_be_opened_again_after_closing
    all_guests_together_have_so_many_files_open_and_no_more
    a_directory_that_is_listed_counts_for_all_that_is_open_of_it
    a_guest_that_spins_ends_at_its_processor_time_and_one_that_sleeps_does_not
    many_more_guests_that_spin_than_cores_all_end_by_their_own_clock
    a_run_that_waits_for_a_place_begins_when_there_is_one_and_can_be_cancelled_before
    more_guests_at_once_than_allowed_are_refused_as_busy
}

/// How late a limit may end a run: ten ticks, for a machine that is busy with the other tests.
const LATE_MAX: Duration = Duration::from_millis(100);

fn wall_time(limit: Duration) -> Limits {
    Limits { wall_time: Some(limit), ..Limits::default() }
}

#[track_caller]
fn ends_by_wall_time(wasm: &[u8], sandbox: Sandbox) {
    let limit = Duration::from_millis(150);
    let module = load(wasm);
    let outcome = module.run_blocking(sandbox.limits(wall_time(limit))).unwrap();
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime));
    assert!(outcome.usage.wall_time >= limit, "{:?}", outcome.usage.wall_time);
    assert!(outcome.usage.wall_time < limit + LATE_MAX, "{:?}", outcome.usage.wall_time);
}

fn wall_time_ends_a_guest_that_never_calls_the_host() {
    ends_by_wall_time(guest!(spin), Sandbox::new());
}

fn wall_time_ends_a_guest_that_sleeps() {
    ends_by_wall_time(guest!(sleep), Sandbox::new().arg("60000"));
}

fn wall_time_ends_a_guest_that_waits_for_input() {
    let (_writer, reader) = tokio::io::duplex(64);
    ends_by_wall_time(guest!(echo), Sandbox::new().stdin_reader(reader));
}

#[test]
fn wall_time_ends_a_guest_that_yields_for_ever() {
    let yields = br#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "_start") (loop (drop (call $yield)) (br 0))))"#;
    ends_by_wall_time(yields, Sandbox::new());
}

#[test]
fn wall_time_ends_a_guest_whose_streams_go_on_without_it() {
    let grounds = Grounds::new();
    let big = std::fs::File::create(grounds.host("ro/big")).unwrap();
    big.set_len(1 << 40).unwrap();
    let endless = || tokio::io::repeat(b'x');
    for arguments in [["/ro:big", "stdout"], ["/ro:big", "/rw:copy"], ["stdin", "stdout"]] {
        let limits = Limits { disk_bytes: 1 << 41, disk_files: 10, ..wall_time(Duration::from_millis(100)) };
        let sandbox = grounds.sandbox().args(arguments).stdin_reader(endless()).limits(limits);
        let outcome = run(skrei_test_guests::p3::pipe(), sandbox);
        assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime), "{arguments:?}");
    }
}

#[test]
fn processor_time_ends_a_guest_whose_streams_go_on_without_it() {
    let grounds = Grounds::new();
    let big = std::fs::File::create(grounds.host("ro/big")).unwrap();
    big.set_len(1 << 40).unwrap();
    let limits = Limits { cpu_time: Some(Duration::from_millis(100)), ..Limits::default() };
    let sandbox = grounds.sandbox().args(["/ro:big", "stdout"]).limits(limits);
    let outcome = run(skrei_test_guests::p3::pipe(), sandbox);
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::CpuTime));
}

#[test]
fn streams_connected_to_each_other_carry_everything() {
    let grounds = Grounds::new();
    let bytes: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
    std::fs::write(grounds.host("ro/big"), &bytes).unwrap();
    let limits = Limits { stdout_bytes: 4 << 20, ..Limits::default() };
    for arguments in [["/ro:big", "stdout"], ["/ro:big", "/rw:copy"], ["stdin", "stdout"]] {
        let sandbox = grounds.sandbox().args(arguments).stdin(bytes.clone()).limits(limits.clone());
        let outcome = run(skrei_test_guests::p3::pipe(), sandbox);
        assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
        let found = match arguments[1] {
            "stdout" => outcome.stdout.bytes,
            _ => std::fs::read(grounds.host("rw/copy")).unwrap(),
        };
        assert!(found == bytes, "{arguments:?}: {} bytes", found.len());
    }
}

#[test]
fn wall_time_ends_a_guest_in_its_start_function() {
    let spins = br#"(module (func $spin (loop (br 0))) (start $spin) (func (export "_start")))"#;
    ends_by_wall_time(spins, Sandbox::new());
}

#[test]
fn wall_time_ends_a_guest_that_draws_random_numbers_without_end() {
    let draws = br#"(module
        (import "wasi_snapshot_preview1" "random_get" (func $draw (param i32 i32) (result i32)))
        (memory (export "memory") 4096)
        (func (export "_start") (loop (drop (call $draw (i32.const 0) (i32.const 268435456))) (br 0))))"#;
    ends_by_wall_time(draws, Sandbox::new());
}

fn a_run_within_its_wall_time_is_left_alone() {
    let sandbox = Sandbox::new().arg("50").limits(wall_time(Duration::from_secs(20)));
    let outcome = run(guest!(sleep), sandbox);
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert_eq!(outcome.stdout.bytes, b"awake\n");
    assert!(outcome.usage.wall_time >= Duration::from_millis(50));
}

fn many_guests_that_spin_side_by_side_all_end_by_their_own_clock() {
    let module = load(guest!(spin));
    let limit = Duration::from_millis(300);
    let threads = [(); 4].map(|()| {
        let module = module.clone();
        thread::spawn(move || module.run_blocking(Sandbox::new().limits(wall_time(limit))).unwrap())
    });
    for outcome in threads.map(|thread| thread.join().unwrap()) {
        assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime));
        assert!(outcome.usage.wall_time < limit + 2 * LATE_MAX, "{:?}", outcome.usage.wall_time);
    }
}

fn a_spinning_guest_gives_way_to_other_work_on_its_thread() {
    let module = load(guest!(spin));
    let executor = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    executor.block_on(async {
        let sandbox = Sandbox::new().limits(wall_time(Duration::from_millis(300)));
        let spinning = tokio::spawn(async move { module.run(sandbox).await.unwrap() });
        let start = Instant::now();
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(start.elapsed() < Duration::from_millis(50) + LATE_MAX, "{:?}", start.elapsed());
        assert!(!spinning.is_finished());
        assert_eq!(spinning.await.unwrap().ending, Ending::HitLimit(Limit::WallTime));
    });
}

fn a_token_ends_a_guest_that_computes_and_one_that_waits() {
    for (wasm, sandbox) in [(guest!(spin), Sandbox::new()), (guest!(sleep), Sandbox::new().arg("60000"))] {
        let token = CancelToken::new();
        let module = load(wasm);
        let sandbox = sandbox.cancel(token.clone());
        let running = thread::spawn(move || module.run_blocking(sandbox).unwrap());
        thread::sleep(Duration::from_millis(50));
        let cancelled = Instant::now();
        token.cancel();
        assert_eq!(running.join().unwrap().ending, Ending::Cancelled);
        assert!(cancelled.elapsed() < LATE_MAX, "{:?}", cancelled.elapsed());
    }
}

fn a_token_cancelled_before_the_run_ends_it() {
    let token = CancelToken::new();
    token.cancel();
    let outcome = run(guest!(spin), Sandbox::new().cancel(token));
    assert_eq!(outcome.ending, Ending::Cancelled);
}

fn a_guest_that_dies_of_refused_memory_hit_the_memory_limit() {
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    let outcome = run(guest!(grow), Sandbox::new().arg("abort").limits(limits));
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::Memory));
    assert!(outcome.usage.memory_bytes_peak <= 16 << 20, "{}", outcome.usage.memory_bytes_peak);
    assert!(outcome.usage.memory_bytes_peak > 12 << 20, "{}", outcome.usage.memory_bytes_peak);
}

fn a_guest_that_copes_with_refused_memory_ends_as_it_likes() {
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    let outcome = run(guest!(grow), Sandbox::new().limits(limits));
    assert_eq!(outcome.ending, Ending::Exited(0));
    let took = outcome.stdout.to_string();
    let megabytes: u32 = took.strip_prefix("took ").unwrap().strip_suffix(" MB\n").unwrap().parse().unwrap();
    assert!((8..16).contains(&megabytes), "{took}");
}

#[test]
fn a_guest_that_needs_more_memory_than_it_may_have_hit_the_memory_limit_before_it_began() {
    let big = br#"(module (memory (export "memory") 1024) (func (export "_start")))"#;
    let limits = Limits { memory_bytes: 1 << 20, ..Limits::default() };
    let outcome = run(big, Sandbox::new().limits(limits));
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::Memory));
}

#[test]
fn a_guest_that_copes_with_refused_memory_and_fails_otherwise_did_not_hit_the_memory_limit() {
    let divides = br#"(module (memory (export "memory") 1)
        (func (export "_start")
            (drop (memory.grow (i32.const 60000)))
            (drop (i32.div_u (i32.const 1) (i32.const 0)))))"#;
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    let outcome = run(divides, Sandbox::new().limits(limits));
    assert!(matches!(outcome.ending, Ending::Trapped(_)), "{:?}", outcome.ending);
}

fn an_ordinary_trap_is_no_memory_limit() {
    let limits = Limits { memory_bytes: 16 << 20, ..Limits::default() };
    let outcome = run(guest!(trap), Sandbox::new().limits(limits));
    assert!(matches!(outcome.ending, Ending::Trapped(_)), "{:?}", outcome.ending);
}

#[test]
fn calls_nested_too_deep_hit_the_stack_limit() {
    let recursion = br#"(module (func $deeper (export "_start") (call $deeper)))"#;
    assert_eq!(run(recursion, Sandbox::new()).ending, Ending::HitLimit(Limit::Stack));
}

#[test]
fn a_table_grows_to_its_limit_and_no_further() {
    let grows = br#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (table $table 10 funcref)
        (func (export "_start")
            (if (i32.ne (table.grow $table (ref.null func) (i32.const 90)) (i32.const 10)) (then (call $exit (i32.const 1))))
            (if (i32.ne (table.grow $table (ref.null func) (i32.const 1)) (i32.const -1)) (then (call $exit (i32.const 2))))))"#;
    let limits = Limits { table_elements: 100, ..Limits::default() };
    assert_eq!(run(grows, Sandbox::new().limits(limits)).ending, Ending::Exited(0));
}

fn open_files_are_bounded_and_can_be_opened_again_after_closing() {
    let limits = Limits { open_files: 10, ..Limits::default() };
    let grounds = Grounds::new();
    let sandbox = grounds.sandbox().limits(limits);
    check(sandbox, &[("open-many /ro:file.txt", "ok 10 MFILE"); 2]);
}

fn all_guests_together_have_so_many_files_open_and_no_more() {
    use skrei_runtime::{Config, Runtime};
    let runtime = Runtime::new(Config { open_files_max: 5, ..Config::default() }).unwrap();
    let probe = runtime.load(guest!(probe)).unwrap();
    let grounds = Grounds::new();
    let said = |operations: &[&str]| {
        let outcome = probe.run_blocking(grounds.sandbox().args(operations.iter().copied())).unwrap();
        outcome.stdout.to_string()
    };
    // One that has files open keeps them from another, and not for longer than it is there.
    let (input, end) = tokio::io::duplex(64);
    let hoards = grounds.sandbox().stdin_reader(input).args(["hold /rw:a", "hold /rw:b", "wait"]);
    let (told, heard) = std::sync::mpsc::channel();
    let hoards = hoards.output(std::sync::Arc::new(Told(told)));
    let (module, opens) = (probe.clone(), ["open-many /ro:file.txt"; 2]);
    let hoarding = thread::spawn(move || module.run_blocking(hoards).unwrap());
    heard.recv().and_then(|()| heard.recv()).unwrap();
    let beside = said(&opens);
    drop(end);
    hoarding.join().unwrap();
    for (line, open) in beside.lines().chain(said(&opens).lines()).zip([3, 3, 5, 5]) {
        assert!(line.starts_with(&format!("open-many /ro:file.txt: ok {open} ")), "{line}");
    }
}

fn a_directory_that_is_listed_counts_for_all_that_is_open_of_it() {
    use skrei_runtime::{Config, Runtime};
    let grounds = Grounds::new();
    // It is open and read; a component's listing has it open for itself.
    let enough = if World::current() == World::P1 { 2 } else { 3 };
    for (most, lists) in [(enough - 1, false), (enough, true)] {
        let runtime = Runtime::new(Config { open_files_max: most, ..Config::default() }).unwrap();
        let operations = ["list /ro:dir", "open-many /ro:file.txt"];
        let sandbox = grounds.sandbox().args(operations);
        let outcome = runtime.load(guest!(probe)).unwrap().run_blocking(sandbox).unwrap();
        let said = outcome.stdout.to_string();
        let [listed, opened] = said.lines().collect::<Vec<_>>()[..] else { panic!("{said}") };
        assert_eq!(listed.starts_with("list /ro:dir: ok"), lists, "{most}: {listed}");
        // Neither is for longer than it takes.
        assert!(opened.starts_with(&format!("open-many /ro:file.txt: ok {most} ")), "{most}: {opened}");
    }
}

/// Passes on that a guest wrote something.
pub(crate) struct Told(pub(crate) std::sync::mpsc::Sender<()>);

impl skrei_runtime::OutputSink for Told {
    fn write(&self, _: skrei_runtime::Stream, bytes: &[u8]) {
        // A line may come in parts; whoever listened has gone in the end.
        for _ in bytes.iter().filter(|byte| **byte == b'\n') {
            let _ = self.0.send(());
        }
    }
}

fn a_guest_that_spins_ends_at_its_processor_time_and_one_that_sleeps_does_not() {
    let limit = Duration::from_millis(60);
    let limits = || Limits { cpu_time: Some(limit), ..Limits::default() };
    let outcome = run(guest!(spin), Sandbox::new().limits(limits()));
    assert_eq!(outcome.ending, Ending::HitLimit(Limit::CpuTime));
    assert!(outcome.usage.cpu_time >= limit, "{:?}", outcome.usage);
    assert!(outcome.usage.cpu_time < limit + LATE_MAX, "{:?}", outcome.usage);
    let outcome = run(guest!(sleep), Sandbox::new().arg("150").limits(limits()));
    assert_eq!(outcome.ending, Ending::Exited(0));
    assert!(outcome.usage.cpu_time < limit, "{:?}", outcome.usage);
}

#[test]
fn a_guest_that_computes_little_by_little_ends_at_its_processor_time_too() {
    let yields = br#"(module
        (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "_start") (loop (drop (call $yield)) (br 0))))"#;
    let limits = Limits { cpu_time: Some(Duration::from_millis(60)), ..Limits::default() };
    assert_eq!(run(yields, Sandbox::new().limits(limits)).ending, Ending::HitLimit(Limit::CpuTime));
}

fn many_more_guests_that_spin_than_cores_all_end_by_their_own_clock() {
    let module = load(guest!(spin));
    let limit = Duration::from_millis(500);
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let module = module.clone();
            thread::spawn(move || module.run_blocking(Sandbox::new().limits(wall_time(limit))).unwrap())
        })
        .collect();
    for thread in threads {
        let outcome = thread.join().unwrap();
        assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime));
        assert!(outcome.usage.wall_time < limit + 4 * LATE_MAX, "{:?}", outcome.usage.wall_time);
    }
}

fn a_run_that_waits_for_a_place_begins_when_there_is_one_and_can_be_cancelled_before() {
    use skrei_runtime::{Config, Runtime};
    let runtime = Runtime::new(Config { guests_max: 1, ..Config::default() }).unwrap();
    let module = runtime.load(guest!(sleep)).unwrap();
    let token = CancelToken::new();
    let (first, sandbox) = (module.clone(), Sandbox::new().arg("60000").cancel(token.clone()));
    let running = thread::spawn(move || first.run_blocking(sandbox).unwrap());
    thread::sleep(Duration::from_millis(50));
    let impatient = CancelToken::new();
    let (second, sandbox) = (module.clone(), Sandbox::new().arg("0").cancel(impatient.clone()));
    let waiting = thread::spawn(move || second.run_blocking(sandbox).unwrap());
    impatient.cancel();
    assert_eq!(waiting.join().unwrap().ending, Ending::Cancelled);
    let patient = thread::spawn(move || module.run_blocking(Sandbox::new().arg("0")).unwrap());
    thread::sleep(Duration::from_millis(50));
    assert!(!patient.is_finished());
    token.cancel();
    assert_eq!(running.join().unwrap().ending, Ending::Cancelled);
    assert_eq!(patient.join().unwrap().ending, Ending::Exited(0));
}

fn more_guests_at_once_than_allowed_are_refused_as_busy() {
    use skrei_runtime::{Config, Error, Runtime};
    let runtime = Runtime::new(Config { guests_max: 1, guests_queued_max: 0, ..Config::default() }).unwrap();
    let module = runtime.load(guest!(sleep)).unwrap();
    let token = CancelToken::new();
    let (first, sandbox) = (module.clone(), Sandbox::new().arg("60000").cancel(token.clone()));
    let running = thread::spawn(move || first.run_blocking(sandbox).unwrap());
    thread::sleep(Duration::from_millis(100));
    let refused = module.run_blocking(Sandbox::new().arg("0")).unwrap_err();
    assert!(matches!(refused, Error::Busy), "{refused:?}");
    token.cancel();
    assert_eq!(running.join().unwrap().ending, Ending::Cancelled);
    assert_eq!(module.run_blocking(Sandbox::new().arg("0")).unwrap().ending, Ending::Exited(0));
}
