//! Telling the host: one JSON object a line, into the file that `SKREI_CHANNEL` names.

use std::{
    fs::File,
    io::Write,
    sync::{Mutex, OnceLock, PoisonError},
};

use crate::ToJson;

/// Names the file. Where it is not set, or the file cannot be opened, lines for people go to standard error.
const VARIABLE: &str = "SKREI_CHANNEL";

/// Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing.
///
/// The latest word counts; a host passes on a few a second. What is no number or out of bounds is brought within.
pub fn progress(fraction: f64, message: &str) {
    let fraction = if fraction.is_finite() { fraction.clamp(0.0, 1.0) } else { 0.0 };
    tell(
        |line| {
            line.push_str("{\"progress\":{\"fraction\":");
            fraction.write_json(line);
            line.push_str(",\"message\":");
            message.write_json(line);
            line.push_str("}}");
        },
        || format!("progress {:.0}% {message}", fraction * 100.0),
    );
}

/// Reports a value under a key: a number, a text, a truth, or a list of these. Of several under one key the latest
/// counts. A host keeps 64 of them, up to 16 KiB together, with what became of the program.
pub fn value(key: &str, value: impl ToJson) {
    let mut text = String::new();
    value.write_json(&mut text);
    value_json(key, &text);
}

/// The same with a value that is JSON already. A host drops what is not.
pub fn value_json(key: &str, value: &str) {
    // One message is one line; in JSON a line feed can stand only between values.
    let value = value.replace(['\n', '\r'], " ");
    tell(
        |line| {
            line.push_str("{\"value\":{\"key\":");
            key.write_json(line);
            line.push_str(",\"value\":");
            line.push_str(&value);
            line.push_str("}}");
        },
        || format!("value {key}={value}"),
    );
}

/// Writes a line to the host, or another to people.
fn tell(message: impl FnOnce(&mut String), spoken: impl FnOnce() -> String) {
    static CHANNEL: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    match CHANNEL.get_or_init(open) {
        Some(channel) => {
            let mut line = String::new();
            message(&mut line);
            line.push('\n');
            let mut channel = channel.lock().unwrap_or_else(PoisonError::into_inner);
            // A host that does not listen any more is no reason to stop working.
            let _ = channel.write_all(line.as_bytes());
        }
        None => crate::log::line(&spoken()),
    }
}

fn open() -> Option<Mutex<File>> {
    let path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
    File::options().append(true).create(true).open(path).ok().map(Mutex::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one test that has the process's channel to itself.
    #[test]
    fn each_message_is_one_line_of_json() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Nothing else in this binary reads or sets the variable, and this is where it is read.
        #[expect(unsafe_code, reason = "no other thread of the test binary looks at this variable")]
        unsafe {
            std::env::set_var(VARIABLE, file.path());
        }
        progress(0.5, "half \"way\"\n");
        progress(f64::NAN, "");
        value("files", 3);
        value("names", ["a", "b"]);
        value_json("map", "{\n\"a\": 1}");
        let told = std::fs::read_to_string(file.path()).unwrap();
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"progress":{"fraction":0.5,"message":"half \"way\"\n"}}"#,
                r#"{"progress":{"fraction":0,"message":""}}"#,
                r#"{"value":{"key":"files","value":3}}"#,
                r#"{"value":{"key":"names","value":["a","b"]}}"#,
                r#"{"value":{"key":"map","value":{ "a": 1}}}"#,
            ]
        );
        assert!(crate::json::is_one_line(&told.lines().collect::<String>()));
    }
}
