//! Randomness.

use wasmtime_wasi::p3::bindings::random::{insecure, insecure_seed, random};

use crate::guest::Guest;

/// Bytes given at a time: a guest that wants more asks again.
const BYTES_MAX: u64 = 64 << 10;

impl random::Host for Guest {
    fn get_random_bytes(&mut self, most: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(most.min(BYTES_MAX))
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

// What is good for keys is good for everything.

impl insecure::Host for Guest {
    fn get_insecure_random_bytes(&mut self, most: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(most.min(BYTES_MAX))
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_u64()
    }
}

impl insecure_seed::Host for Guest {
    fn get_insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.hash_seed()
    }
}
