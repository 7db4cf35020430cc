//! Logging in at a real OpenID Connect provider: `oidc-provider` of npm, with somebody at its browser.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::harness::{Orchestrator, PATIENCE, Ran, free_port, root, skrei};

/// What is tested against; the newest of November 2026.
const PACKAGE: &str = "oidc-provider@9.13.3";

/// A directory in which node finds the package and our scripts; or why there is none.
pub(crate) fn workshop() -> Result<PathBuf, String> {
    /// Tests share it, and one of them fills it.
    static FILLING: Mutex<()> = Mutex::new(());
    let _filling = FILLING.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oidc");
    if !home.join("node_modules/oidc-provider/package.json").exists() {
        std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--no-save", "--prefix"]).arg(&home).arg(PACKAGE);
        let installed = npm.output().map_err(|error| format!("npm: {error}"))?;
        if !installed.status.success() {
            return Err(String::from_utf8_lossy(&installed.stderr).into_owned());
        }
    }
    for script in ["provider.mjs", "browser.mjs"] {
        let from = root().join("tests/system/oidc").join(script);
        std::fs::copy(from, home.join(script)).map_err(|error| error.to_string())?;
    }
    Ok(home)
}

/// The provider, until dropped. It goes on only as long as somebody could hear it.
pub(crate) struct Provider {
    child: Child,
    _said: BufReader<ChildStdout>,
}

impl Provider {
    pub(crate) fn start(workshop: &Path, port: u16, permissions: &str, keys: &Path, kid: &str) -> Self {
        // Node has been seen to stand still before its first line.
        let started = (0..3).find_map(|_| Self::start_once(workshop, port, permissions, keys, kid));
        started.expect("a provider that says that it is ready")
    }

    fn start_once(workshop: &Path, port: u16, permissions: &str, keys: &Path, kid: &str) -> Option<Self> {
        let mut node = Command::new("node");
        node.arg(workshop.join("provider.mjs")).args([&port.to_string(), permissions]).arg(keys).arg(kid);
        let mut child = node.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut ready = String::new();
            let _ = said.read_line(&mut ready);
            let _ = tell.send((said, ready));
        });
        match told.recv_timeout(PATIENCE) {
            Ok((said, ready)) if ready == "ready\n" => Some(Self { child, _said: said }),
            _ => {
                let _ = (child.kill(), child.wait());
                None
            }
        }
    }

    /// What a server that believes the provider at this port is configured with.
    pub(crate) fn settings(port: u16) -> Vec<String> {
        let issuer = format!("http://127.0.0.1:{port}");
        vec![
            "API.Auth.Oauth2.ProviderName=Example".to_owned(),
            format!("API.Auth.Oauth2.Issuer={issuer}"),
            "API.Auth.Oauth2.Audience=https://skrei.test".to_owned(),
            format!("API.Auth.Oauth2.JWKSUri={issuer}/jwks"),
            "API.Auth.Oauth2.DeviceClientID=skrei-cli".to_owned(),
            format!("API.Auth.Oauth2.DeviceAuthorizationEndpoint={issuer}/device/auth"),
            format!("API.Auth.Oauth2.TokenEndpoint={issuer}/token"),
            "API.Auth.Oauth2.Scopes=openid".to_owned(),
            "API.Auth.Oauth2.PollingInterval=1".to_owned(),
        ]
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody opens a page of the provider's, and says yes to everything.
pub(crate) fn confirm(workshop: &Path, page: &str) {
    let browser = Command::new("node").arg(workshop.join("browser.mjs")).arg(page).output().unwrap();
    let seen = String::from_utf8_lossy(&browser.stdout).into_owned();
    assert!(seen.contains("Success"), "{seen}{}", String::from_utf8_lossy(&browser.stderr));
}

/// `skrei auth sso login`, with somebody who opens the page it names and confirms.
fn log_in(orchestrator: &Orchestrator, workshop: &Path, data_dir: &Path) -> Ran {
    let mut command = orchestrator.command(&["auth", "sso", "login"]);
    command.arg("--data-dir").arg(data_dir);
    let mut login = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(login.stderr.take().unwrap());
    let (mut page, mut before) = (String::new(), String::new());
    while !page.trim_start().starts_with("http://") {
        before.push_str(&page);
        page.clear();
        assert!(said.read_line(&mut page).unwrap() > 0, "no page was named: {before}");
    }
    confirm(workshop, page.trim());
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut said, &mut rest).unwrap();
    let ended = login.wait().unwrap();
    Ran { code: ended.code(), stdout: String::new(), stderr: rest }
}

#[test]
fn somebody_logs_in_with_a_browser_and_may_do_what_the_provider_says() {
    let workshop = match workshop() {
        Ok(workshop) => workshop,
        Err(why) => {
            return eprintln!("SKIPPED: no OpenID Connect provider can be had here (npm, node): {why}");
        }
    };
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys.json");
    let port = free_port();
    let provider = Provider::start(&workshop, port, "read:job write:agent", &keys, "one");
    let issuer = format!("http://127.0.0.1:{port}");
    let settings = Provider::settings(port);
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let orchestrator = Orchestrator::start(&settings);
    let data_dir = directory.path().join("person");
    let run = |arguments: &[&str]| {
        let mut command = orchestrator.command(arguments);
        Ran::to_end(command.arg("--data-dir").arg(&data_dir))
    };
    let stranger = run(&["job", "list"]);
    assert!(stranger.expect(4).contains("auth sso login"), "{}", stranger.said());
    assert!(run(&["auth", "info"]).expect(0).contains(&issuer));
    assert!(run(&["auth", "sso", "token"]).expect(3).contains("nobody is logged in"));

    let login = log_in(&orchestrator, &workshop, &data_dir);
    assert!(login.expect(0).contains("as anna"), "{}", login.said());
    run(&["job", "list"]).expect(0);
    let who = run(&["auth", "whoami"]).expect(0);
    assert!(who.contains("anna") && who.contains("read:job") && who.contains("token"), "{who}");
    assert!(run(&["node", "list"]).expect(4).contains("read:node"));
    let claims = run(&["auth", "sso", "token", "--decode"]).expect(0);
    assert!(claims.contains("https://skrei.test"), "{claims}");
    let file = data_dir.join("auth/tokens.json");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);

    // A signature by anybody else, of the same claims.
    let token = run(&["auth", "sso", "token"]).expect(0).trim().to_owned();
    let forged = format!("{}.{}", token.rsplit_once('.').unwrap().0, "A".repeat(342));
    let mut command = orchestrator.command(&["job", "list"]);
    let refused = Ran::to_end(command.env("SKREI_API_KEY", &forged));
    assert!(refused.expect(4).contains("signature"), "{}", refused.said());

    // The provider changes its key: what it signs now is believed, and soon nothing that it signed before.
    drop(provider);
    let _provider = Provider::start(&workshop, port, "read:node", &keys, "two");
    let start = Instant::now();
    loop {
        log_in(&orchestrator, &workshop, &data_dir).expect(0);
        let listed = run(&["node", "list"]);
        if listed.code == Some(0) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{}", listed.said());
        std::thread::sleep(Duration::from_secs(1));
    }
    let mut command = orchestrator.command(&["job", "list"]);
    let old = Ran::to_end(command.env("SKREI_API_KEY", &token));
    assert!(old.expect(4).contains("no such key"), "{}", old.said());

    run(&["auth", "sso", "logout"]).expect(0);
    run(&["auth", "sso", "logout"]).expect(3);
    run(&["auth", "sso", "logout", "--force"]).expect(0);
    run(&["node", "list"]).expect(4);
    assert!(!orchestrator.log().contains(&token), "a token is in the log");
}

#[test]
fn a_server_without_a_provider_says_so() {
    let orchestrator = Orchestrator::start(&[]);
    let said = orchestrator.run(&["auth", "sso", "login"]).expect(4);
    assert!(said.contains("no identity provider"), "{said}");
    let mut command =
        skrei(["serve", "--orchestrator", "-c", "API.Auth.Oauth2.ProviderID=half", "--data-dir"]);
    let directory = tempfile::tempdir().unwrap();
    command.arg(directory.path()).args(["--api-port", "0", "-c", "Orchestrator.Port=0"]);
    let half = Ran::to_end(&mut command);
    assert!(half.expect(2).contains("API.Auth.Oauth2.Issuer"), "{}", half.said());
}
