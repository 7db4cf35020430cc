//! Random operations against the simplest model of a quota: the tree itself.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use skrei_runtime::{Mode, Mount, Quota, Sandbox};

use crate::grounds::{attempt, in_each_world};

in_each_world! {
    what_counts_is_what_the_tree_holds_after_any_operations
}

const BYTES: u64 = 60_000;
const NAMES: u64 = 12;

/// What a tree holds: bytes of distinct files, names, and bytes of disk.
#[derive(Debug, Default, PartialEq)]
struct Held {
    bytes: u64,
    names: u64,
    disk: u64,
}

fn held(dir: &Path) -> Held {
    let mut files = BTreeMap::new();
    let mut names = 0;
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            names += 1;
            if metadata.is_dir() {
                dirs.push(path);
            } else if metadata.is_file() {
                files.insert(metadata.ino(), (metadata.len(), metadata.blocks() * 512));
            }
        }
    }
    let sum = |of: fn(&(u64, u64)) -> u64| files.values().map(of).sum();
    Held { bytes: sum(|file| file.0), names, disk: sum(|file| file.1) }
}

/// A sequence that is the same for the same seed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn file(&mut self) -> String {
        let dir = ["", "", "d0/", "d1/"][self.below(4) as usize];
        format!("/rw:{dir}f{}", self.below(4))
    }

    fn operation(&mut self) -> String {
        let (file, other) = (self.file(), self.file());
        match self.below(16) {
            0..=3 => format!("fill {file} {} {}", self.below(20_000), self.below(12_000)),
            4 => format!("stream {file} {}", self.below(30_000)),
            5 => format!("resize {file} {}", self.below(30_000)),
            6 => format!("allocate {file} {}", 1 + self.below(20_000)),
            7 => format!("open-create-truncate {file}"),
            8 => format!("unlink {file}"),
            9 => format!("rename {file} {other}"),
            10 => format!("link {file} {other}"),
            11 => format!("mkdir /rw:d{}", self.below(2)),
            12 => format!("rmdir /rw:d{}", self.below(2)),
            13 => format!("symlink f0 {file}"),
            14 => format!("hold {file}"),
            _ => "let-go".to_owned(),
        }
    }
}

fn what_counts_is_what_the_tree_holds_after_any_operations() {
    let mut refused = 0;
    for seed in 0..12 {
        let temp = tempfile::tempdir().unwrap();
        let quota = Quota::new(BYTES, NAMES);
        let mut draws = Draws(seed);
        for round in 0..6 {
            let operations: Vec<String> = (0..40).map(|_| draws.operation()).collect();
            let mount = Mount::open(temp.path(), "/rw", Mode::ReadWrite).unwrap().quota(quota.clone());
            let sandbox = Sandbox::new().mount(mount).unwrap();
            let seen = attempt(sandbox, operations.iter().map(String::as_str));
            refused += seen.iter().filter(|line| line.ends_with("DQUOT")).count();
            let held = held(temp.path());
            let counted = (quota.bytes_used(), quota.files_used());
            assert_eq!(counted, (held.bytes, held.names), "seed {seed}, round {round}: {seen:#?}");
            assert!(held.bytes <= BYTES && held.names <= NAMES, "seed {seed}, round {round}");
            assert!(held.disk <= BYTES + NAMES * 4096, "seed {seed}, round {round}: {held:?}");
        }
    }
    assert!(refused > 100, "the quota was hardly met: {refused}");
}
