//! Taking space on the disk, and keeping it.

use std::cell::RefCell;

use wasip3::filesystem::types::{Descriptor, ErrorCode};

use crate::files::{Result, TO_CREATE, open, place, write};
use crate::streams::input;
use crate::{names, probe};

thread_local! {
    /// Descriptors kept open until they are let go.
    static HELD: RefCell<Vec<Descriptor>> = const { RefCell::new(Vec::new()) };
}

pub async fn perform(words: &[&str]) -> Option<Result> {
    Some(match words {
        ["fill", path, offset, bytes] => {
            let offset = offset.parse().expect("an offset");
            match open(path, TO_CREATE).await {
                Ok(file) => Ok(fill(&file, bytes, Some(offset)).await),
                Err(error) => Err(error),
            }
        }
        ["stream", path, bytes] => match open(path, TO_CREATE).await {
            Ok(file) => Ok(fill(&file, bytes, Some(0)).await),
            Err(error) => Err(error),
        },
        ["extend", path, bytes] => match open(path, TO_CREATE).await {
            Ok(file) => Ok(fill(&file, bytes, None).await),
            Err(error) => Err(error),
        },
        ["hold", path] => probe::done(open(path, TO_CREATE).await.map(hold)),
        ["fill-held", bytes] => {
            let file = HELD.with_borrow_mut(Vec::pop).expect("a held descriptor");
            let filled = fill(&file, bytes, Some(0)).await;
            hold(file);
            Ok(filled)
        }
        ["let-go"] => {
            HELD.take();
            Ok(String::new())
        }
        ["wait"] => {
            input(async |_| {}).await;
            Ok(String::new())
        }
        ["make-many", path] => {
            Ok(count(async |number| open(&format!("{path}{number}"), TO_CREATE).await.map(drop)).await)
        }
        ["mkdir-many", path] => {
            let make = async |number| {
                let (dir, path) = place(&format!("{path}{number}"));
                dir.create_directory_at(path).await
            };
            Ok(count(make).await)
        }
        ["link-many", old, path] => {
            let make = async |number| {
                let ((dir, old), (to, path)) = (place(old), place(&format!("{path}{number}")));
                dir.link_at(wasip3::filesystem::types::PathFlags::empty(), old, &to, path).await
            };
            Ok(count(make).await)
        }
        // Write, hold, remove, again: what is removed stays on the disk as long as it is open.
        ["hoard", path, bytes] => {
            let hoard = async |number| {
                let path = format!("{path}{number}");
                let file = open(&path, TO_CREATE).await?;
                let filled = fill(&file, bytes, Some(0)).await;
                hold(file);
                let (dir, name) = place(&path);
                dir.unlink_file_at(name).await?;
                if filled.contains(' ') { Err(ErrorCode::Quota) } else { Ok(()) }
            };
            Ok(count(hoard).await)
        }
        _ => return None,
    })
}

fn hold(file: Descriptor) {
    HELD.with_borrow_mut(|held| held.push(file));
}

/// As many bytes as are let, from an offset on or at the end: how many, and what the rest was refused with.
async fn fill(file: &Descriptor, bytes: &str, offset: Option<u64>) -> String {
    let bytes: u64 = bytes.parse().expect("bytes");
    let mut done = 0;
    while done < bytes {
        let chunk = vec![b'x'; (bytes - done).min(4096) as usize];
        let (written, ended) = write(file, offset.map(|offset| offset + done), chunk).await;
        done += written as u64;
        if let Err(error) = ended {
            return format!("{done} {}", names::name(&error));
        }
    }
    done.to_string()
}

/// How often it can be done, and what refused it then.
async fn count(mut operation: impl AsyncFnMut(u32) -> Result<()>) -> String {
    for number in 0..10_000 {
        if let Err(error) = operation(number).await {
            return format!("{number} {}", names::name(&error));
        }
    }
    "without end".to_owned()
}
