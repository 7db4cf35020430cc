//! The fuzz targets over their corpora, and over changes of those that are the same in every run.

use std::{fs, path::Path};

#[path = "../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "to cargo-fuzz it is a library")]
mod targets;

/// Runs a target over each file of its corpus, and over so many changed copies of each.
fn run(corpus: &str, changed: u64, target: fn(&[u8])) {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(corpus);
    let mut files: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 3, "{}", directory.display());
    let mut state = 1_u64;
    let mut draw = |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound.max(1)
    };
    for file in files {
        let seed = fs::read(&file).unwrap();
        target(&seed);
        for _ in 0..changed {
            let mut bytes = seed.clone();
            for _ in 0..=draw(4) {
                let at = draw(bytes.len());
                match draw(4) {
                    0 => bytes.truncate(at),
                    1 => bytes.insert(at, draw(256) as u8),
                    2 if !bytes.is_empty() => bytes[at] ^= 1 << draw(8),
                    _ if !bytes.is_empty() => bytes[at] = draw(256) as u8,
                    _ => {}
                }
            }
            target(&bytes);
        }
    }
}

#[test]
fn any_bytes_are_loaded_or_refused_and_run_within_their_limits() {
    run("modules", 40, targets::modules);
}

#[test]
fn the_allow_list_decides_as_a_naive_model_does() {
    run("allow_list", 2000, targets::allow_list);
}

#[test]
fn hosts_and_patterns_are_read_as_they_are_written_and_lead_to_no_private_address() {
    run("network", 2000, targets::network);
}
