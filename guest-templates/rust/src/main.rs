//! Greets everybody in a file.

use std::{fs, path::PathBuf};

/// Where the job puts the names.
const NAMES: &str = "/in/names.txt";

#[skrei::main]
fn main(greeting: Option<String>, names: Option<PathBuf>) -> skrei::Result {
    let path = names.unwrap_or_else(|| NAMES.into());
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let greetings = greetings(&text, greeting.as_deref().unwrap_or("Hello"));
    for (done, greeting) in greetings.iter().enumerate() {
        skrei::progress(done as f64 / greetings.len() as f64, greeting);
        println!("{greeting}");
    }
    skrei::value("greeted", greetings.len());
    Ok(())
}

fn greetings(names: &str, greeting: &str) -> Vec<String> {
    let names = names.lines().map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| format!("{greeting}, {name}!")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn empty_lines_are_nobody() {
        assert_eq!(super::greetings("Ada\n\n Grace \n", "Hi"), ["Hi, Ada!", "Hi, Grace!"]);
    }
}
