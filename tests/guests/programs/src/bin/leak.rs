//! A guest that tells what it was given, by mistake or on purpose.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let code = arguments.next().and_then(|code| code.parse().ok()).expect("an exit code");
    for source in arguments {
        let value = match source.strip_prefix('$') {
            Some(name) => std::env::var(name).expect("a variable").into_bytes(),
            None => std::fs::read(&source)?,
        };
        for form in [value.clone(), base64(&value), hex(&value)] {
            println!("{source} has {} bytes:", form.len());
            // A few bytes at a time: no single write has the whole.
            for piece in form.chunks(5) {
                std::io::stdout().write_all(piece)?;
                std::io::stdout().flush()?;
            }
            println!(";");
        }
        eprintln!("{source}: {}", String::from_utf8_lossy(&value));
    }
    println!("told everything");
    std::process::exit(code)
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

fn base64(bytes: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = |group: &[u8]| {
        let bits = group.iter().chain([&0, &0]).take(3).fold(0, |bits: u32, byte| bits << 8 | u32::from(*byte));
        let digit = |at: usize| if at <= group.len() { DIGITS[(bits >> (18 - 6 * at) & 63) as usize] } else { b'=' };
        [digit(0), digit(1), digit(2), digit(3)]
    };
    bytes.chunks(3).flat_map(digits).collect()
}
