//! Doing one thing over and over while somebody else changes the tree.

use std::time::{Duration, Instant};

use crate::opens::{TO_CREATE, TO_READ, close, open};
use crate::{Result, descriptors, place};

pub fn perform(words: &[&str]) -> Option<Result> {
    let (&millis, operation) = words[1..].split_last()?;
    let end = Instant::now() + Duration::from_millis(millis.parse().ok()?);
    let mut tries = 0_u32;
    let mut successes = 0_u32;
    while Instant::now() < end {
        tries += 1;
        let result = match (words[0], operation) {
            // Reports what it read as soon as it reads what it must not.
            ("hammer-read", [path, secret]) => match open(path, TO_READ).and_then(descriptors::read_all) {
                Ok(contents) if contents.contains(secret) => {
                    return Some(Ok(format!("LEAKED after {tries}")));
                }
                result => result,
            },
            ("hammer-write", [path]) => open(path, TO_CREATE).and_then(|fd| {
                let written = descriptors::write(fd, b"planted");
                close(fd)?;
                written
            }),
            ("hammer-mkdir", [path]) => {
                let (fd, path) = place(path);
                unsafe { wasi::path_create_directory(fd, path) }.map(|()| String::new())
            }
            ("hammer-rename", [old, new]) => {
                let ((fd, old), (to, new)) = (place(old), place(new));
                let there = unsafe { wasi::path_rename(fd, old, to, new) };
                let _ = unsafe { wasi::path_rename(to, new, fd, old) };
                there.map(|()| String::new())
            }
            ("hammer-unlink", [path]) => {
                let (fd, path) = place(path);
                unsafe { wasi::path_unlink_file(fd, path) }.map(|()| String::new())
            }
            _ => return None,
        };
        successes += u32::from(result.is_ok());
    }
    Some(Ok(format!("{tries} tries {successes} successes")))
}
