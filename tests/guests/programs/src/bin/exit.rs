fn main() {
    let code = std::env::args().nth(1).and_then(|code| code.parse().ok()).expect("an exit code");
    println!("exiting with {code}");
    std::process::exit(code);
}
