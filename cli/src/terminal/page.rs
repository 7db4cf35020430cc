//! Reference pages made from the program itself.

use std::path::Path;

/// Compares a page of docs/reference with what it should be; with `SKREI_UPDATE_DOCS=1` writes it.
pub(crate) fn check(name: &str, expected: &str) {
    const MARK: &str =
        "<!-- Made from the program; after a change run: SKREI_UPDATE_DOCS=1 cargo test -p skrei -->\n";
    write_or_compare(name, &format!("{MARK}{}\n", expected.trim_end()));
}

/// The same for a document.
pub(crate) fn check_json(name: &str, expected: &serde_json::Value) {
    write_or_compare(name, &format!("{expected:#}\n"));
}

fn write_or_compare(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(name);
    if std::env::var_os("SKREI_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == expected,
        "docs/reference/{name} is stale: run SKREI_UPDATE_DOCS=1 cargo test -p skrei"
    );
}
