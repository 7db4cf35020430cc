//! Who may call: an orchestrator that others can reach, the people it lets in, and what is never written down.

use std::path::Path;

use skrei_protocol::client::Client;

use super::harness::{Orchestrator, Ran};

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A command that shows this key.
fn with_key(orchestrator: &Orchestrator, key: &str, arguments: &[&str]) -> Ran {
    Ran::to_end(orchestrator.command(arguments).env("SKREI_API_KEY", key))
}

/// Lets somebody in; their key.
fn add(orchestrator: &Orchestrator, name: &str, allow: &str) -> String {
    let data_dir = orchestrator.data_dir();
    let added = orchestrator.run(&["auth", "add", name, "--allow", allow, "--data-dir", text(&data_dir)]);
    added.expect(0);
    added.stdout.trim().to_owned()
}

#[test]
fn an_api_that_others_can_reach_makes_one_key_and_asks_for_it() {
    let mut orchestrator = Orchestrator::start_with(&[], &["--api-host", "0.0.0.0"]);
    let data_dir = orchestrator.data_dir();
    let key_file = data_dir.join("auth/admin.key");
    // It answers when it knows who may call.
    orchestrator.run(&["agent", "alive"]).expect(0);
    assert!(orchestrator.log().contains(text(&key_file)), "{}", orchestrator.log());
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(&key_file).unwrap().permissions().mode() & 0o777, 0o600);
    let key = std::fs::read_to_string(&key_file).unwrap();
    let users = std::fs::read_to_string(data_dir.join("auth/users.json")).unwrap();
    assert!(!users.contains(key.trim()) && !orchestrator.log().contains(key.trim()));

    let stranger = orchestrator.run(&["job", "list"]);
    assert!(stranger.expect(4).contains("SKREI_API_KEY"), "{}", stranger.said());
    // Whoever may read the file on this machine needs to know nothing.
    orchestrator.run(&["job", "list", "--data-dir", text(&data_dir)]).expect(0);
    let info = orchestrator.run(&["auth", "info", "--data-dir", text(&data_dir)]).expect(0);
    assert!(info.contains("administrator") && !info.contains(key.trim()), "{info}");
    with_key(&orchestrator, key.trim(), &["job", "list"]).expect(0);

    orchestrator.kill();
    orchestrator.start_again();
    orchestrator.run(&["agent", "alive"]).expect(0);
    assert_eq!(std::fs::read_to_string(&key_file).unwrap(), key, "one key, however often it starts");
    assert_eq!(orchestrator.log().matches("was made").count(), 1);
}

#[test]
fn open_to_all_is_said_at_each_start_and_loopback_is_open_without_a_word() {
    let open = Orchestrator::start_with(&["API.Auth.Mode=open"], &["--api-host", "0.0.0.0"]);
    open.run(&["job", "list"]).expect(0);
    // Said before anybody is answered.
    assert!(open.log().contains("API.Auth.Mode is `open`"), "{}", open.log());
    let who = open.run(&["auth", "whoami"]).expect(0);
    assert!(who.contains("anyone") && who.contains("open"), "{who}");
    let loopback = Orchestrator::start(&[]);
    loopback.run(&["job", "list"]).expect(0);
    assert!(!loopback.log().contains("WARN"), "{}", loopback.log());
    let required = Orchestrator::start(&["API.Auth.Mode=required"]);
    required.run(&["job", "list"]).expect(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_let_in_may_do_what_was_said_until_they_are_revoked() {
    let orchestrator = Orchestrator::start(&["API.Auth.Mode=required"]);
    let data_dir = orchestrator.data_dir();
    let (reader, robot) =
        (add(&orchestrator, "reader", "read:*"), add(&orchestrator, "robot", "read:job,write:job"));
    with_key(&orchestrator, &reader, &["job", "list"]).expect(0);
    with_key(&orchestrator, &reader, &["node", "list"]).expect(0);
    let refused = with_key(&orchestrator, &reader, &["job", "stop", "none"]);
    assert!(refused.expect(4).contains("`write:job`"), "{}", refused.said());
    assert!(with_key(&orchestrator, &robot, &["job", "stop", "none"]).expect(3).contains("no job"));
    assert!(with_key(&orchestrator, &robot, &["node", "list"]).expect(4).contains("`read:node`"));
    let twice = orchestrator.run(&["auth", "add", "Robot", "--allow", "*", "--data-dir", text(&data_dir)]);
    assert!(twice.expect(4).contains("auth revoke"), "{}", twice.said());
    let nothing = orchestrator.run(&["auth", "add", "x", "--allow", "fly", "--data-dir", text(&data_dir)]);
    assert!(nothing.expect(2).contains("`fly`"), "{}", nothing.said());

    let listed = orchestrator.run(&["auth", "list", "--data-dir", text(&data_dir)]).expect(0);
    assert!(listed.contains("robot") && listed.contains("write:job") && !listed.contains(&robot), "{listed}");
    orchestrator.run(&["auth", "revoke", "robot", "--data-dir", text(&data_dir)]).expect(0);
    let revoked = with_key(&orchestrator, &robot, &["job", "list"]);
    assert!(revoked.expect(4).contains("revoked"), "{}", revoked.said());

    // Everything that was to change something is on record, and readers do not see it.
    let audit = orchestrator.run(&["audit", "list", "--data-dir", text(&data_dir)]).expect(0);
    let line = |words: &[&str]| audit.lines().any(|line| words.iter().all(|word| line.contains(word)));
    assert!(line(&["reader", "DELETE", "403", "127.0.0.1"]) && line(&["robot", "DELETE", "404"]), "{audit}");
    with_key(&orchestrator, &reader, &["audit", "list"]).expect(4);
    let client = Client::new(&format!("http://127.0.0.1:{}", orchestrator.api_port())).unwrap();
    let client = client.showing(&format!("Bearer {reader}")).unwrap();
    let refused = client.logs("none", &skrei_protocol::client::LogQuery::default()).await;
    let unknown = format!("{:?}", refused.err());
    assert!(!unknown.contains(&reader), "{unknown}");
}

#[test]
fn a_user_of_the_configuration_logs_in_with_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let hash = |flags: &[&str]| {
        use std::io::Write as _;
        let mut command = super::harness::skrei([&["auth", "hash-password"], flags].concat());
        let mut child =
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"correct horse\n").unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap().trim().to_owned()
    };
    let (argon, bcrypt) = (hash(&[]), hash(&["--bcrypt"]));
    assert!(argon.starts_with("$argon2id$") && bcrypt.starts_with("$2b$12$"), "{argon} {bcrypt}");
    let file = directory.path().join("server.yaml");
    let users = format!(
        "API:\n  Auth:\n    Users:\n    - Username: anna\n      Password: {argon}\n      Capabilities: [{{Actions: ['*']}}]\n    \
         - Username: berta\n      Password: {bcrypt}\n      Capabilities: [{{Actions: ['read:job']}}]\n    \
         - Username: clara\n      Password: correct horse\n      Capabilities: ['read:job']\n"
    );
    std::fs::write(&file, users).unwrap();
    let orchestrator = Orchestrator::start(&[text(&file)]);
    let by = |user: &str, password: &str| {
        let mut command = orchestrator.command(&["job", "list"]);
        Ran::to_end(command.env("BACALHAU_API_USERNAME", user).env("BACALHAU_API_PASSWORD", password))
    };
    for user in ["anna", "BERTA", "clara"] {
        by(user, "correct horse").expect(0);
        let wrong = by(user, "wrong horse");
        assert!(wrong.expect(4).contains("no such user, or the password"), "{}", wrong.said());
    }
    let mut both = orchestrator.command(&["job", "list"]);
    both.env("SKREI_API_USERNAME", "anna").env("SKREI_API_KEY", "some key of some length");
    assert!(Ran::to_end(&mut both).expect(2).contains("which counts"));
    // The configuration that the server shows has stars in the place of secrets.
    let mut shown = orchestrator.command(&["agent", "config"]);
    shown.env("SKREI_API_USERNAME", "anna").env("SKREI_API_PASSWORD", "correct horse");
    let shown = Ran::to_end(&mut shown).expect(0);
    assert!(
        shown.contains("anna") && !shown.contains("correct horse") && !shown.contains("$argon2"),
        "{shown}"
    );
}

#[test]
fn whoever_guesses_passwords_soon_waits() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.yaml");
    let users = "API: {Auth: {Users: [{Username: anna, Password: correct horse, Capabilities: ['*']}]}, RateLimit: {Failures: 4}}\n";
    std::fs::write(&file, users).unwrap();
    let orchestrator = Orchestrator::start(&[text(&file)]);
    let by = |password: &str| {
        let mut command = orchestrator.command(&["job", "list"]);
        Ran::to_end(command.env("SKREI_API_USERNAME", "anna").env("SKREI_API_PASSWORD", password))
    };
    for guess in 0..4 {
        assert!(by(&format!("guess number {guess}")).expect(4).contains("no such user"));
    }
    assert!(by("correct horse").expect(4).contains("too many attempts"));
}

#[test]
fn no_secret_of_a_caller_is_written_down_however_much_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let secrets = ["a-key-in-the-file-0123456789", "a-password-of-clara", "wrong-key-0123456789-0123456789"];
    let file = directory.path().join("server.yaml");
    let users = format!(
        "API:\n  Auth:\n    Users:\n    - Alias: robot\n      APIKey: {}\n      Capabilities: ['*']\n    \
         - Username: clara\n      Password: {}\n      Capabilities: ['*']\n",
        secrets[0], secrets[1]
    );
    std::fs::write(&file, users).unwrap();
    let orchestrator = Orchestrator::start(&[text(&file), "Logging.Level=trace"]);
    let job = directory.path().join("job.yaml");
    std::fs::write(directory.path().join("main.wat"), r#"(module (func (export "_start")))"#).unwrap();
    let manifest = "Name: one\nType: ops\nTasks: [{Name: main, Env: {TOKEN: body-of-a-request}, Engine: {Type: wasm, Params: {EntryModule: main.wat}}}]\n";
    std::fs::write(&job, manifest).unwrap();
    let mut said = String::new();
    let mut run = |environment: &[(&str, &str)], arguments: &[&str]| {
        let mut command = orchestrator.command(arguments);
        command.envs(environment.iter().copied()).env("RUST_LOG", "trace").env("LOG_LEVEL", "trace");
        let ran = Ran::to_end(&mut command);
        said.push_str(&ran.said());
        ran.code
    };
    let key = [("SKREI_API_KEY", secrets[0])];
    let clara = [("SKREI_API_USERNAME", "clara"), ("SKREI_API_PASSWORD", secrets[1])];
    assert_eq!(run(&key, &["job", "run", text(&job), "--wait=false"]), Some(0));
    assert_eq!(run(&clara, &["job", "history", "one"]), Some(0));
    assert_eq!(run(&clara, &["audit", "list", "--output", "json"]), Some(0));
    assert_eq!(run(&key, &["config", "list", "--output", "json"]), Some(0));
    assert_eq!(run(&key, &["agent", "config"]), Some(0));
    assert_eq!(run(&[("SKREI_API_KEY", secrets[2])], &["job", "list"]), Some(4));
    assert_eq!(run(&[("SKREI_API_KEY", secrets[2])], &["job", "logs", "one"]), Some(4));
    let argument = format!("API.Key={}", secrets[0]);
    assert_eq!(run(&[], &["job", "list", "-c", &argument]), Some(0));
    assert!(said.contains("everybody on this machine can read API.Key"), "{said}");
    let log = orchestrator.log();
    assert!(log.contains("DEBUG"), "the log is at its most verbose: {log}");
    for secret in secrets {
        assert!(!said.contains(secret), "{secret} in what commands said:\n{said}");
        assert!(!log.contains(secret), "{secret} in the log:\n{log}");
    }
    assert!(!log.contains("body-of-a-request"), "{log}");
    // Nor in what the orchestrator keeps.
    let stored = Path::new(&orchestrator.data_dir()).join("orchestrator");
    for entry in std::fs::read_dir(stored).unwrap() {
        let Ok(content) = std::fs::read(entry.unwrap().path()) else { continue };
        for secret in secrets {
            let is_there = content.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!is_there, "{secret} is stored");
        }
    }
}
