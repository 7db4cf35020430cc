//! Works off what is put into a directory: each file is counted, and goes to another directory with its count.
//!
//! WASI has no call that waits for a directory to change, so it is looked at now and then.

use std::{fs, path::Path, thread, time::Duration};

#[skrei::main]
fn main(inbox: String, done: String, every_ms: Option<u64>) -> skrei::Result {
    let pause = Duration::from_millis(every_ms.unwrap_or(1000));
    let mut worked_off = 0_u64;
    loop {
        let mut files: Vec<_> = fs::read_dir(&inbox)?.collect::<Result<_, _>>()?;
        files.sort_by_key(|file| file.file_name());
        for file in files {
            let name = file.file_name().to_string_lossy().into_owned();
            // What is still being written has another name by convention.
            if name.starts_with('.') || !file.file_type()?.is_file() {
                continue;
            }
            let text = fs::read_to_string(file.path())?;
            let count = format!("{} lines, {} words\n", text.lines().count(), text.split_whitespace().count());
            skrei::files::write_atomic(Path::new(&done).join(&name), count.as_bytes())?;
            // Gone only once its count is on the disk: a daemon that is stopped here does it again.
            fs::remove_file(file.path())?;
            worked_off += 1;
            skrei::log::info("worked off", &[("file", &name), ("count", &count.trim())]);
            skrei::progress(0.0, &format!("{worked_off} worked off"));
        }
        thread::sleep(pause);
    }
}
