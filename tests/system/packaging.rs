//! What `just dist` packs names flags, keys and paths that exist.

use std::{fs, path::PathBuf, process::Command};

use super::harness::{Ran, root, skrei};

const ROLES: [&str; 2] = ["orchestrator", "compute"];

fn packaging(name: &str) -> PathBuf {
    root().join("packaging").join(name)
}

fn unit(role: &str) -> String {
    fs::read_to_string(packaging("systemd").join(format!("skrei-{role}.service"))).unwrap()
}

#[test]
fn configuration_files_are_valid_as_they_come_and_with_every_proposed_setting_taken() {
    let directory = tempfile::tempdir().unwrap();
    for role in ROLES {
        let text = fs::read_to_string(packaging(&format!("{role}.yaml"))).unwrap();
        let is_setting = |line: &&str| line.starts_with('#') && line.len() > 1 && !line.starts_with("# ");
        // A line for people has one space behind its `#`; a setting has none, or the two of its indentation.
        let is_setting = |line: &&str| is_setting(line) || line.starts_with("#  ");
        let settings: Vec<_> = text.lines().filter(is_setting).map(|line| &line[1..]).collect();
        assert!(settings.len() > 1, "{role}: {settings:?}");
        let taken = directory.path().join(format!("{role}-taken.yaml"));
        fs::write(&taken, settings.join("\n")).unwrap();
        for file in [packaging(&format!("{role}.yaml")), taken] {
            Ran::to_end(&mut skrei(["config", "validate", &*file.to_string_lossy()])).expect(0);
        }
    }
}

#[test]
fn services_start_the_program_with_flags_that_it_has() {
    for role in ROLES {
        let unit = unit(role);
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/skrei ")).unwrap();
        assert!(line.contains(&format!("--{role}")), "{line}");
        // The help is printed instead, after everything before it was understood.
        Ran::to_end(&mut skrei(line.split(' ').chain(["--help"]))).expect(0);
    }
}

#[test]
fn systemd_understands_the_services() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("skipped: no systemd-analyze on this machine");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for role in ROLES {
        let file = directory.path().join(format!("skrei-{role}.service"));
        fs::write(&file, unit(role).replace("/usr/bin/skrei", env!("CARGO_BIN_EXE_skrei"))).unwrap();
        let checked =
            Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
        let said = String::from_utf8_lossy(&checked.stderr);
        assert!(checked.status.success() && !said.contains(&format!("skrei-{role}.service:")), "{said}");
    }
}
