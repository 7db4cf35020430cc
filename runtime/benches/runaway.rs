//! A thousand guests that never end, at once: how late each is stopped, and what a timer beside them feels.
//!
//! A quarter each spins, sleeps, waits for input and takes memory, each on a thread of its own and with one second
//! to live. Printed are the times by which guests outlived their limit and by which a timer of 5 ms in the same
//! process was late; the goals are 100 ms at most and 50 ms at p99.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use skrei_runtime::{Config, Ending, Limit, Limits, Runtime, Sandbox};

const GUESTS: usize = 1000;
const LIMIT: Duration = Duration::from_secs(1);
const TIMER: Duration = Duration::from_millis(5);

/// Takes memory until it gets no more, then spins.
const GROW: &str = r#"(module (memory (export "memory") 1)
    (func (export "_start")
        (loop $grow (br_if $grow (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (loop (br 0))))"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = Runtime::new(Config::default())?;
    let spin = runtime.load(skrei_test_guests::spin())?;
    let sleep = runtime.load(skrei_test_guests::sleep())?;
    let echo = runtime.load(skrei_test_guests::echo())?;
    let grow = runtime.load(GROW.as_bytes())?;
    let ended = AtomicBool::new(false);

    let (mut guests, mut timer) = (Vec::new(), Vec::new());
    thread::scope(|scope| {
        let beside = scope.spawn(|| lateness_of_timer(&ended));
        let running: Vec<_> = (0..GUESTS)
            .map(|number| {
                let (module, kind) = [&spin, &sleep, &echo, &grow]
                    .map(Clone::clone)
                    .into_iter()
                    .zip(0..)
                    .nth(number % 4)
                    .expect("four kinds");
                scope.spawn(move || {
                    let (_writer, reader) = tokio::io::duplex(64);
                    let limits =
                        Limits { wall_time: Some(LIMIT), memory_bytes: 4 << 20, ..Limits::default() };
                    let sandbox = Sandbox::new().arg("60000").stdin_reader(reader).limits(limits);
                    let outcome = module.run_blocking(sandbox).expect("run the guest");
                    assert_eq!(outcome.ending, Ending::HitLimit(Limit::WallTime), "kind {kind}");
                    outcome.usage.wall_time - LIMIT
                })
            })
            .collect();
        guests = running.into_iter().map(|guest| guest.join().expect("a guest's thread")).collect();
        ended.store(true, Ordering::Relaxed);
        timer = beside.join().expect("the timer's thread");
    });
    println!("{:<36}{:>9}{:>9}{:>9}", "late, in ms", "p50", "p99", "most");
    print("a guest's end after its limit", guests);
    print("a timer of 5 ms beside them", timer);
    Ok(())
}

fn lateness_of_timer(ended: &AtomicBool) -> Vec<Duration> {
    let mut late = Vec::new();
    while !ended.load(Ordering::Relaxed) {
        let due = Instant::now() + TIMER;
        thread::sleep(TIMER);
        late.push(due.elapsed());
    }
    late
}

fn print(what: &str, mut late: Vec<Duration>) {
    late.sort_unstable();
    let at = |percent: usize| late[(late.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    println!("{what:<36}{:>9.1}{:>9.1}{:>9.1}", at(50), at(99), at(100));
}
