//! Disks that are full or may not be written, and copies of what is on them.

use std::{
    fs::File,
    io::Write as _,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use skrei_protocol::{
    api::{error::Code, execution::compute_state},
    client::{Client, Error},
};

use super::harness::{JobFile, Node, Orchestrator, PATIENCE, Ran, free_port, skrei, wait_for_end};

/// No file may be longer than this: the store's log meets it soon.
const FILE_BYTES_MAX: u64 = 2 << 20;

/// A server whose files may not grow beyond a bound that can be lifted: a disk that is full, and has room again.
struct Bounded {
    child: Child,
    client: Client,
    directory: tempfile::TempDir,
}

impl Bounded {
    fn start(roles: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let port = free_port();
        // What is ignored stays so: a write that is too long fails instead of ending the process.
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_skrei")]);
        command.arg("serve").args(roles).args(["--api-port", &port.to_string(), "--data-dir"]);
        command
            .arg(directory.path().join("data"))
            .args(["-c", &format!("Orchestrator.Port={}", free_port())]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let client = Client::new(&format!("http://127.0.0.1:{port}")).unwrap();
        Self { child, client, directory }
    }

    async fn answers(&self) {
        let start = Instant::now();
        while self.client.alive().await.is_err() {
            assert!(start.elapsed() < PATIENCE, "it does not start");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn bound(&self, bytes: Option<u64>) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        prlimit(Some(pid), Resource::Fsize, Rlimit { current: bytes, maximum: None }).unwrap();
    }
}

impl Drop for Bounded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_with_its_cause_loses_nothing_and_serves_again_when_there_is_room() {
    let orchestrator = Bounded::start(&["--orchestrator"]);
    orchestrator.answers().await;
    let client = &orchestrator.client;
    let job = JobFile::new(client, "batch", skrei_test_guests::noop(), &[]).await.manifest();
    orchestrator.bound(Some(FILE_BYTES_MAX));
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    // The first refusal may come while the log is full and not yet folded: then there is room once more. It stays refused
    // when the file has met the bound, too.
    while refused < 4 {
        match client.submit(&job, false).await {
            Ok(accepted) => {
                acknowledged.push(accepted.job_id);
                refused = 0;
            }
            Err(Error::Api(body)) => {
                assert_eq!(body.code, Code::ServiceUnavailable);
                assert!(body.hint.contains("full disk"), "{body:?}");
                refused += 1;
            }
            Err(error) => panic!("no answer: {error}"),
        }
        assert!(acknowledged.len() < 50_000, "the bound is never met");
    }
    assert!(client.job(&acknowledged[0], "history").await.is_ok(), "what is there can be read");

    orchestrator.bound(None);
    let start = Instant::now();
    let again = loop {
        match client.submit(&job, false).await {
            Ok(accepted) => break accepted.job_id,
            Err(error) => assert!(start.elapsed() < PATIENCE, "no service though there is room: {error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    acknowledged.push(again);
    let (mut listed, mut token) = (0, String::new());
    loop {
        let page = client.jobs("", 1000, &token).await.unwrap();
        listed += page.items.len();
        if page.next_token.is_empty() {
            break;
        }
        token = page.next_token;
    }
    assert_eq!(listed, acknowledged.len(), "all that was acknowledged, and nothing that was refused");
    let copy = orchestrator.directory.path().join("copy.db");
    let backup = Ran::to_end(
        skrei(["backup", "--data-dir"]).arg(orchestrator.directory.path().join("data")).arg(&copy),
    );
    assert!(backup.expect(0).contains("checked"), "the store is whole: {}", backup.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn results_for_which_the_disk_has_no_room_fail_their_execution_and_leave_nothing() {
    let server = Bounded::start(&["--orchestrator", "--compute"]);
    server.answers().await;
    let client = &server.client;
    // Twice as long on standard output, and of little use to a compressor.
    let noise = format!("random {FILE_BYTES_MAX}");
    let job = JobFile::new(client, "batch", skrei_test_guests::probe(), &[&noise]).await;
    let job = job.with("/Tasks/0/Publisher", serde_json::json!({"Type": "local"}));
    let run = async || {
        let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
        let ended = wait_for_end(client, &id).await;
        (ended.job.state, client.results("default", &id).await.unwrap().len())
    };
    let start = Instant::now();
    while client.nodes("").await.unwrap().iter().all(|node| node.connection != "CONNECTED") {
        assert!(start.elapsed() < PATIENCE, "the node does not link up");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.bound(Some(FILE_BYTES_MAX));
    let (state, results) = run().await;
    assert_eq!((state.state_type.as_str(), results), ("Failed", 0), "{state:?}");
    assert!(state.message.contains("its results cannot be published"), "{state:?}");
    assert!(state.message.contains("node's disk"), "{state:?}");
    let left = |folder: &str| {
        let files = std::fs::read_dir(server.directory.path().join("data").join(folder)).unwrap();
        files.filter(|entry| entry.as_ref().unwrap().file_name() != "incoming").count()
    };
    for folder in
        ["compute/outbox", "compute/results", "orchestrator/results", "orchestrator/results/incoming"]
    {
        assert_eq!(left(folder), 0, "{folder}");
    }

    server.bound(None);
    let (state, results) = run().await;
    assert_eq!((state.state_type.as_str(), results), ("Completed", 1), "{state:?}");
    assert_eq!((left("compute/outbox"), left("orchestrator/results")), (0, 1));
}

/// A filesystem of its own, and small; for whoever may mount one.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    fn mount(at: PathBuf, bytes: u64) -> Result<Self, String> {
        let options = format!("size={bytes},mode=0700");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "none"]).arg(&at);
        let mounted = mount.output().map_err(|error| error.to_string())?;
        match mounted.status.success() {
            true => Ok(Self { at }),
            false => Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned()),
        }
    }

    fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.at).unwrap();
        disk.f_bavail * disk.f_frsize
    }

    /// Fills it until so many bytes are left.
    fn fill(&self, left: u64) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        // The orchestrator may be quicker with what is left.
        while self.free() > left
            && ballast.write_all(&vec![1; (self.free() - left).min(1 << 20) as usize]).is_ok()
        {}
    }

    fn clear(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.at.join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Also while somebody still has a file open on it.
        let _ = Command::new("umount").arg("--lazy").arg(&self.at).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orchestrator_whose_disk_is_full_takes_no_results_nor_jobs_and_loses_nothing_even_if_it_is_killed()
{
    let mut orchestrator = Orchestrator::start(&[]);
    // On a disk of its own it begins anew.
    orchestrator.kill();
    let disk = match SmallDisk::mount(orchestrator.data_dir(), 64 << 20) {
        Ok(disk) => disk,
        Err(why) => return eprintln!("SKIPPED: no filesystem can be mounted here: {why}"),
    };
    orchestrator.start_again();
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let small = JobFile::new(&client, "batch", skrei_test_guests::noop(), &[]).await.manifest();
    let noise = format!("random {}", 7 << 20);
    let job = JobFile::new(&client, "batch", skrei_test_guests::probe(), &[&noise]).await;
    let job = job.with("/Tasks/0/Publisher", serde_json::json!({"Type": "local"}));
    let job = job.with("/Tasks/0/Resources/Memory", "128MB".into()).manifest();
    let results = async |id: &str| client.results("default", id).await.unwrap().len();
    let files = |folder: &str| std::fs::read_dir(disk.at.join("orchestrator").join(folder)).unwrap().count();

    // A piece of them fits, and the next does not.
    disk.fill(5 << 20);
    let refused = client.submit(&job, false).await.unwrap().job_id;
    let ended = wait_for_end(&client, &refused).await.job.state;
    assert_eq!(ended.state_type.as_str(), "Failed", "{ended:?}");
    for words in ["its results cannot be published", "the orchestrator", "No space left on device"] {
        assert!(ended.message.contains(words), "{words}: {ended:?}");
    }
    assert_eq!((results(&refused).await, files("results"), files("results/incoming")), (0, 1, 0));

    disk.fill(0);
    let mut acknowledged = vec![refused];
    let error = loop {
        match client.submit(&small, false).await {
            Ok(accepted) => acknowledged.push(accepted.job_id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 5000, "the disk is never full");
    };
    let Error::Api(body) = &error else { panic!("no answer: {error}") };
    assert_eq!(body.code, Code::ServiceUnavailable);
    assert!(body.hint.contains("full disk"), "{body:?}");
    assert!(client.job(&acknowledged[0], "history").await.is_ok(), "what is there can be read");

    // Killed in the middle of it, with a log that could not be written to its end.
    orchestrator.kill();
    disk.clear();
    orchestrator.start_again();
    orchestrator.wait_for_nodes(1).await;
    for id in &acknowledged {
        assert!(client.job(id, "").await.is_ok(), "job {id} was acknowledged");
    }
    let served = client.submit(&job, false).await.unwrap().job_id;
    let ended = wait_for_end(&client, &served).await.job.state;
    assert_eq!(ended.state_type.as_str(), "Completed", "{ended:?}");
    assert_eq!(results(&served).await, 1);
    let copy = orchestrator.directory().join("copy.db");
    let backup = Ran::to_end(skrei(["backup", "--data-dir"]).arg(&disk.at).arg(&copy));
    assert!(backup.expect(0).contains("checked"), "the store is whole: {}", backup.said());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_is_full_loses_nothing_that_is_done_says_so_and_goes_on_when_there_is_room() {
    let orchestrator = Orchestrator::start(&[]);
    let address = format!("Compute.Orchestrators=127.0.0.1:{}", orchestrator.node_port());
    let node = Bounded::start(&["--compute", "--name", "worker", "-c", &address]);
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let unwell = async |is_so: bool| {
        let start = Instant::now();
        loop {
            let unwell = client.node("worker").await.unwrap().unwell;
            if unwell.is_empty() != is_so {
                return unwell;
            }
            assert!(start.elapsed() < PATIENCE, "unwell: `{unwell}`");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let once = JobFile::new(&client, "ops", skrei_test_guests::sleep(), &["2000"]).await;
    let done = client.submit(&once.manifest(), true).await.unwrap().job_id;
    let runs = async || {
        let executions = client.executions(&done).await.unwrap().items;
        executions.iter().any(|execution| execution.compute_state.state_type == compute_state::RUNNING)
    };
    let start = Instant::now();
    while !runs().await {
        assert!(start.elapsed() < PATIENCE, "the guest does not start");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // What is there already may be written over, and nothing more.
    node.bound(Some(1));
    let why = unwell(true).await;
    assert!(why.contains("journal cannot be written"), "{why}");
    let listed = orchestrator.run(&["node", "list"]).expect(0);
    assert!(listed.contains("CONNECTED, unwell: its journal cannot be written"), "{listed}");
    let late = JobFile::new(&client, "batch", skrei_test_guests::noop(), &[]).await;
    let late = late.with("/Tasks/0/Timeouts", serde_json::json!({"QueueTimeout": 600}));
    let late = client.submit(&late.manifest(), true).await.unwrap().job_id;
    let state = client.job(&late, "").await.unwrap().job.state;
    assert_eq!(state.state_type.as_str(), "Queued", "{state:?}");
    assert!(state.message.contains("unwell"), "{state:?}");
    assert!(runs().await, "nobody has heard how it ended");

    node.bound(None);
    unwell(false).await;
    for job in [&done, &late] {
        let ended = wait_for_end(&client, job).await;
        assert_eq!(ended.job.state.state_type.as_str(), "Completed", "{ended:#?}");
        assert_eq!(ended.executions.unwrap().items.len(), 1, "nothing ran twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_that_may_not_be_written_is_said_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let mode = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(directory.path(), mode(0o755)).unwrap();
    std::fs::set_permissions(&data, mode(0o555)).unwrap();
    let mut command =
        skrei(["serve", "--orchestrator", "--api-port", "0", "-c", "Orchestrator.Port=0", "--data-dir"]);
    command.arg(&data);
    if rustix::process::geteuid().is_root() {
        // Nothing is read-only for root.
        command.uid(65534).gid(65534);
        if let Err(error) = command.output() {
            return eprintln!("SKIPPED: the binary cannot be run as somebody else here: {error}");
        }
    }
    let ran = Ran::to_end(&mut command);
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains(&*data.to_string_lossy()), "{}", ran.said());
    std::fs::set_permissions(&data, mode(0o755)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_an_orchestrator_at_work_starts_as_one() {
    let mut orchestrator = Orchestrator::start(&[]);
    let _node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "ops", skrei_test_guests::noop(), &[]).await.with("/Name", "kept".into());
    let id = client.submit(&job.manifest(), false).await.unwrap().job_id;
    wait_for_end(&client, &id).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("copy.db");
    let data = orchestrator.data_dir();
    let backup = |file: &Path| Ran::to_end(skrei(["backup", "--data-dir"]).arg(&data).arg(file));
    let said = backup(&file);
    assert!(said.expect(0).contains("1 artifacts"), "{}", said.said());
    let artifacts = std::fs::read_to_string(directory.path().join("copy.db.artifacts")).unwrap();
    assert!(artifacts.lines().all(|path| Path::new(path).is_file()) && artifacts.lines().count() == 1);
    assert_ne!(backup(&file).code, Some(0), "nothing is written over");
    let nowhere =
        Ran::to_end(skrei(["backup", "--data-dir"]).arg(directory.path()).arg(directory.path().join("x")));
    assert!(nowhere.expect(3).contains("no orchestrator's store"), "{}", nowhere.said());

    // All that was there is lost, and the copy takes its place.
    orchestrator.kill();
    let store = data.join("orchestrator");
    for name in ["orchestrator.db", "orchestrator.db-wal", "orchestrator.db-shm"] {
        let _ = std::fs::remove_file(store.join(name));
    }
    std::fs::copy(&file, store.join("orchestrator.db")).unwrap();
    orchestrator.start_again();
    let kept = client.job("kept", "history").await.unwrap();
    assert_eq!(kept.job.id, id);
    assert_eq!(kept.history.unwrap().items.last().unwrap().event.message, "Completed");
}
