//! Taking space on the disk, and keeping it.

use std::sync::Mutex;

use crate::opens::{How, TO_CREATE, WRITE, open};
use crate::{Result, place};

/// Descriptors kept open until they are let go.
static HELD: Mutex<Vec<wasi::Fd>> = Mutex::new(Vec::new());

pub fn perform(words: &[&str]) -> Option<Result> {
    Some(match words {
        // As many bytes at an offset, or to the end, as are let: how many, and what the rest was refused with.
        ["fill", path, offset, bytes] => {
            let offset: u64 = offset.parse().expect("an offset");
            with(path, TO_CREATE, |fd| {
                Ok(fill(bytes, |at, buffer| unsafe { wasi::fd_pwrite(fd, buffer, offset + at) }))
            })
        }
        ["extend", path, bytes] => {
            let how = How(1, wasi::OFLAGS_CREAT, WRITE, wasi::FDFLAGS_APPEND);
            with(path, how, |fd| Ok(fill(bytes, |_, buffer| unsafe { wasi::fd_write(fd, buffer) })))
        }
        // The same through the descriptor's own position, in buffers of odd sizes.
        ["stream", path, bytes] => {
            with(path, TO_CREATE, |fd| Ok(fill(bytes, |_, buffer| unsafe { wasi::fd_write(fd, buffer) })))
        }
        ["hold", path] => open(path, TO_CREATE).map(|fd| {
            HELD.lock().expect("one thread").push(fd);
            String::new()
        }),
        ["fill-held", bytes] => {
            let fd = *HELD.lock().expect("one thread").last().expect("a held descriptor");
            Ok(fill(bytes, |at, buffer| unsafe { wasi::fd_pwrite(fd, buffer, at) }))
        }
        ["let-go"] => {
            HELD.lock().expect("one thread").drain(..).for_each(|fd| unsafe { drop(wasi::fd_close(fd)) });
            Ok(String::new())
        }
        // Until standard input ends.
        ["wait"] => {
            std::io::copy(&mut std::io::stdin(), &mut std::io::sink()).expect("standard input");
            Ok(String::new())
        }
        // Until it is refused.
        ["make-many", path] => Ok(count(|number| {
            let fd = open(&format!("{path}{number}"), TO_CREATE)?;
            unsafe { wasi::fd_close(fd) }
        })),
        ["mkdir-many", path] => Ok(count(|number| {
            let path = format!("{path}{number}");
            let (fd, path) = place(&path);
            unsafe { wasi::path_create_directory(fd, path) }
        })),
        ["link-many", old, path] => Ok(count(|number| {
            let path = format!("{path}{number}");
            let ((fd, old), (to, path)) = (place(old), place(&path));
            unsafe { wasi::path_link(fd, 0, old, to, path) }
        })),
        // Write, hold, remove, again: what is removed stays on the disk as long as it is open.
        ["hoard", path, bytes] => Ok(count(|number| {
            let path = format!("{path}{number}");
            let fd = open(&path, TO_CREATE)?;
            HELD.lock().expect("one thread").push(fd);
            let (dir, name) = place(&path);
            let filled = fill(bytes, |at, buffer| unsafe { wasi::fd_pwrite(fd, buffer, at) });
            unsafe { wasi::path_unlink_file(dir, name) }?;
            if filled.contains(' ') { Err(wasi::ERRNO_DQUOT) } else { Ok(()) }
        })),
        _ => return None,
    })
}

fn with(path: &str, how: How, operation: impl FnOnce(wasi::Fd) -> Result) -> Result {
    let fd = open(path, how)?;
    let result = operation(fd);
    unsafe { wasi::fd_close(fd) }?;
    result
}

fn fill(bytes: &str, mut write: impl FnMut(u64, &[wasi::Ciovec]) -> Result<usize>) -> String {
    let bytes: u64 = bytes.parse().expect("bytes");
    let chunk = [b'x'; 4096];
    let mut done = 0;
    while done < bytes {
        let wanted = (bytes - done).min(4096) as usize;
        let (first, second) = chunk[..wanted].split_at(wanted.min(1000));
        let buffers = [first, second].map(|part| wasi::Ciovec { buf: part.as_ptr(), buf_len: part.len() });
        match write(done, &buffers) {
            Ok(written) => done += written as u64,
            Err(errno) => return format!("{done} {}", errno.name()),
        }
    }
    done.to_string()
}

/// How often it can be done, and what refused it then.
fn count(mut operation: impl FnMut(u32) -> Result<()>) -> String {
    for number in 0..10_000 {
        if let Err(errno) = operation(number) {
            return format!("{number} {}", errno.name());
        }
    }
    "without end".to_owned()
}
