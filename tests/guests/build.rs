//! Compiles the guest programs and writes the functions that hand out their bytes.

use std::fmt::Write as _;
use std::path::PathBuf;

use skrei_guest_build::{Guest, Target};

/// Every program in `programs/src/bin`, with what it does: the documentation of its function.
const PROGRAMS: &[(&str, &str)] = &[
    ("append", "Appends the line `ran` to the file its first argument names."),
    (
        "chatter",
        "Writes as many bytes as its first argument says to the stream its second names (`stdout` or `stderr`).",
    ),
    (
        "connect",
        "Opens a connection to the address and port in its first argument, and says what comes of it; with the argument `listen` before it, waits there for one. With `many`, says how many sockets (or, with `listeners`, that others may call) it can have at once, twice. With `accept` before the address, takes as many calls there as it can; on WASI 0.3 it sends back to each what comes. There, `keep WHAT` before it connects as often as it can, twice, and keeps only the streams, and `receive-for-ever` asks a socket for its stream without end.",
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
    (
        "leak",
        "Writes what is in the files and variables (`$NAME`) its arguments name, plain, in base64 and hexadecimal, a few bytes at a time; then exits with the code in its first.",
    ),
    ("noop", "Prints `hello` and returns."),
    (
        "probe",
        "Performs the file operations given as arguments with raw preview 1 calls and prints one `operation: ok` or `operation: ERRNO` a line.",
    ),
    (
        "request",
        "Makes the HTTP request in its arguments (method, URL, a header, body) with `wasi:http` and prints the status, the headers, an empty line and the body, or the error. With the method `hold`, says how many answers it can have at once, and why no more; with `words`, whether a request takes a method and a host of so many bytes; on WASI 0.3 with `abort`, what comes of a request that is given up, with `trail`, of one with a trailer, and with `transmit`, of a request and of its transmission.",
    ),
    ("sleep", "Sleeps as many milliseconds as its first argument says, then prints `awake`."),
    ("spin", "Loops for ever without a host call."),
    ("trap", "Executes `unreachable`, three calls deep."),
];

/// Those that call what only preview 1 has.
const P1_ONLY: &[&str] = &["fetch"];

/// Those that call what only components have.
const COMPONENTS_ONLY: &[&str] = &["request"];

fn main() {
    let mut code = String::new();
    functions(&mut code, Target::Wasip1);
    code.push_str("/// The same programs as components on WASI 0.2.\npub mod p2 {\n");
    functions(&mut code, Target::Wasip2);
    code.push_str("}\n/// Some of them as components on WASI 0.3.\npub mod p3 {\n");
    p3_functions(&mut code);
    code.push_str("}\n");
    std::fs::write(out_dir().join("programs.rs"), code).expect("write into OUT_DIR");
}

fn out_dir() -> PathBuf {
    std::env::var_os("OUT_DIR").expect("OUT_DIR, which cargo sets").into()
}

/// Those that `programs-p3` can be.
const P3: &[&str] = &[
    "append", "chatter", "connect", "echo", "env", "exit", "grow", "noop", "probe", "request", "sleep",
    "spin", "trap",
];

/// Those that only it can be.
const P3_ONLY: &[(&str, &str)] = &[
    ("fail", "Returns an error."),
    (
        "relay",
        "Connects to the address and port in its first argument, and sends back what comes until it ends.",
    ),
    (
        "pipe",
        "Connects the stream of the file (or `stdin`) its first argument names to that of the file (or `stdout`) its second names, and waits until all has gone through.",
    ),
];

/// Where the component finds which program it is: this, and spaces.
const P3_NAME: &[u8; 32] = b"@program:                       ";

/// A function for each program: the one component, with the program's name written into its bytes.
fn p3_functions(code: &mut String) {
    let modules = Guest::new("programs-p3").target(Target::Wasip2).build();
    let component = std::fs::read(modules.path("skrei_test_programs_p3")).expect("read the component");
    let at =
        component.windows(P3_NAME.len()).position(|bytes| bytes == P3_NAME).expect("a place for the name");
    for (name, purpose) in PROGRAMS.iter().filter(|(name, _)| P3.contains(name)).chain(P3_ONLY) {
        let mut component = component.clone();
        component[at + 9..][..name.len()].copy_from_slice(name.as_bytes());
        let path = out_dir().join(name).with_extension("p3.wasm");
        std::fs::write(&path, component).expect("write into OUT_DIR");
        write!(code, "/// {purpose}\npub fn {name}() -> &'static [u8] {{ include_bytes!({path:?}) }}\n")
            .expect("write to a string");
    }
}

/// A function for each program, with its bytes for one target.
fn functions(code: &mut String, target: Target) {
    let missing = if target == Target::Wasip1 { COMPONENTS_ONLY } else { P1_ONLY };
    let all = PROGRAMS.iter().filter(|(name, _)| !missing.contains(name));
    let modules = Guest::new("programs").target(target).bins(all.clone().map(|(name, _)| *name)).build();
    for (name, purpose) in all {
        let path = modules.path(name);
        write!(code, "/// {purpose}\npub fn {name}() -> &'static [u8] {{ include_bytes!({path:?}) }}\n")
            .expect("write to a string");
    }
}
