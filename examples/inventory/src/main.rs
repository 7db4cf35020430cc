//! Says what a machine is, as far as it lets jobs know.

use std::{collections::BTreeMap, fs, path::Path};

#[skrei::main]
fn main(etc: Option<String>) -> skrei::Result {
    let etc = etc.unwrap_or_else(|| "/host/etc".to_owned());
    let etc = Path::new(&etc);
    let release = fs::read_to_string(etc.join("os-release"))?;
    let facts = facts(&release);
    let of = |name: &str| facts.get(name).copied();
    skrei::value("os", of("PRETTY_NAME"));
    skrei::value("os_id", of("ID"));
    skrei::value("os_version", of("VERSION_ID"));
    // What a node does not have is no failure of it.
    let hostname = fs::read_to_string(etc.join("hostname")).ok();
    skrei::value("hostname", hostname.as_deref().map(str::trim));
    println!("{}", of("PRETTY_NAME").unwrap_or("unknown"));
    Ok(())
}

/// `NAME=value` and `NAME="value"`, a line each.
fn facts(release: &str) -> BTreeMap<&str, &str> {
    let pairs = release.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.trim(), value.trim().trim_matches('"'))).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_come_with_and_without_quotes() {
        let facts = super::facts("ID=debian\nPRETTY_NAME=\"Debian 12\"\n# a comment\n");
        assert_eq!((facts["ID"], facts["PRETTY_NAME"]), ("debian", "Debian 12"));
    }
}
