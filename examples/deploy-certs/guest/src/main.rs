//! Writes `fullchain.pem` and `privkey.pem` into a directory, after checking that they are what they should be.
//!
//! The contents come in the environment (`FULLCHAIN`, `PRIVKEY`), the directory is argument 1. The key's bytes are
//! never printed.

mod pem;

use std::process::ExitCode;

use skrei_sdk::files;

const DIRECTORY_DEFAULT: &str = "/etc/nginx/ssl";

fn main() -> ExitCode {
    let directory = std::env::args().nth(1).unwrap_or_else(|| DIRECTORY_DEFAULT.to_owned());
    match deploy(&directory) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}; nothing was changed");
            ExitCode::FAILURE
        }
    }
}

fn deploy(directory: &str) -> Result<(), String> {
    let fullchain = variable("FULLCHAIN")?;
    let privkey = variable("PRIVKEY")?;
    let certificates = pem::certificates(&fullchain).map_err(|problem| format!("FULLCHAIN {problem}"))?;
    pem::private_key(&privkey).map_err(|problem| format!("PRIVKEY {problem}"))?;

    // The key changes last: whatever waits for the pair to be whole watches for it.
    let pair = [("fullchain.pem", fullchain.as_bytes()), ("privkey.pem", privkey.as_bytes())];
    files::install(directory, &pair).map_err(|error| format!("cannot write {error}"))?;
    println!("wrote {directory}/fullchain.pem ({certificates}, {} bytes)", fullchain.len());
    println!("wrote {directory}/privkey.pem (private key, {} bytes)", privkey.len());
    println!("both files are in place");
    Ok(())
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name).map_err(|_| format!("the variable {name} is missing"))
}
