//! Operations on an open descriptor.

use crate::Result;
use crate::opens::{How, READ, TO_CREATE, TO_READ, WRITE, close, open};

pub fn perform(words: &[&str]) -> Option<Result> {
    Some(match words {
        // On a descriptor opened to read.
        ["write-to-reader", path] => with(path, TO_READ, |fd| write(fd, b"x")),
        ["pwrite-to-reader", path] => with(path, TO_READ, |fd| pwrite(fd, b"x", 0)),
        ["allocate-reader", path] => with(path, TO_READ, |fd| done(unsafe { wasi::fd_allocate(fd, 0, 9) })),
        ["resize-reader", path] => {
            with(path, TO_READ, |fd| done(unsafe { wasi::fd_filestat_set_size(fd, 0) }))
        }
        ["touch-reader", path] => with(path, TO_READ, touch),
        ["append-to-reader", path] => with(path, TO_READ, |fd| {
            unsafe { wasi::fd_fdstat_set_flags(fd, wasi::FDFLAGS_APPEND) }?;
            write(fd, b"x")
        }),
        ["sync-reader", path] => with(path, TO_READ, |fd| done(unsafe { wasi::fd_sync(fd) })),
        // On one opened to write.
        ["write", path, text] => with(path, TO_CREATE, |fd| write(fd, text.as_bytes())),
        ["append", path, text] => {
            with(path, How(1, 0, WRITE, wasi::FDFLAGS_APPEND), |fd| write(fd, text.as_bytes()))
        }
        ["pwrite-to-appender", path, text] => {
            with(path, How(1, 0, WRITE, wasi::FDFLAGS_APPEND), |fd| pwrite(fd, text.as_bytes(), 0))
        }
        ["resize", path, bytes] => with(path, TO_CREATE, |fd| {
            done(unsafe { wasi::fd_filestat_set_size(fd, bytes.parse().expect("bytes")) })
        }),
        ["allocate", path, bytes] => with(path, TO_CREATE, |fd| {
            done(unsafe { wasi::fd_allocate(fd, 0, bytes.parse().expect("bytes")) })
        }),
        ["read-from-writer", path] => with(path, How(1, 0, WRITE, 0), read_all),
        ["sync", path] => with(path, TO_CREATE, |fd| done(unsafe { wasi::fd_sync(fd) })),
        ["datasync", path] => with(path, TO_CREATE, |fd| done(unsafe { wasi::fd_datasync(fd) })),
        // What a descriptor says of itself: `a`ppends, syncs `d`ata or `s`yncs all, can `r`ead, `w`rite, change a `p`ath.
        ["flags", path] => with(path, How(0, 0, 0, 0), flags),
        ["flags-read", path] => with(path, How(0, 0, READ, 0), flags),
        ["flags-write", path] => with(path, How(0, 0, WRITE, 0), flags),
        ["flags-create", path] => with(path, How(0, wasi::OFLAGS_CREAT, 0, 0), flags),
        ["flags-sync", path] => {
            with(path, How(0, 0, WRITE, wasi::FDFLAGS_SYNC | wasi::FDFLAGS_APPEND), |fd| {
                let asked = unsafe { wasi::fd_fdstat_get(fd) }?.fs_flags;
                unsafe { wasi::fd_fdstat_set_flags(fd, asked & !wasi::FDFLAGS_APPEND) }?;
                flags(fd)
            })
        }
        ["flags-preopen", preopen] => flags(crate::place(&format!("{preopen}:.")).0),
        // On a directory.
        ["sync-dir", path] => with(path, DIRECTORY, |fd| done(unsafe { wasi::fd_sync(fd) })),
        ["touch-dir", path] => with(path, DIRECTORY, touch),
        ["read-dir-as-file", path] => with(path, DIRECTORY, read_all),
        ["list", path] => with(path, DIRECTORY, |fd| list(fd, 4096)),
        ["list-slowly", path] => with(path, DIRECTORY, |fd| list(fd, 300)),
        ["list-bad-cookie", path] => with(path, DIRECTORY, |fd| {
            let mut buffer = [0; 64];
            unsafe { wasi::fd_readdir(fd, buffer.as_mut_ptr(), buffer.len(), u64::MAX) }
                .map(|_| String::new())
        }),
        // Until it is refused.
        ["open-many", path] => {
            let opened: Vec<_> =
                std::iter::repeat_with(|| open(path, TO_READ)).take_while(|fd| fd.is_ok()).collect();
            let refused = open(path, TO_READ).expect_err("a bound");
            let count = opened.len();
            opened.into_iter().flatten().for_each(|fd| drop(close(fd)));
            Ok(format!("{count} {}", refused.name()))
        }
        _ => return None,
    })
}

const DIRECTORY: How = How(wasi::LOOKUPFLAGS_SYMLINK_FOLLOW, wasi::OFLAGS_DIRECTORY, 0, 0);

pub fn write(fd: wasi::Fd, bytes: &[u8]) -> Result {
    let buffer = wasi::Ciovec { buf: bytes.as_ptr(), buf_len: bytes.len() };
    unsafe { wasi::fd_write(fd, &[buffer]) }.map(|_| String::new())
}

fn pwrite(fd: wasi::Fd, bytes: &[u8], offset: u64) -> Result {
    let buffer = wasi::Ciovec { buf: bytes.as_ptr(), buf_len: bytes.len() };
    unsafe { wasi::fd_pwrite(fd, &[buffer], offset) }.map(|_| String::new())
}

pub fn read_all(fd: wasi::Fd) -> Result {
    let mut contents = Vec::new();
    let mut chunk = [0; 256];
    loop {
        let buffer = wasi::Iovec { buf: chunk.as_mut_ptr(), buf_len: chunk.len() };
        let read = unsafe { wasi::fd_read(fd, &[buffer]) }?;
        if read == 0 {
            return Ok(String::from_utf8_lossy(&contents).into_owned());
        }
        contents.extend_from_slice(&chunk[..read]);
    }
}

fn flags(fd: wasi::Fd) -> Result {
    let stat = unsafe { wasi::fd_fdstat_get(fd) }?;
    let said = [
        (stat.fs_flags & wasi::FDFLAGS_APPEND != 0, 'a'),
        (stat.fs_flags & wasi::FDFLAGS_DSYNC != 0, 'd'),
        (stat.fs_flags & wasi::FDFLAGS_SYNC != 0, 's'),
        (stat.fs_rights_base & wasi::RIGHTS_FD_READ != 0, 'r'),
        (stat.fs_rights_base & wasi::RIGHTS_FD_WRITE != 0, 'w'),
        (stat.fs_rights_base & wasi::RIGHTS_PATH_FILESTAT_SET_SIZE != 0, 'p'),
    ];
    Ok(said.iter().filter(|(is_so, _)| *is_so).map(|(_, letter)| letter).collect())
}

fn touch(fd: wasi::Fd) -> Result {
    done(unsafe { wasi::fd_filestat_set_times(fd, 0, 0, wasi::FSTFLAGS_MTIM) })
}

/// The names in a directory, sorted, read with a buffer of the given size.
fn list(fd: wasi::Fd, buffer_bytes: usize) -> Result {
    const HEADER: usize = size_of::<wasi::Dirent>();
    let mut names = Vec::new();
    let mut buffer = vec![0; buffer_bytes];
    let mut cookie = wasi::DIRCOOKIE_START;
    loop {
        let used = unsafe { wasi::fd_readdir(fd, buffer.as_mut_ptr(), buffer.len(), cookie) }?;
        let mut left = &buffer[..used];
        while left.len() >= HEADER {
            let entry: wasi::Dirent = unsafe { left.as_ptr().cast::<wasi::Dirent>().read_unaligned() };
            let Some(name) = left.get(HEADER..HEADER + entry.d_namlen as usize) else { break };
            names.push(String::from_utf8_lossy(name).into_owned());
            cookie = entry.d_next;
            left = &left[HEADER + name.len()..];
        }
        if used < buffer.len() {
            names.sort();
            return Ok(names.join(" "));
        }
    }
}

fn with(path: &str, how: How, operation: impl FnOnce(wasi::Fd) -> Result) -> Result {
    let fd = open(path, how)?;
    let result = operation(fd);
    close(fd)?;
    result
}

fn done(result: Result<()>) -> Result {
    result.map(|()| String::new())
}
