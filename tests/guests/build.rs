//! Compiles the guest programs and writes the functions that hand out their bytes.

use std::fmt::Write as _;
use std::path::Path;

/// Every program in `programs/src/bin`, with what it does: the documentation of its function.
const PROGRAMS: &[(&str, &str)] = &[
    ("append", "Appends the line `ran` to the file its first argument names."),
    (
        "chatter",
        "Writes as many bytes as its first argument says to the stream its second names (`stdout` or `stderr`).",
    ),
    ("echo", "Copies standard input to standard output until it ends."),
    ("env", "Prints its arguments and environment, one `arg: …` or `env: …` a line."),
    ("exit", "Exits with the code in its first argument, after printing one line."),
    (
        "fetch",
        "Makes the HTTP request in its arguments (method, URL, headers, body, room for headers, room for the body) with `http_request` and prints the result, the status, the headers, an empty line and the body.",
    ),
    (
        "filter",
        "Copies the lines with its first argument in them, of every file of the directory its second names, to the file its third names.",
    ),
    (
        "grow",
        "Takes memory a megabyte at a time until it is refused, says how many it got and returns; with the argument `abort`, treats the refusal as Rust programs do.",
    ),
    ("noop", "Prints `hello` and returns."),
    (
        "probe",
        "Performs the file operations given as arguments with raw preview 1 calls and prints one `operation: ok` or `operation: ERRNO` a line.",
    ),
    ("sleep", "Sleeps as many milliseconds as its first argument says, then prints `awake`."),
    ("spin", "Loops for ever without a host call."),
    ("trap", "Executes `unreachable`, three calls deep."),
];

fn main() {
    let modules = skrei_guest_build::Guest::new("programs").build();
    let mut code = String::new();
    for (name, purpose) in PROGRAMS {
        let path = modules.path(name);
        write!(code, "/// {purpose}\npub fn {name}() -> &'static [u8] {{ include_bytes!({path:?}) }}\n")
            .expect("write to a string");
    }
    let out_dir = std::env::var_os("OUT_DIR").expect("OUT_DIR, which cargo sets");
    std::fs::write(Path::new(&out_dir).join("programs.rs"), code).expect("write into OUT_DIR");
}
