use std::io::{Read, Write};

fn main() -> std::io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        let read = std::io::stdin().read(&mut buffer)?;
        if read == 0 {
            return Ok(());
        }
        std::io::stdout().write_all(&buffer[..read])?;
        std::io::stdout().flush()?;
    }
}
