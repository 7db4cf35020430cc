//! How often each client may do something.

use std::{
    collections::HashMap,
    mem,
    time::{Duration, Instant},
};

use skrei_tls::Client;

/// A bucket of turns for each client: it holds `burst`, and fills again at a rate.
///
/// Clients are kept in two generations; when the young one is full it becomes the old one, and the old one is
/// forgotten. So the table is bounded, and only who was quiet for long or one of very many begins afresh.
#[derive(Debug)]
pub struct Buckets {
    per_second: f64,
    burst: f64,
    generation_max: usize,
    young: HashMap<Client, Bucket>,
    old: HashMap<Client, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    turns: f64,
    at: Instant,
}

impl Buckets {
    /// Buckets of `burst` turns that fill at `per_second`, for at most `clients_max` clients.
    pub fn new(per_second: f64, burst: f64, clients_max: usize) -> Self {
        let generation_max = (clients_max / 2).max(1);
        Self { per_second, burst, generation_max, young: HashMap::new(), old: HashMap::new() }
    }

    /// Takes a turn.
    ///
    /// # Errors
    /// How long to wait for the next.
    pub fn take(&mut self, client: Client, now: Instant) -> Result<(), Duration> {
        let (per_second, burst) = (self.per_second, self.burst);
        let bucket = self.bucket(client, now);
        let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.turns = (bucket.turns + passed * per_second).min(burst);
        bucket.at = now;
        if bucket.turns < 1.0 {
            let missing = (1.0 - bucket.turns) / per_second;
            return Err(Duration::try_from_secs_f64(missing).unwrap_or(Duration::MAX));
        }
        bucket.turns -= 1.0;
        Ok(())
    }

    /// Gives a turn back that turned out not to count.
    pub fn give_back(&mut self, client: Client, now: Instant) {
        let burst = self.burst;
        let bucket = self.bucket(client, now);
        bucket.turns = (bucket.turns + 1.0).min(burst);
    }

    fn bucket(&mut self, client: Client, now: Instant) -> &mut Bucket {
        if !self.young.contains_key(&client) && self.young.len() >= self.generation_max {
            self.old = mem::take(&mut self.young);
        }
        let before = self.old.remove(&client);
        let fresh = Bucket { turns: self.burst, at: now };
        self.young.entry(client).or_insert_with(|| before.unwrap_or(fresh))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn client(number: u32) -> Client {
        IpAddr::from(number.to_be_bytes()).into()
    }

    #[test]
    fn a_burst_is_followed_by_the_rate_and_others_are_not_held_up() {
        let (mut buckets, start) = (Buckets::new(1.0, 3.0, 100), Instant::now());
        for _ in 0..3 {
            buckets.take(client(1), start).unwrap();
        }
        let wait = buckets.take(client(1), start).unwrap_err();
        assert!(wait <= Duration::from_secs(1) && wait > Duration::from_millis(900), "{wait:?}");
        buckets.take(client(2), start).unwrap();
        buckets.take(client(1), start + Duration::from_secs(1)).unwrap();
        buckets.give_back(client(1), start + Duration::from_secs(1));
        buckets.take(client(1), start + Duration::from_secs(1)).unwrap();
        buckets.take(client(1), start + Duration::from_secs(1)).unwrap_err();
    }

    #[test]
    fn the_table_is_bounded_and_whoever_is_busy_stays_known() {
        let (mut buckets, now) = (Buckets::new(0.001, 1.0, 100), Instant::now());
        buckets.take(client(0), now).unwrap();
        for number in 1..10_000 {
            let _ = buckets.take(client(number), now);
            assert!(buckets.take(client(0), now).is_err(), "{number}");
            assert!(buckets.young.len() + buckets.old.len() <= 100);
        }
    }
}
