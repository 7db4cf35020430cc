#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| skrei_fuzz::network(data));
