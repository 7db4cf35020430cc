fn main() {
    for argument in std::env::args() {
        println!("arg: {argument}");
    }
    for (name, value) in std::env::vars() {
        println!("env: {name}={value}");
    }
}
