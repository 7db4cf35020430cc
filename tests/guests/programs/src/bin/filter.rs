//! Copies the lines with a word in them from every file of a directory to a file: WORD DIRECTORY FILE.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, word, directory, file] = arguments.as_slice() else { panic!("WORD DIRECTORY FILE") };
    let mut paths: Vec<_> =
        std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.sort();
    let mut matches = std::fs::File::create(file)?;
    let mut count = 0;
    for path in paths {
        let text = std::fs::read_to_string(path)?;
        for line in text.lines().filter(|line| line.contains(word)) {
            writeln!(matches, "{line}")?;
            count += 1;
        }
    }
    println!("{count} lines");
    Ok(())
}
