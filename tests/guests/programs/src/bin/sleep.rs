use std::time::Duration;

fn main() {
    let millis = std::env::args().nth(1).and_then(|millis| millis.parse().ok()).expect("milliseconds");
    std::thread::sleep(Duration::from_millis(millis));
    println!("awake");
}
