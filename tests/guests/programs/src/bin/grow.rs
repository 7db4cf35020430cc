const MEGABYTE: usize = 1 << 20;

fn main() {
    let abort = std::env::args().nth(1).is_some_and(|argument| argument == "abort");
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        let mut block = Vec::new();
        if abort {
            block.reserve_exact(MEGABYTE);
        } else if block.try_reserve_exact(MEGABYTE).is_err() {
            break;
        }
        block.resize(MEGABYTE, 1_u8);
        taken.push(std::hint::black_box(block));
    }
    let megabytes = taken.len();
    drop(taken);
    println!("took {megabytes} MB");
}
