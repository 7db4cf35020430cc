//! The first thing a new user sees.

use super::harness::{Ran, skrei};

#[test]
fn the_demo_deploys_to_three_nodes_shows_it_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let said = Ran::to_end(skrei(["demo", "--exit"]).env("TMPDIR", directory.path())).expect(0);
    for word in ["node-0", "node-1", "node-2", "fullchain.pem", "privkey.pem", "Completed"] {
        assert!(said.contains(word), "it shows `{word}`:\n{said}");
    }
    for (file, mode) in [("fullchain.pem", "644"), ("privkey.pem", "600")] {
        let rows: Vec<_> =
            said.lines().filter(|line| line.contains("etc/nginx/ssl") && line.contains(file)).collect();
        assert!(
            rows.len() >= 3 && rows.iter().all(|row| row.split_whitespace().any(|word| word == mode)),
            "{rows:?}"
        );
    }
    assert!(!said.contains("PRIVATE KEY"), "it does not show the key:\n{said}");
}
