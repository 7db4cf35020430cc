use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let total: usize = arguments.next().and_then(|bytes| bytes.parse().ok()).expect("a number of bytes");
    let stderr = arguments.next().is_some_and(|stream| stream == "stderr");
    let mut out: Box<dyn Write> =
        if stderr { Box::new(std::io::stderr()) } else { Box::new(std::io::stdout()) };
    let line = [b'.'; 1000];
    let mut written = 0;
    while written < total {
        let chunk = line.len().min(total - written);
        out.write_all(&line[..chunk])?;
        written += chunk;
    }
    out.flush()
}
