//! Doing one thing over and over while somebody else changes the tree.

use wasip3::clocks::monotonic_clock;

use crate::files::{Result, TO_CREATE, TO_READ, open, place, read_all, write};
use crate::probe::done;

pub async fn perform(words: &[&str]) -> Result {
    let (millis, operation) = words[1..].split_last().expect("milliseconds");
    let end = monotonic_clock::now() + millis.parse::<u64>().expect("milliseconds") * 1_000_000;
    let (mut tries, mut successes) = (0_u32, 0_u32);
    while monotonic_clock::now() < end {
        tries += 1;
        let result = match (words[0], operation) {
            // Reports what it read as soon as it reads what it must not.
            ("hammer-read", [path, secret]) => {
                let read = match open(path, TO_READ).await {
                    Ok(file) => read_all(&file).await,
                    Err(error) => Err(error),
                };
                if read.as_ref().is_ok_and(|contents| contents.contains(secret)) {
                    return Ok(format!("LEAKED after {tries}"));
                }
                read
            }
            ("hammer-write", [path]) => match open(path, TO_CREATE).await {
                Ok(file) => done(write(&file, Some(0), b"planted".to_vec()).await.1),
                Err(error) => Err(error),
            },
            ("hammer-mkdir", [path]) => {
                let (dir, path) = place(path);
                done(dir.create_directory_at(path).await)
            }
            ("hammer-rename", [old, new]) => {
                let ((dir, old), (to, new)) = (place(old), place(new));
                let there = dir.rename_at(old.clone(), &to, new.clone()).await;
                let _ = to.rename_at(new, &dir, old).await;
                done(there)
            }
            ("hammer-unlink", [path]) => {
                let (dir, path) = place(path);
                done(dir.unlink_file_at(path).await)
            }
            _ => panic!("no such operation: {words:?}"),
        };
        successes += u32::from(result.is_ok());
    }
    Ok(format!("{tries} tries {successes} successes"))
}
