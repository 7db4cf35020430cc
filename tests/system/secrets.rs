//! A secret is typed once and visible nowhere: every file, log, answer, event, argument and variable is searched for it.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use skrei_job::secret::Name;
use skrei_protocol::{api::execution::compute_state, client::Client};

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, root, wait_for_end};

/// Everything is written down that ever is.
const VERBOSE: &str = "Logging.Level=trace";

/// A certificate and its key, and what the key looks like wherever it may turn up.
struct Canary {
    directory: tempfile::TempDir,
    key: String,
    needles: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(vec!["www.example.org".to_owned()]).unwrap();
        let key = issued.signing_key.serialize_pem();
        std::fs::write(directory.path().join("fullchain.pem"), issued.cert.pem()).unwrap();
        std::fs::write(directory.path().join("privkey.pem"), &key).unwrap();
        let needles = needles(&key);
        Self { directory, key, needles }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn secrets(&self) -> BTreeMap<Name, String> {
        BTreeMap::from([("key".parse().unwrap(), BASE64_STANDARD.encode(&self.key))])
    }

    /// Which forms of the key are in some bytes.
    fn found_in(&self, bytes: &[u8]) -> Vec<&'static str> {
        let is_in = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        self.needles.iter().filter(|(_, needle)| is_in(needle)).map(|(form, _)| *form).collect()
    }

    #[track_caller]
    fn assert_not_in(&self, what: &str, bytes: &[u8]) {
        let found = self.found_in(bytes);
        assert!(found.is_empty(), "the key is in {what}, {found:?}:\n{}", String::from_utf8_lossy(bytes));
    }

    /// Every file below a directory that has the key in some form.
    fn files_with_it(&self, directory: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut left = vec![directory.to_owned()];
        while let Some(path) = left.pop() {
            let Ok(metadata) = path.symlink_metadata() else { continue };
            if metadata.is_dir() {
                left.extend(
                    std::fs::read_dir(&path).into_iter().flatten().map(|entry| entry.unwrap().path()),
                );
            } else if metadata.is_file()
                && !self.found_in(&std::fs::read(&path).unwrap_or_default()).is_empty()
            {
                found.push(path);
            }
        }
        found
    }
}

/// What a line of the key looks like, plain and encoded: any file that has some of the key has some of these.
fn needles(key: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut needles = Vec::new();
    // The first line of any key of this kind begins alike: what it is for.
    let lines = key.lines().filter(|line| !line.starts_with("-----")).skip(1);
    for line in lines.filter(|line| line.len() > 30) {
        let hex: String = line.bytes().map(|byte| format!("{byte:02x}")).collect();
        needles.push(("plain", line.as_bytes()[..30].to_vec()));
        needles.push(("hexadecimal", hex.as_bytes()[..60].to_vec()));
        needles.push(("hexadecimal, upper case", hex.to_uppercase().as_bytes()[..60].to_vec()));
        for before in 0..3 {
            let encoded = BASE64_STANDARD.encode([&b"xyz"[..before], line.as_bytes()].concat());
            needles.push(("base64", encoded.as_bytes()[4..40].to_vec()));
            let url_safe = encoded.replace('+', "-").replace('/', "_");
            needles.push(("base64 for URLs", url_safe.as_bytes()[4..40].to_vec()));
        }
        let percent: String = line.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        needles.push(("percent", percent.as_bytes()[..30].to_vec()));
        needles.push(("JSON", line.replace('/', "\\/").as_bytes()[..30].to_vec()));
        // As bytes in a `{:?}`.
        needles.push((
            "numbers",
            format!("{:?}", &line.as_bytes()[..12]).trim_matches(['[', ']']).as_bytes().to_vec(),
        ));
    }
    assert!(needles.len() > 20, "there is a key to look for");
    needles
}

/// What the API answers, as it stands on the wire.
fn get(port: u16, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    write!(stream, "GET /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // An event stream never ends: what came until then counts.
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{path}: {}", String::from_utf8_lossy(&answer));
    answer
}

fn seen_by_everybody(pid: u32) -> Vec<u8> {
    let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    [read("cmdline"), read("environ")].concat()
}

async fn until_running(client: &Client, job: &str) {
    let start = Instant::now();
    loop {
        let executions = client.executions(job).await.unwrap().items;
        if executions.iter().any(|execution| execution.compute_state.state_type == compute_state::RUNNING) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{executions:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_in_the_deployed_file_and_nowhere_else() {
    let mut orchestrator = Orchestrator::start(&[VERBOSE]);
    let mut node = Node::start_with(&orchestrator, "web-1", "rw", &[VERBOSE]);
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let canary = Canary::new();
    let mut jobs = Vec::new();

    // The story, well and ill: deployed, and told by a guest that fails.
    let variable = |name: &str| format!("{name}=@{}", canary.path(&format!("{name}.pem")).display());
    let mut command = orchestrator.command(&["job", "run", "--force"]);
    command.arg(root().join("examples/deploy-certs/job.yaml"));
    command.args(["-V", &variable("fullchain"), "--secret", &variable("privkey")]);
    let ran = Ran::to_end(&mut command);
    canary.assert_not_in("what the command says", ran.expect(0).as_bytes());
    jobs.push("deploy-certs".to_owned());
    let uses = json!([{"Name": "key", "Target": "/secrets/key"}, {"Name": "key", "Env": "KEY"}]);
    let telling =
        JobFile::new(&client, "ops", skrei_test_guests::leak(), &["3", "/secrets/key", "$KEY"]).await;
    let telling = telling.with("/Tasks/0/Secrets", uses.clone()).manifest();
    let id = client.submit_with(&telling, false, &canary.secrets()).await.unwrap().job_id;
    let ended = wait_for_end(&client, &id).await;
    assert!(format!("{ended:?}").contains("[secret key]"), "{ended:#?}");
    jobs.push(id.clone());
    for arguments in [
        vec!["logs", &id],
        vec!["describe", &id],
        vec!["history", &id],
        vec!["describe", "--output", "json", &id],
    ] {
        let ran = orchestrator.run(&[&["job"], arguments.as_slice()].concat());
        canary.assert_not_in(&arguments.join(" "), ran.said().as_bytes());
    }

    // A crash of each process while a guest has it.
    let sleeping = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["2000"]).await;
    let sleeping = sleeping.with("/Tasks/0/Secrets", uses);
    let id = client.submit_with(&sleeping.manifest(), false, &canary.secrets()).await.unwrap().job_id;
    until_running(&client, &id).await;
    canary.assert_not_in("the node's arguments and variables", &seen_by_everybody(node.pid()));
    canary
        .assert_not_in("the orchestrator's arguments and variables", &seen_by_everybody(orchestrator.pid()));
    node.kill();
    node.start_again();
    wait_for_end(&client, &id).await;
    jobs.push(id);
    let id = client.submit_with(&sleeping.manifest(), false, &canary.secrets()).await.unwrap().job_id;
    until_running(&client, &id).await;
    orchestrator.kill();
    orchestrator.start_again();
    let client = orchestrator.client();
    orchestrator.wait_for_nodes(1).await;
    wait_for_end(&client, &id).await;
    jobs.push(id);
    let file = canary.path("job.json");
    std::fs::write(&file, serde_json::to_vec(&sleeping.manifest()).unwrap()).unwrap();
    let mut command = orchestrator.command(&["job", "run"]);
    command.arg(&file).args(["--secret", &format!("key=@{}", canary.path("privkey.pem").display())]);
    let mut child =
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(500));
    canary.assert_not_in("the command's arguments and variables", &seen_by_everybody(child.id()));
    child.kill().unwrap();
    child.wait().unwrap();

    // Kept under a name, too, and in the job that names it.
    orchestrator
        .run(&["secret", "set", &format!("kept=@{}", canary.path("privkey.pem").display()), "--job", "*"])
        .expect(0);
    canary.assert_not_in("the list", orchestrator.run(&["secret", "list"]).expect(0).as_bytes());

    // Every answer there is.
    let mut pages: Vec<String> = [
        "/orchestrator/jobs?limit=1000",
        "/orchestrator/nodes",
        "/orchestrator/nodes/web-1",
        "/agent/config",
        "/agent/node",
        "/agent/debug",
        "/agent/version",
        "/orchestrator/secrets?namespace=*",
        "/orchestrator/events",
    ]
    .map(str::to_owned)
    .into();
    for job in &jobs {
        for rest in [
            "?include=history,executions,progress",
            "/history",
            "/executions",
            "/versions",
            "/secrets",
            "/rollout",
        ] {
            pages.push(format!("/orchestrator/jobs/{job}{rest}"));
        }
        pages.push(format!("/orchestrator/events?job={job}"));
    }
    for page in &pages {
        canary.assert_not_in(page, &get(orchestrator.api_port(), page));
    }

    // Every file of both, logs included. First the search itself: what is planted is found, in every form.
    for (form, needle) in &canary.needles {
        assert!(
            canary.found_in(&[b"before ", needle.as_slice(), b" after"].concat()).contains(form),
            "{form}"
        );
    }
    let control = orchestrator.directory().join("data/control");
    std::fs::write(&control, [b"before ", canary.needles[1].1.as_slice()].concat()).unwrap();
    assert_eq!(canary.files_with_it(orchestrator.directory()), std::slice::from_ref(&control));
    std::fs::remove_file(control).unwrap();
    assert!(
        orchestrator.log().contains("a secret was set"),
        "there is a log to look at:\n{}",
        orchestrator.log()
    );
    assert_eq!(canary.files_with_it(orchestrator.directory()), Vec::<PathBuf>::new());
    assert_eq!(
        canary.files_with_it(node.directory()),
        [node.served().join("privkey.pem")],
        "where it was deployed to"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_given_kept_shown_by_its_name_and_refused_by_the_rule() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "web-1", "rw");
    orchestrator.wait_for_nodes(1).await;
    let canary = Canary::new();
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::leak(), &["0", "/secrets/key"]).await;
    let job = job
        .with("/Name", json!("tell"))
        .with("/Tasks/0/Secrets", json!([{"Name": "key", "Target": "/secrets/key"}]));
    let file = canary.path("job.json");
    std::fs::write(&file, serde_json::to_vec(&job.manifest()).unwrap()).unwrap();
    let file = file.display().to_string();
    let source = format!("key=@{}", canary.path("privkey.pem").display());

    let missing = orchestrator.run(&["job", "run", &file]).expect(4);
    assert!(missing.contains("`key`") && missing.contains("--secret key=@FILE"), "{missing}");
    let literal = orchestrator.run(&["job", "run", &file, "--secret", "key=hunter22"]).expect(2);
    assert!(
        literal.contains("history") && literal.contains("@FILE") && !literal.contains("hunter"),
        "{literal}"
    );
    orchestrator.run(&["job", "run", &file, "--secret", &source]).expect(0);
    let shown = orchestrator.run(&["job", "describe", "tell"]).expect(0);
    assert!(
        shown.contains("secret:key (fingerprint ") && shown.contains("removed when the version had ended"),
        "{shown}"
    );

    let nobody = orchestrator.run(&["secret", "set", &source]).expect(4);
    assert!(nobody.contains("--job"), "{nobody}");
    orchestrator.run(&["secret", "set", &source, "--job", "other"]).expect(0);
    let outside = orchestrator.run(&["job", "run", "--force", &file]).expect(4);
    assert!(outside.contains("does not cover job `tell`"), "{outside}");
    orchestrator.run(&["secret", "set", &source, "--job", "tell", "--nodes", "zone=eu"]).expect(0);
    let elsewhere = orchestrator.run(&["job", "run", "--force", &file]).expect(1);
    assert!(elsewhere.contains("zone = eu") && elsewhere.contains("web-1"), "{elsewhere}");
    let set = orchestrator.run(&["secret", "set", &source, "--nodes", ""]).expect(0);
    assert!(set.contains("the value it had before"), "{set}");
    orchestrator.run(&["job", "run", "--force", &file]).expect(0);
    let shown = orchestrator.run(&["job", "describe", "tell"]).expect(0);
    assert!(shown.contains("secret:key (fingerprint ") && shown.contains("set "), "{shown}");
    orchestrator.run(&["secret", "rotate-key"]).expect(0);
    orchestrator.run(&["job", "run", "--force", &file]).expect(0);
    orchestrator.run(&["secret", "remove", "key"]).expect(0);
    let gone = orchestrator.run(&["job", "run", "--force", &file]).expect(4);
    assert!(gone.contains("`key`"), "{gone}");

    // A key in a template variable gets a warning with the way out.
    let template = canary.path("template.yaml");
    std::fs::write(&template, "Name: \"{{key}}\"\n").unwrap();
    let warned =
        orchestrator.run(&["job", "render", &template.display().to_string(), "-V", &source]).expect(0);
    assert!(
        warned.contains(&format!("--secret {source}")) && canary.found_in(warned.as_bytes()).is_empty(),
        "{warned}"
    );
}
