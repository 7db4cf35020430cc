//! Performs file operations with raw preview 1 calls, so that the exact error numbers are seen.
//!
//! Each argument is one operation: a word, then its operands. A path is written `PREOPEN:PATH`, such as
//! `/data:notes.txt`. For each, one line `operation: ok` or `operation: ERRNO`, `ok` followed by what was read.

mod descriptors;
mod opens;
mod paths;
mod preopens;
mod races;
mod senses;
mod space;

type Result<T = String> = std::result::Result<T, wasi::Errno>;

fn main() {
    for operation in std::env::args().skip(1) {
        let words: Vec<&str> = operation.split(' ').collect();
        let result = match perform(&words) {
            Ok(seen) if seen.is_empty() => "ok".to_owned(),
            Ok(seen) => format!("ok {seen}"),
            Err(errno) => errno.name().to_owned(),
        };
        println!("{operation}: {result}");
    }
}

fn perform(words: &[&str]) -> Result {
    let done = preopens::perform(words)
        .or_else(|| opens::perform(words))
        .or_else(|| descriptors::perform(words))
        .or_else(|| paths::perform(words))
        .or_else(|| senses::perform(words))
        .or_else(|| space::perform(words))
        .or_else(|| races::perform(words));
    done.unwrap_or_else(|| panic!("no such operation: {words:?}"))
}

/// The descriptor of a preopen, and the path relative to it.
fn place(operand: &str) -> (wasi::Fd, &str) {
    let (preopen, path) = operand.split_once(':').expect("PREOPEN:PATH");
    (preopens::find(preopen).unwrap_or_else(|| panic!("no preopen {preopen}")), path)
}
