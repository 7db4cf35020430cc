//! What an examiner of TLS says of both ports: `sslyze`, against Mozilla's recommendations.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use super::harness::Orchestrator;

/// What examines; the newest of November 2026.
const PACKAGE: &str = "sslyze==6.3.1";

/// A Python that has it, kept in the target directory; or why there is none. Both tests look for it once.
fn python() -> Result<PathBuf, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sslyze");
        let python = home.join("bin/python");
        if run(Command::new(&python).args(["-c", "import sslyze"])).is_err() {
            run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
            run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
        }
        Ok(python)
    };
    FOUND.get_or_init(find).clone()
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// What it says of a port, which is to be as recommended. The verdict is kept beside the other products of the build.
fn examined(
    python: &Path,
    (name, port): (&str, u16),
    recommendation: &str,
    authority: &Path,
    verdict: &str,
) -> String {
    let said = run(Command::new(python)
        .args(["-m", "sslyze", "--mozilla_config", recommendation, "--sni", name, "--certinfo_ca_file"])
        .arg(authority)
        .arg(format!("localhost:{port}")))
    .unwrap_or_else(|said| panic!("not compliant: {said}"));
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join(verdict), &said).unwrap();
    assert!(said.contains("OK - Compliant"), "{said}");
    said
}

#[test]
fn the_api_is_as_mozilla_recommends_for_clients_of_the_last_years() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: sslyze cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start_with(&[], &["--self-signed"]);
    let authority = orchestrator.data_dir().join("tls/ca.pem");
    let said = examined(
        &python,
        ("localhost", orchestrator.api_port()),
        "intermediate",
        &authority,
        "sslyze-api.txt",
    );
    assert!(said.contains("OK - Not vulnerable to Heartbleed"), "{said}");
}

#[test]
fn the_port_for_nodes_is_as_mozilla_recommends_for_modern_clients_alone() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: sslyze cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start(&[]);
    let authority = orchestrator.data_dir().join("orchestrator/authority/ca.pem");
    // Whatever address is dialled, nodes ask for this one name.
    let called = (skrei_tls::ORCHESTRATOR_NAME, orchestrator.node_port());
    examined(&python, called, "modern", &authority, "sslyze-nodes.txt");
}
