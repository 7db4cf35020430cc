//! The story: a certificate and its key on every server, by one command.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::harness::{Node, Orchestrator, Ran, root};

/// A certificate and key with everything in them that trips templates: line feeds, `=`, `+`, `/`.
struct Pair {
    directory: tempfile::TempDir,
}

impl Pair {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let issued = rcgen::generate_simple_self_signed(vec!["www.example.org".to_owned()]).unwrap();
        std::fs::write(directory.path().join("fullchain.pem"), issued.cert.pem()).unwrap();
        std::fs::write(directory.path().join("privkey.pem"), issued.signing_key.serialize_pem()).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn variables(&self) -> [String; 4] {
        let variable = |name: &str| format!("{name}=@{}", self.path(&format!("{name}.pem")).display());
        ["--template-vars".to_owned(), variable("fullchain"), "--secret".to_owned(), variable("privkey")]
    }

    fn assert_deployed(&self, directory: &Path) {
        let names: Vec<_> = {
            let mut names: Vec<_> =
                std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(names, ["fullchain.pem", "privkey.pem"], "both files and no leftovers");
        for name in ["fullchain.pem", "privkey.pem"] {
            let (expected, found) = (std::fs::read(self.path(name)), std::fs::read(directory.join(name)));
            assert_eq!(expected.unwrap(), found.unwrap(), "{name} is the same byte for byte");
        }
        for (name, expected) in [("fullchain.pem", 0o644), ("privkey.pem", 0o600)] {
            let mode = std::fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o7777;
            assert_eq!(mode, expected, "{name} is {mode:o}");
        }
    }
}

fn job_run(orchestrator: &Orchestrator, pair: &Pair) -> Ran {
    let job = root().join("examples/deploy-certs/job.yaml");
    let mut command = orchestrator.command(&["job", "run"]);
    command.arg(job).args(pair.variables());
    Ran::to_end(&mut command)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_puts_both_files_on_all_three_servers() {
    let orchestrator = Orchestrator::start(&[]);
    let nodes = ["web-1", "web-2", "web-3"].map(|name| Node::start(&orchestrator, name, "rw"));
    orchestrator.wait_for_nodes(3).await;
    let pair = Pair::new();

    let said = job_run(&orchestrator, &pair).expect(0);
    for (node, name) in nodes.iter().zip(["web-1", "web-2", "web-3"]) {
        pair.assert_deployed(&node.served());
        assert!(said.contains(name), "the closing table names every node:\n{said}");
    }
    let key = std::fs::read_to_string(pair.path("privkey.pem")).unwrap();
    let secret = key.lines().nth(1).unwrap();
    assert!(!said.contains(secret), "the key is not printed");

    // The renewed pair, under the same name: again on all three, from the run before or not.
    let renewed = Pair::new();
    job_run(&orchestrator, &renewed).expect(0);
    nodes.iter().for_each(|node| renewed.assert_deployed(&node.served()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_owner_allows_reading_only_refuses_and_the_command_fails() {
    let orchestrator = Orchestrator::start(&[]);
    let open = Node::start(&orchestrator, "open", "rw");
    let closed = Node::start(&orchestrator, "closed", "ro");
    orchestrator.wait_for_nodes(2).await;
    let pair = Pair::new();

    let said = job_run(&orchestrator, &pair).expect(1);
    pair.assert_deployed(&open.served());
    assert_eq!(std::fs::read_dir(closed.served()).unwrap().count(), 0, "nothing ran there");
    for word in ["closed", "/etc/nginx/ssl", "rw", "ro", "Compute.AllowListedLocalPaths"] {
        assert!(said.contains(word), "the refusal names `{word}`:\n{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_certificate_is_refused_by_the_guest_before_it_touches_anything() {
    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start(&orchestrator, "web-1", "rw");
    orchestrator.wait_for_nodes(1).await;
    let good = Pair::new();
    job_run(&orchestrator, &good).expect(0);

    let bad = Pair::new();
    std::fs::write(bad.path("fullchain.pem"), "not a certificate\n").unwrap();
    job_run(&orchestrator, &bad).expect(1);
    good.assert_deployed(&node.served());
}

#[test]
fn a_compute_node_alone_opens_no_port() {
    let orchestrator = Orchestrator::start(&[]);
    let node = Node::start(&orchestrator, "web-1", "rw");
    let wait = tokio::runtime::Runtime::new().unwrap();
    wait.block_on(orchestrator.wait_for_nodes(1));
    // State 0A is LISTEN; the inode says whose socket it is.
    let listening: Vec<String> = ["tcp", "tcp6"]
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(format!("/proc/net/{table}"))
                .unwrap_or_default()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|line| line.split_whitespace().nth(3) == Some("0A"))
        .filter_map(|line| line.split_whitespace().nth(9).map(|inode| format!("socket:[{inode}]")))
        .collect();
    assert!(!listening.is_empty(), "the orchestrator listens, and it is seen");
    let descriptors = std::fs::read_dir(format!("/proc/{}/fd", node.pid())).unwrap();
    for descriptor in descriptors {
        let target = std::fs::read_link(descriptor.unwrap().path()).unwrap_or_default();
        assert!(!listening.contains(&target.display().to_string()), "the node listens on {target:?}");
    }
}
