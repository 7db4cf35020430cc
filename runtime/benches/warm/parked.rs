//! What a guest costs that does nothing: a thousand of them sleep at once.

use std::error::Error;
use std::time::Duration;

use skrei_runtime::{CancelToken, Config, Ending, Runtime, Sandbox};

const GUESTS: usize = 1000;

/// Long enough for all to have fallen asleep.
const SETTLE: Duration = Duration::from_secs(2);

pub(crate) fn print(guests: &[(&str, &[u8])]) -> Result<(), Box<dyn Error>> {
    println!("\n{:<26}{:>14}", "1000 guests at once", "each, KiB");
    let executor = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    for (name, sleep) in guests {
        let runtime = Runtime::new(Config::default())?;
        let module = runtime.load(sleep)?;
        let before = resident_bytes()?;
        let token = CancelToken::new();
        let held = executor.block_on(async {
            let sleeping: Vec<_> = (0..GUESTS)
                .map(|_| {
                    let (module, token) = (module.clone(), token.clone());
                    let sandbox = Sandbox::new().arg("600000").cancel(token);
                    tokio::spawn(async move { module.run(sandbox).await.map(|outcome| outcome.ending) })
                })
                .collect();
            tokio::time::sleep(SETTLE).await;
            let held = resident_bytes();
            token.cancel();
            for guest in sleeping {
                let ending = guest.await.expect("no panic").expect("a run");
                assert_eq!(ending, Ending::Cancelled, "it slept");
            }
            held
        })?;
        println!("{name:<26}{:>14.0}", held.saturating_sub(before) as f64 / GUESTS as f64 / 1024.0);
    }
    Ok(())
}

/// Memory of this process that is there, as the kernel counts it.
fn resident_bytes() -> std::io::Result<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm")?;
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    Ok(pages * rustix::param::page_size() as u64)
}
