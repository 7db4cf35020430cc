//! Counts the lines of all logs in a directory that have a word in them, and keeps those lines.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

#[skrei::main]
fn main(word: String, logs: Option<String>, out: Option<String>) -> skrei::Result {
    let logs = logs.unwrap_or_else(|| "/logs".to_owned());
    let mut files: Vec<_> = fs::read_dir(&logs)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "log"));
    files.sort();

    let mut kept = out.map(|out| File::create(Path::new(&out).join("lines.txt"))).transpose()?.map(BufWriter::new);
    let (mut lines, mut hits) = (0_u64, 0_u64);
    for (done, path) in files.iter().enumerate() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        skrei::progress(done as f64 / files.len() as f64, &name);
        // Line by line: a log is larger than a guest's memory.
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            let line = String::from_utf8_lossy(&line?).into_owned();
            lines += 1;
            if line.contains(&word) {
                hits += 1;
                if let Some(kept) = &mut kept {
                    writeln!(kept, "{name}: {line}")?;
                }
            }
        }
    }
    if let Some(mut kept) = kept {
        kept.flush()?;
    }
    println!("{hits} of {lines} lines in {} files have `{word}`", files.len());
    skrei::value("files", files.len());
    skrei::value("lines", lines);
    skrei::value("hits", hits);
    Ok(())
}
