//! What a guest learns of time and chance, and of who sits before it.

use std::io::IsTerminal as _;

use crate::Result;

pub fn perform(words: &[&str]) -> Option<Result> {
    Some(match words {
        ["random", bytes] => {
            let mut buffer = vec![0; bytes.parse().expect("bytes")];
            let filled = unsafe { wasi::random_get(buffer.as_mut_ptr(), buffer.len()) };
            filled.map(|()| buffer.iter().map(|byte| format!("{byte:02x}")).collect())
        }
        // In microseconds, for nanoseconds say more than anybody promised.
        ["time"] => clock(wasi::CLOCKID_REALTIME),
        ["monotonic"] => clock(wasi::CLOCKID_MONOTONIC),
        ["sleep", millis] => {
            std::thread::sleep(std::time::Duration::from_millis(millis.parse().expect("milliseconds")));
            Ok(String::new())
        }
        ["terminals"] => {
            let (stdin, stdout) = (std::io::stdin().is_terminal(), std::io::stdout().is_terminal());
            Ok(format!("{stdin} {stdout} {}", std::io::stderr().is_terminal()))
        }
        ["sleep-for-ever"] => loop {
            std::thread::sleep(std::time::Duration::from_secs(1));
        },
        _ => return None,
    })
}

fn clock(id: wasi::Clockid) -> Result {
    unsafe { wasi::clock_time_get(id, 1) }.map(|nanos| (nanos / 1000).to_string())
}
