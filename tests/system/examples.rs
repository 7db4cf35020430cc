//! The stories under `examples/`, told with the job files as they are.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::Once,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::harness::{Moto, Node, Orchestrator, PATIENCE, Ran, free_port, root};

/// A job file of an example, whose guests are built once for all tests.
fn job_file(example: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let examples = root().join("examples");
    BUILT.call_once(|| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--release", "--locked", "--target", "wasm32-wasip1"]).current_dir(&examples);
        // The job files say where the guests are.
        cargo.env_remove("CARGO_TARGET_DIR");
        let built = cargo.output().expect("cargo runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    });
    examples.join(example).join("job.yaml")
}

/// Builds the guest of an example that is a component.
fn component_of(example: &str) {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--target", "wasm32-wasip2"]);
    let built =
        Ran::to_end(cargo.current_dir(root().join("examples").join(example)).env_remove("CARGO_TARGET_DIR"));
    built.expect(0);
}

/// Runs a job file with template variables.
fn job_run(orchestrator: &Orchestrator, file: &Path, variables: &[&str]) -> Ran {
    let mut command = orchestrator.command(&["job", "run"]);
    command.arg(file).args(variables.iter().flat_map(|variable| ["-V", variable]));
    Ran::to_end(&mut command)
}

/// A script of an example, for this orchestrator.
fn script(orchestrator: &Orchestrator, path: &str) -> Command {
    let mut command = Command::new(root().join("examples").join(path));
    command.args(["--api-port", &orchestrator.api_port().to_string()]);
    command.env("SKREI", env!("CARGO_BIN_EXE_skrei"));
    command
}

/// A directory of a node's, and the entry by which jobs have it under a path.
fn served(directory: &Path, name: &str, path: &str, mode: &str) -> String {
    let place = directory.join(name);
    fs::create_dir_all(&place).unwrap();
    format!("{}:{path}:{mode}", place.display())
}

#[tokio::test(flavor = "multi_thread")]
async fn push_config_installs_what_is_sound_and_stops_at_the_first_node_with_what_is_not() {
    let orchestrator = Orchestrator::start(&[]);
    let nodes = ["web-1", "web-2"].map(|name| {
        Node::start_allowing(&orchestrator, name, |directory| {
            vec![served(directory, "proxy", "/etc/proxy", "rw")]
        })
    });
    orchestrator.wait_for_nodes(2).await;
    let file = job_file("push-config");

    let sound = r#"config={"listen": 80, "upstreams": ["10.0.0.1:8080"]}"#;
    job_run(&orchestrator, &file, &[sound]).expect(0);
    let installed = |node: &Node| fs::read_to_string(node.place("proxy/proxy.json")).unwrap();
    for node in &nodes {
        assert_eq!(format!("config={}", installed(node)), sound);
        let mode = fs::metadata(node.place("proxy/proxy.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644);
    }
    // A roll-out that halted waits for somebody to say how to go on, and so does whoever watches it.
    let mut command = orchestrator.command(&["job", "run", "--wait=false"]);
    command.arg(&file).args(["-V", r#"config={"listen": 0, "upstreams": ["a"]}"#]);
    Ran::to_end(&mut command).expect(0);
    let start = Instant::now();
    let status = loop {
        let status = orchestrator.run(&["job", "rollout", "status", "push-config"]).expect(0);
        if status.to_lowercase().contains("halted") {
            break status;
        }
        assert!(start.elapsed() < PATIENCE, "{status}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let executions = orchestrator.client().executions("push-config").await.unwrap().items;
    let tried: Vec<_> = executions.iter().filter(|one| one.job_version == 2).collect();
    assert_eq!(tried.len(), 1, "only the canary ran: {status}");
    let said = &tried[0].run_output.as_ref().unwrap().stderr;
    assert!(said.contains("`listen` is not a port") && said.contains("is not HOST:PORT"), "{said}");
    orchestrator.run(&["job", "rollout", "abort", "push-config"]).expect(0);
    nodes.iter().for_each(|node| assert_eq!(format!("config={}", installed(node)), sound));
}

#[tokio::test(flavor = "multi_thread")]
async fn count_errors_reads_each_node_s_logs_and_sends_home_a_few_numbers() {
    let orchestrator = Orchestrator::start(&[]);
    let logs = [("web-1", "ok\nERROR one\nok\n"), ("web-2", "ok\n")];
    let _nodes = logs.map(|(name, log)| {
        Node::start_allowing(&orchestrator, name, |directory| {
            let entry = served(directory, "logs", "/var/log/app", "ro");
            fs::write(directory.join("logs/a.log"), log).unwrap();
            fs::write(directory.join("logs/notes.txt"), "ERROR, but no log").unwrap();
            vec![entry]
        })
    });
    orchestrator.wait_for_nodes(2).await;
    let said = job_run(&orchestrator, &job_file("count-errors"), &["word=ERROR"]).expect(0);
    assert!(said.contains("1 of 3 lines in 1 files have `ERROR`"), "{said}");
    let described = orchestrator.run(&["job", "describe", "count-errors"]).expect(0);
    assert!(described.contains("Values") && described.contains("hits"), "{described}");
    let executions = orchestrator.client().executions("count-errors").await.unwrap();
    let hits = |node: &str| {
        let execution = executions.items.iter().find(|execution| execution.node_id == node).unwrap();
        execution.run_output.as_ref().unwrap().values["hits"].clone()
    };
    assert_eq!((hits("web-1"), hits("web-2")), (json!(1), json!(0)));

    let fetched = tempfile::tempdir().unwrap();
    let to = fetched.path().to_str().unwrap();
    orchestrator.run(&["job", "get", "count-errors", "--output-dir", to]).expect(0);
    let lines = |node: &str| fs::read_to_string(fetched.path().join(node).join("out/lines.txt")).unwrap();
    assert_eq!((lines("web-1").as_str(), lines("web-2").as_str()), ("a.log: ERROR one\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn inventory_makes_one_json_of_what_every_machine_says() {
    let orchestrator = Orchestrator::start(&[]);
    let machines = [("web-1", "Debian 12"), ("web-2", "Debian 13")];
    let _nodes = machines.map(|(name, release)| {
        Node::start_allowing(&orchestrator, name, |directory| {
            fs::write(directory.join("os-release"), format!("ID=debian\nPRETTY_NAME=\"{release}\"\n"))
                .unwrap();
            fs::write(directory.join("hostname"), format!("{name}.example\n")).unwrap();
            ["os-release", "hostname"]
                .map(|file| format!("{}:/etc/{file}:ro", directory.join(file).display()))
                .to_vec()
        })
    });
    orchestrator.wait_for_nodes(2).await;
    // The job waits a day for machines that are away: it is the ones that are here that count.
    let mut command = orchestrator.command(&["job", "run", "--wait=false"]);
    Ran::to_end(command.arg(job_file("inventory"))).expect(0);
    let start = Instant::now();
    let fleet = loop {
        let collected = Ran::to_end(&mut script(&orchestrator, "inventory/collect.sh"));
        collected.expect(0);
        let fleet: Value = serde_json::from_str(&collected.stdout).unwrap();
        if machines.iter().all(|(name, _)| fleet[name]["os"].is_string()) {
            break fleet;
        }
        assert!(start.elapsed() < PATIENCE, "{fleet}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let expected =
        json!({"hostname": "web-2.example", "os": "Debian 13", "os_id": "debian", "os_version": null});
    assert_eq!(fleet["web-2"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sweep_is_one_job_for_each_point_and_a_table_of_what_they_found() {
    let orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    job_file("sweep");
    let said = Ran::to_end(&mut script(&orchestrator, "sweep/sweep.sh"));
    said.expect(0);
    let share = |chance: &str| {
        let line = said.stdout.lines().find(|line| line.starts_with(chance));
        let share =
            line.and_then(|line| line.split_whitespace().nth(1)).and_then(|share| share.parse::<f64>().ok());
        share.unwrap_or_else(|| panic!("{}", said.said()))
    };
    // What theory says, and far more than chance is off by.
    for (chance, expected) in [("0.45", 0.12), ("0.50", 0.5), ("0.55", 0.88)] {
        assert!((share(chance) - expected).abs() < 0.05, "{}", said.said());
    }
    let listed = orchestrator.run(&["job", "list", "--labels", "sweep=walk"]).expect(0);
    assert!(listed.contains("sweep-0.45") && listed.contains("sweep-0.55"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_works_off_what_is_put_into_its_directory_until_it_is_stopped() {
    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start_allowing(&orchestrator, "worker", |directory| {
        let entry = served(directory, "spool", "/var/spool/count", "rw");
        served(directory, "spool/in", "", "");
        served(directory, "spool/out", "", "");
        vec![entry]
    });
    orchestrator.wait_for_nodes(1).await;
    let mut command = orchestrator.command(&["job", "run", "--wait=false", "-V", "every_ms=20"]);
    Ran::to_end(command.arg(job_file("watch-directory"))).expect(0);
    fs::write(node.place("spool/in/.notes.txt"), "one two three\nfour five\n").unwrap();
    fs::rename(node.place("spool/in/.notes.txt"), node.place("spool/in/notes.txt")).unwrap();
    let start = Instant::now();
    while node.place("spool/in/notes.txt").exists() {
        assert!(start.elapsed() < PATIENCE, "nobody took it: {}", node.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fs::read_to_string(node.place("spool/out/notes.txt")).unwrap(), "2 lines, 5 words\n");

    // Its word is on the execution as long as it runs.
    let start = Instant::now();
    loop {
        let executions = orchestrator.client().executions("watch-directory").await.unwrap();
        let word = executions.items[0].progress.as_ref().map(|progress| progress.message.clone());
        if word.as_deref() == Some("1 worked off") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{word:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    orchestrator.run(&["job", "stop", "watch-directory"]).expect(0);
}

/// A grey picture of this size, as PNG.
fn png(width: u32, height: u32) -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(data);
        [&u32::try_from(data.len()).unwrap().to_be_bytes(), kind, data, &sum.sum().to_be_bytes()].concat()
    };
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    // Each line begins with how it is filtered: not at all.
    let lines = vec![[&[0_u8][..], &vec![128; width as usize]].concat(); height as usize].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &lines).unwrap();
    let packed = packed.finish().unwrap();
    [b"\x89PNG\r\n\x1a\n", &chunk(b"IHDR", &head)[..], &chunk(b"IDAT", &packed), &chunk(b"IEND", &[])]
        .concat()
}

/// Every file beneath a directory that ends so, by its name.
fn named(directory: &Path, ending: &str, found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named(&path, ending, found);
        } else if path.extension().is_some_and(|is| is == ending) {
            found.push((path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn thumbnails_are_made_of_each_photo_of_a_bucket_once_by_three_parts() {
    let Some(moto) = Moto::start(&["holiday"]).await else { return };
    let photos = ["a", "b", "c", "d", "e", "f"].map(|name| format!("photos/2026/{name}.png"));
    for (place, photo) in (0..).zip(&photos) {
        moto.put("holiday", photo, png(400 + place, 200)).await;
    }
    moto.put("holiday", "photos/2026/g.jpg", include_bytes!("photo.jpg").to_vec()).await;
    moto.put("holiday", "photos/broken.jpg", b"no picture".to_vec()).await;
    moto.put("holiday", "photos/notes.txt", b"no photo".to_vec()).await;

    let orchestrator = Orchestrator::start(&[]);
    let settings = moto.settings(&["holiday"]);
    let settings: Vec<_> = settings.iter().map(String::as_str).collect();
    let _nodes =
        ["worker-1", "worker-2"].map(|name| Node::start_on(&orchestrator, name, |_| Vec::new(), &settings));
    orchestrator.wait_for_nodes(2).await;
    let said = job_run(&orchestrator, &job_file("thumbnails"), &["bucket=holiday"]).expect(0);
    assert!(said.contains("photos have a thumbnail"), "{said}");

    let executions = orchestrator.client().executions("thumbnails").await.unwrap().items;
    let values: Vec<_> =
        executions.iter().map(|one| one.run_output.as_ref().unwrap().values.clone()).collect();
    let made: u64 = values.iter().map(|values| values["made"].as_u64().unwrap()).sum();
    let failed: Vec<_> =
        values.iter().flat_map(|values| values["failed"].as_array().unwrap().clone()).collect();
    assert_eq!((executions.len(), made, failed), (3, 7, vec![json!("broken.jpg")]));

    let fetched = tempfile::tempdir().unwrap();
    orchestrator
        .run(&["job", "get", "thumbnails", "--output-dir", fetched.path().to_str().unwrap()])
        .expect(0);
    let mut thumbnails = Vec::new();
    named(fetched.path(), "png", &mut thumbnails);
    thumbnails.sort();
    let names: Vec<_> = thumbnails.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["a.png", "b.png", "c.png", "d.png", "e.png", "f.png", "g.png"]);
    for (name, content) in thumbnails {
        let number = |at: usize| u32::from_be_bytes(*content[at..].first_chunk().unwrap());
        assert!(
            number(16) == 96 && (47..=48).contains(&number(20)),
            "{name}: {} by {}",
            number(16),
            number(20)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_answers_http_where_the_owner_lets_guests_listen_and_nowhere_else() {
    component_of("web-service");
    let orchestrator = Orchestrator::start(&[]);
    let site = |directory: &Path| {
        let entry = served(directory, "site", "/srv/site", "ro");
        fs::write(directory.join("site/index.html"), "<h1>hello</h1>\n").unwrap();
        vec![entry]
    };
    let _closed = Node::start_on(&orchestrator, "closed", site, &[]);
    let port = free_port();
    let _open =
        Node::start_on(&orchestrator, "open", site, &[&format!("Compute.Network.Ports=127.0.0.1:{port}")]);
    orchestrator.wait_for_nodes(2).await;
    let file = root().join("examples/web-service/job.yaml");
    let mut command = orchestrator.command(&["job", "run", "--wait=false", "-V", &format!("port={port}")]);
    Ran::to_end(command.arg(&file)).expect(0);

    let url = |path: &str| format!("http://127.0.0.1:{port}/{path}");
    let start = Instant::now();
    let health = loop {
        match reqwest::get(url("health")).await {
            Ok(answer) => break answer.text().await.unwrap(),
            Err(error) => assert!(start.elapsed() < PATIENCE, "nobody answers: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(health, "well, 0 answered\n");
    let page = reqwest::get(url("")).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.text().await.unwrap(), "<h1>hello</h1>\n");
    assert_eq!(reqwest::get(url("none.html")).await.unwrap().status(), 404);

    // Whoever calls it may hear of it before the orchestrator does.
    let start = Instant::now();
    loop {
        let executions = orchestrator.client().executions("web-service").await.unwrap().items;
        let running = skrei_protocol::api::execution::compute_state::RUNNING;
        let runs = |node: &str| {
            let mut of_node = executions.iter().filter(|one| one.node_id == node);
            of_node.any(|one| one.compute_state.state_type == running)
        };
        assert!(!runs("closed"), "{executions:?}");
        if runs("open") {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "{executions:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let start = Instant::now();
    while !orchestrator.run(&["job", "describe", "web-service"]).expect(0).contains("3 answered") {
        assert!(start.elapsed() < PATIENCE, "it does not say how many it answered");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    orchestrator.run(&["job", "stop", "web-service"]).expect(0);
    let start = Instant::now();
    while reqwest::get(url("health")).await.is_ok() {
        assert!(start.elapsed() < PATIENCE, "it answers though it was stopped");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
