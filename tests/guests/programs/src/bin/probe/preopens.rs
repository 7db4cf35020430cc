//! What the guest was given.

use crate::Result;

pub fn perform(words: &[&str]) -> Option<Result> {
    match words {
        ["preopens"] => Some(Ok(all().map(|(_, path)| path).collect::<Vec<_>>().join(" "))),
        // Whether the directory would let a C library ask for writing.
        ["passes-on-write", preopen] => {
            let fd = find(preopen).expect("a preopen");
            let stat = unsafe { wasi::fd_fdstat_get(fd) };
            Some(stat.map(|stat| (stat.fs_rights_inheriting & wasi::RIGHTS_FD_WRITE != 0).to_string()))
        }
        _ => None,
    }
}

pub fn find(path: &str) -> Option<wasi::Fd> {
    all().find(|(_, preopen)| preopen == path).map(|(fd, _)| fd)
}

fn all() -> impl Iterator<Item = (wasi::Fd, String)> {
    (3..).map_while(|fd| {
        let stat = unsafe { wasi::fd_prestat_get(fd) }.ok()?;
        let mut name = vec![0; unsafe { stat.u.dir.pr_name_len }];
        unsafe { wasi::fd_prestat_dir_name(fd, name.as_mut_ptr(), name.len()) }.ok()?;
        Some((fd, String::from_utf8(name).ok()?))
    })
}
