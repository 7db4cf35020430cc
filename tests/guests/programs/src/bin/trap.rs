#[inline(never)]
fn outer(depth: u32) {
    if depth > 0 {
        outer(std::hint::black_box(depth - 1));
    } else {
        core::arch::wasm32::unreachable();
    }
    std::hint::black_box(depth);
}

fn main() {
    outer(2);
}
