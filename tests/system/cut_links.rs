//! Real links that are cut, slow and lossy: an orchestrator and five nodes, each in a network namespace of its own.
//!
//! Every execution is accounted for after every cut: what the orchestrator says of it is what its node did. Skipped where
//! namespaces are not allowed. Links are slow and lossy by `netem` where the system has it; else by a queue so narrow that
//! what is sent waits and overflows (`tbf`).

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use skrei_protocol::api::{
    execution::{Execution, compute_state},
    node::NodeState,
};

use super::harness::{PATIENCE, Ran};

/// Nodes, each at the end of a link of its own.
const NODES: usize = 5;

/// The orchestrator's address among the nodes.
const ORCHESTRATOR: &str = "10.99.0.1";

/// What a node's end of its link is called there.
const CABLE: &str = "cable";

/// A node is given up after so long a silence: of the cuts some are longer, some shorter.
const DISCONNECT_TIMEOUT: &str = "6s";

/// How long a cut lasts that is noticed, and one that is hardly.
const LONG: Duration = Duration::from_secs(9);
const SHORT: Duration = Duration::from_secs(2);

#[test]
fn every_execution_is_accounted_for_after_every_cut() {
    let net = match Net::make() {
        Ok(net) => net,
        Err(why) => return eprintln!("SKIPPED: network namespaces are not to be had here: {why}"),
    };
    let fleet = Fleet::start(&net);
    let mut jobs = Jobs::default();
    fleet.wait_for_nodes(NODES);
    jobs.submit(&fleet);

    // Both ways at once, for longer than a node may be away, and for less.
    for (node, time) in [(0, LONG), (1, SHORT)] {
        net.set_link(node, false);
        jobs.submit(&fleet);
        std::thread::sleep(time);
        jobs.submit(&fleet);
        net.set_link(node, true);
    }
    // What the node says is lost, and what it is told arrives.
    net.set_way_up(2, false);
    jobs.submit(&fleet);
    std::thread::sleep(LONG);
    net.set_way_up(2, true);
    // All are slow, one loses much, and links break meanwhile.
    let mut how = "";
    for node in 0..NODES {
        how = net.worsen(node, node == 3);
    }
    for node in [3, 4] {
        jobs.submit(&fleet);
        net.set_link(node, false);
        std::thread::sleep(SHORT);
        net.set_link(node, true);
    }
    jobs.submit(&fleet);
    (0..NODES).for_each(|node| net.better(node));

    fleet.wait_for_nodes(NODES);
    let told = jobs.account_for_all(&fleet);
    eprintln!("links cut, slow and lossy by {how}: {told}");
}

/// Namespaces and what joins them. Gone when this is dropped.
struct Net {
    tag: String,
}

impl Net {
    /// Makes the namespaces: one for the orchestrator with a bridge, and one for each node behind a pair of devices.
    fn make() -> Result<Self, String> {
        let net = Self { tag: format!("skrei{}", std::process::id()) };
        let hub = net.hub();
        let set_up = |arguments: &[&str]| ip(arguments).unwrap();
        ip(&["netns", "add", &hub])?;
        ip(&["-n", &hub, "link", "add", "hub", "type", "bridge"])?;
        set_up(&["-n", &hub, "link", "set", "dev", "lo", "up"]);
        set_up(&["-n", &hub, "addr", "add", &format!("{ORCHESTRATOR}/24"), "dev", "hub"]);
        set_up(&["-n", &hub, "link", "set", "dev", "hub", "up"]);
        for node in 0..NODES {
            let (space, device) = (net.of_node(node), port(node));
            ip(&["netns", "add", &space])?;
            ip(&[
                "-n", &hub, "link", "add", &device, "type", "veth", "peer", "name", CABLE, "netns", &space,
            ])?;
            set_up(&["-n", &space, "link", "set", "dev", "lo", "up"]);
            set_up(&["-n", &hub, "link", "set", "dev", &device, "master", "hub", "up"]);
            set_up(&["-n", &space, "addr", "add", &format!("10.99.0.{}/24", 10 + node), "dev", CABLE]);
            set_up(&["-n", &space, "link", "set", "dev", CABLE, "up"]);
        }
        Ok(net)
    }

    fn hub(&self) -> String {
        format!("{}-o", self.tag)
    }

    fn of_node(&self, node: usize) -> String {
        format!("{}-{node}", self.tag)
    }

    /// Takes a node's cable out, or puts it back. Nobody is told.
    fn set_link(&self, node: usize, is_up: bool) {
        let to = if is_up { "up" } else { "down" };
        ip(&["-n", &self.hub(), "link", "set", "dev", &port(node), to]).unwrap();
    }

    /// Whether anything that a node sends leaves it.
    fn set_way_up(&self, node: usize, is_open: bool) {
        let what = if is_open { "del" } else { "add" };
        ip(&["-n", &self.of_node(node), "route", what, "blackhole", &format!("{ORCHESTRATOR}/32")]).unwrap();
    }

    /// Makes a link slow and, if wanted, lossy, both ways. Gives how, in words.
    fn worsen(&self, node: usize, is_lossy: bool) -> &'static str {
        let netem: &[&str] = match is_lossy {
            true => &["netem", "delay", "100ms", "50ms", "loss", "20%"],
            false => &["netem", "delay", "150ms", "50ms"],
        };
        // A few packets wait; what comes beyond them is lost.
        let narrow: &[&str] = match is_lossy {
            true => &["tbf", "rate", "256kbit", "burst", "3kb", "limit", "6kb"],
            false => &["tbf", "rate", "512kbit", "burst", "3kb", "latency", "300ms"],
        };
        let sides = [(self.hub(), port(node)), (self.of_node(node), CABLE.to_owned())];
        let mut used = "netem";
        for (space, device) in &sides {
            let add = |how: &[&str]| {
                run("tc", &[&["-n", space, "qdisc", "replace", "dev", device, "root"], how].concat())
            };
            if let Err(why) = add(netem) {
                used = "a narrow queue, for want of netem";
                add(narrow).unwrap_or_else(|error| panic!("{why}; {error}"));
            }
        }
        used
    }

    fn better(&self, node: usize) {
        for (space, device) in [(self.hub(), port(node)), (self.of_node(node), CABLE.to_owned())] {
            run("tc", &["-n", &space, "qdisc", "del", "dev", &device, "root"]).unwrap();
        }
    }

    /// A command of the binary in a namespace.
    fn skrei(&self, space: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", space, env!("CARGO_BIN_EXE_skrei")])
            .args(arguments)
            .stdin(Stdio::null());
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", std::env::temp_dir().join("no-home-for-tests"));
        command
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        let spaces = (0..NODES).map(|node| self.of_node(node)).chain([self.hub()]);
        spaces.for_each(|space| drop(ip(&["netns", "del", &space])));
    }
}

fn port(node: usize) -> String {
    format!("port{node}")
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    run("ip", arguments)
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{program}`: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    output
        .status
        .success()
        .then_some(())
        .ok_or_else(|| format!("`{program} {}`: {said}", arguments.join(" ")))
}

/// The orchestrator and its nodes, each in its namespace.
struct Fleet<'a> {
    net: &'a Net,
    directory: tempfile::TempDir,
    processes: Vec<Child>,
}

impl<'a> Fleet<'a> {
    fn start(net: &'a Net) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut fleet = Self { net, directory, processes: Vec::new() };
        let timeout = format!("Orchestrator.NodeManager.DisconnectTimeout={DISCONNECT_TIMEOUT}");
        let host = format!("Orchestrator.Host={ORCHESTRATOR}");
        let word = "Auth.Token=a-word-that-both-know";
        let settings = ["-c", &host, "-c", &timeout, "-c", &format!("Orchestrator.{word}")];
        fleet.spawn(&net.hub(), "o", &[&["serve", "--orchestrator", "--name", "o"], &settings[..]].concat());
        let module = fleet.directory.path().join("append.wasm");
        std::fs::write(module, skrei_test_guests::append()).unwrap();
        for node in 0..NODES {
            let name = format!("n{node}");
            let served = fleet.served(node);
            std::fs::create_dir_all(&served).unwrap();
            let allowed = format!("Compute.AllowListedLocalPaths={}:/etc/nginx/ssl:rw", served.display());
            let orchestrator = format!("Compute.Orchestrators={ORCHESTRATOR}");
            let word = format!("Compute.{word}");
            let settings =
                ["-c", &orchestrator, "-c", &allowed, "-c", &word, "-c", "Compute.Heartbeat.Interval=1s"];
            let arguments = [&["serve", "--compute", "--name", &name], &settings[..]].concat();
            fleet.spawn(&net.of_node(node), &name, &arguments);
        }
        fleet
    }

    fn spawn(&mut self, space: &str, name: &str, arguments: &[&str]) {
        let data = self.directory.path().join(name).join("data");
        std::fs::create_dir_all(&data).unwrap();
        let log = std::fs::File::create(self.log(name)).unwrap();
        let mut command = self.net.skrei(space, arguments);
        command.arg("--data-dir").arg(data).stdout(log.try_clone().unwrap()).stderr(log);
        self.processes.push(command.spawn().unwrap());
    }

    fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join(name).join("log")
    }

    fn served(&self, node: usize) -> PathBuf {
        self.directory.path().join(format!("served-{node}"))
    }

    /// A command of somebody on the orchestrator's machine.
    fn ask(&self, arguments: &[&str]) -> Ran {
        Ran::to_end(&mut self.net.skrei(&self.net.hub(), arguments))
    }

    fn json<T: serde::de::DeserializeOwned>(&self, arguments: &[&str]) -> T {
        let ran = self.ask(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", ran.said()))
    }

    fn wait_for_nodes(&self, count: usize) {
        let start = Instant::now();
        loop {
            let listed = self.ask(&["node", "list", "--output", "json"]);
            let nodes: Vec<NodeState> = serde_json::from_str(&listed.stdout).unwrap_or_default();
            if nodes.iter().filter(|node| node.connection == "CONNECTED").count() == count {
                return;
            }
            let log = std::fs::read_to_string(self.log("o")).unwrap_or_default();
            assert!(start.elapsed() < PATIENCE, "{count} nodes did not connect: {}\n{log}", listed.said());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

impl Drop for Fleet<'_> {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// What was submitted: the jobs by the file that each of their runs says `ran` in.
#[derive(Default)]
struct Jobs(BTreeMap<String, String>);

impl Jobs {
    /// One job for every node, which runs once, and one of several parts, which are given to others if their node is lost.
    fn submit(&mut self, fleet: &Fleet<'_>) {
        for rest in ["Type: ops", "Type: batch\nCount: 4\nRetry: {Attempts: 3, Backoff: 1s, On: [node-lost]}"]
        {
            let file = format!("job-{}", self.0.len());
            let path = fleet.directory.path().join(format!("{file}.yaml"));
            std::fs::write(&path, job(rest, &file)).unwrap();
            let id = submitted(fleet, &path);
            self.0.insert(file, id);
        }
    }

    /// Gives what became of how many, in words.
    fn account_for_all(&self, fleet: &Fleet<'_>) -> String {
        let start = Instant::now();
        let mut states = BTreeMap::<u8, u32>::new();
        for (file, id) in &self.0 {
            let job = loop {
                let job: Value = fleet.json(&["job", "describe", id]);
                let state = job["State"]["StateType"].as_str().unwrap_or_default().to_owned();
                if matches!(state.as_str(), "Completed" | "Failed" | "Stopped") {
                    break job;
                }
                assert!(start.elapsed() < 2 * PATIENCE, "not over: {job:#}");
                std::thread::sleep(Duration::from_millis(300));
            };
            let executions: Vec<Execution> = fleet.json(&["job", "executions", id]);
            assert!(!executions.is_empty(), "{job:#}");
            for node in 0..NODES {
                let name = format!("n{node}");
                let ran = std::fs::read_to_string(fleet.served(node).join(file)).unwrap_or_default();
                let runs = ran.matches("ran\n").count();
                let here: Vec<_> = executions.iter().filter(|execution| execution.node_id == name).collect();
                let count = |state: u8| here.iter().filter(|it| it.compute_state.state_type == state).count();
                let completed = count(compute_state::COMPLETED);
                let history = || fleet.ask(&["job", "history", id]).said();
                assert!(runs <= here.len(), "an execution runs once: {file} on {name}: {here:#?}");
                assert!(completed <= runs, "what is completed ran: {file} on {name}: {here:#?}");
                if job["Type"] == "ops" {
                    // Nobody was given its place: whatever ran is known by its true end.
                    assert_eq!(
                        completed,
                        runs,
                        "what ran is completed: {file} on {name}: {here:#?}\n{}",
                        history()
                    );
                    assert!(here.len() <= 1, "once on a node: {here:#?}");
                }
            }
            for execution in executions {
                let state = execution.compute_state.state_type;
                let is_over = !matches!(state, compute_state::ACCEPTED | compute_state::RUNNING);
                assert!(is_over, "accounted for: {execution:#?}");
                *states.entry(state).or_default() += 1;
            }
        }
        let told: Vec<_> =
            states.iter().map(|(state, count)| format!("{count} {}", compute_state::word(*state))).collect();
        format!("{} jobs, {}", self.0.len(), told.join(", "))
    }
}

fn job(rest: &str, file: &str) -> String {
    format!(
        "{rest}
Tasks:
  - Name: main
    Engine: {{Type: wasm, Params: {{EntryModule: append.wasm, Parameters: [/out/{file}]}}}}
    InputSources:
      - {{Target: /out, Source: {{Type: localDirectory, Params: {{SourcePath: /etc/nginx/ssl, ReadWrite: true}}}}}}
    Resources: {{CPU: 10m, Memory: 16MB}}
    Timeouts: {{QueueTimeout: 120}}
"
    )
}

fn submitted(fleet: &Fleet<'_>, path: &Path) -> String {
    let ran = fleet.ask(&["job", "run", path.to_str().unwrap(), "--wait=false", "--id-only"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said());
    ran.stdout.trim().to_owned()
}
