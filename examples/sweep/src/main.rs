//! One point of a sweep: how often a walk that goes up with a given chance comes to the top before it comes to the bottom.

/// Where a walk ends, both ways.
const EDGE: i32 = 10;

#[skrei::main]
fn main(chance: f64, walks: u32) -> skrei::Result {
    if !(0.0..=1.0).contains(&chance) {
        return Err("`chance` is not between 0 and 1".into());
    }
    // Each part of the batch draws other numbers, and the same ones again when it is repeated.
    let partition = skrei::Job::current().map_or(0, |job| job.partition);
    let mut draw = Draw(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(u64::from(partition) + 1));
    let mut tops = 0;
    for walk in 0..walks {
        if walk % (walks / 20).max(1) == 0 {
            skrei::progress(f64::from(walk) / f64::from(walks), "walking");
        }
        let mut place = 0_i32;
        while place.abs() < EDGE {
            place += if draw.next() < chance { 1 } else { -1 };
        }
        tops += u32::from(place == EDGE);
    }
    let share = f64::from(tops) / f64::from(walks.max(1));
    println!("chance {chance}: {share:.3}");
    skrei::value("chance", chance);
    skrei::value("share", share);
    Ok(())
}

/// Numbers from 0 to 1 (xorshift).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
