use std::io::Write;

fn main() -> std::io::Result<()> {
    let path = std::env::args().nth(1).expect("a file");
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(b"ran\n")
}
