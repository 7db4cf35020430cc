//! What an examiner of TLS says of the API: `sslyze`, against Mozilla's recommendations.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::harness::Orchestrator;

/// What examines; the newest of November 2026.
const PACKAGE: &str = "sslyze==6.3.1";

/// A Python that has it, kept in the target directory; or why there is none.
fn python() -> Result<PathBuf, String> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sslyze");
    let python = home.join("bin/python");
    if run(Command::new(&python).args(["-c", "import sslyze"])).is_err() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PACKAGE]))?;
    }
    Ok(python)
}

fn run(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    match output.status.success() {
        true => Ok(said),
        false => Err(format!("{command:?}: {said}{}", String::from_utf8_lossy(&output.stderr))),
    }
}

/// The verdict is kept beside the other products of the build, in `sslyze-api.txt`.
#[test]
fn the_api_is_as_mozilla_recommends_for_clients_of_the_last_years() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => return eprintln!("SKIPPED: sslyze cannot be had here: {why}"),
    };
    let orchestrator = Orchestrator::start_with(&[], &["--self-signed"]);
    let authority = orchestrator.data_dir().join("tls/ca.pem");
    let verdict = run(Command::new(python)
        .args(["-m", "sslyze", "--mozilla_config", "intermediate", "--certinfo_ca_file"])
        .arg(authority)
        .arg(format!("localhost:{}", orchestrator.api_port())))
    .unwrap_or_else(|verdict| panic!("not compliant: {verdict}"));
    std::fs::write(Path::new(env!("CARGO_TARGET_TMPDIR")).join("sslyze-api.txt"), &verdict).unwrap();
    assert!(verdict.contains("OK - Compliant"), "{verdict}");
    assert!(verdict.contains("OK - Not vulnerable to Heartbleed"), "{verdict}");
}
