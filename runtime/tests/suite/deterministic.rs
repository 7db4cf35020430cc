//! Time and randomness that are the same in every run.

use std::time::{Duration, Instant};

use skrei_runtime::{Deterministic, Limits, Sandbox};

use crate::grounds::{attempt, guest, in_each_world, run};

in_each_world! {
    a_sleep_moves_the_clock_and_takes_no_time
    two_runs_see_the_same_and_another_seed_something_else
    a_guest_that_sleeps_for_ever_still_ends_by_the_real_clock
}

const STEPS: [&str; 6] = ["random 12", "time", "monotonic", "sleep 3600000", "time", "random 12"];

fn seen(deterministic: Deterministic) -> Vec<String> {
    attempt(Sandbox::new().deterministic(deterministic), STEPS.into_iter())
}

fn two_runs_see_the_same_and_another_seed_something_else() {
    let one = Deterministic { start: Duration::from_secs(1_000_000), seed: 1, ..Deterministic::default() };
    let first = seen(one);
    assert_eq!(first, seen(one));
    let second = seen(Deterministic { seed: 2, ..one });
    assert_ne!(first[0], second[0]);
    assert_eq!(first[1..5], second[1..5]);
    assert_ne!(first[0], first[5], "the bytes go on");
}

fn a_sleep_moves_the_clock_and_takes_no_time() {
    let began = Instant::now();
    let start = Duration::from_secs(1_000_000);
    let seen = seen(Deterministic { start, step: Duration::ZERO, seed: 0 });
    assert_eq!(
        seen[1..5],
        ["time: ok 1000000000000", "monotonic: ok 0", "sleep 3600000: ok", "time: ok 1003600000000"]
    );
    assert!(began.elapsed() < Duration::from_secs(3600));
}

fn a_guest_that_sleeps_for_ever_still_ends_by_the_real_clock() {
    let limits = Limits { wall_time: Some(Duration::from_millis(100)), ..Limits::default() };
    let sandbox = Sandbox::new().deterministic(Deterministic::default()).limits(limits).arg("sleep-for-ever");
    let outcome = run(guest!(probe), sandbox);
    assert_eq!(outcome.ending.to_string(), "hit the wall time limit");
}
