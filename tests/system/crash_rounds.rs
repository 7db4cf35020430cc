//! Killed again and again at random moments under load, against a model of what was acknowledged.
//!
//! `SKREI_CRASH_ROUNDS=50` asks for all rounds; the tests make a few. What a run did is named by its seed, which a
//! failure shows and `SKREI_CRASH_SEED` repeats as far as the machine allows.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::json;
use skrei_job::life::JobState;
use skrei_protocol::{api::job::GetJobResponse, client::Client};
use tokio::{sync::Mutex, task::JoinSet};

use super::harness::{JobFile, Node, Orchestrator, wait_for_end};

/// Rounds in a run of the tests.
const ROUNDS: u64 = 4;

/// Jobs submitted in a round, by so many at once.
const JOBS: u64 = 40;
const SUBMITTERS: u64 = 8;

/// Jobs that are submitted again and again under one name.
const NAMES: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_and_nothing_runs_twice_however_often_everything_is_killed() {
    let rounds = number("SKREI_CRASH_ROUNDS").unwrap_or(ROUNDS);
    let seed = number("SKREI_CRASH_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    let mut dice = Dice(seed);
    let mut orchestrator = Orchestrator::start(&[]);
    let mut node = Node::start(&orchestrator, "worker", "rw");
    orchestrator.wait_for_nodes(1).await;
    let client = orchestrator.client();
    let job = JobFile::new(&client, "batch", skrei_test_guests::append(), &[]).await.mounted(true);
    // The node may be away, too.
    let job = job.with("/Tasks/0/Timeouts", json!({"QueueTimeout": 600}));
    let model = Arc::new(Mutex::new(Model::default()));
    for round in 0..rounds {
        let mut load = JoinSet::new();
        for submitter in 0..SUBMITTERS {
            let (client, job, model) = (client.clone(), job.clone(), Arc::clone(&model));
            load.spawn(submit(client, job, model, round, submitter, dice.next()));
        }
        tokio::time::sleep(Duration::from_millis(30 + dice.below(700))).await;
        if dice.below(3) == 0 {
            node.kill();
            node.start_again();
            tokio::time::sleep(Duration::from_millis(dice.below(300))).await;
        }
        orchestrator.kill();
        load.abort_all();
        while load.join_next().await.is_some() {}
        orchestrator.start_again();
        model.lock().await.is_kept(&client, seed).await;
    }
    orchestrator.wait_for_nodes(1).await;
    let model = model.lock().await;
    assert!(model.acknowledged.len() as u64 > rounds, "there was load: {}", model.acknowledged.len());
    for (id, promised) in &model.acknowledged {
        let job = wait_for_end(&client, id).await;
        assert_whole(&client, &job, seed).await;
        let Promise::Runs { file, once } = promised else { continue };
        let ran = std::fs::read_to_string(node.served().join(file)).unwrap_or_default();
        let (runs, attempts) = (ran.matches("ran\n").count(), job.executions.as_ref().unwrap().items.len());
        // A node that was killed with it says so; then it may have run before, and a batch job is tried again.
        assert!(runs <= attempts, "seed {seed}: {runs} runs of {attempts} executions: {job:#?}");
        assert!(
            !once || attempts <= 1,
            "seed {seed}: an ops job has one execution on a node at most: {job:#?}"
        );
        if job.job.state.state_type == JobState::Completed {
            assert!(runs > 0 && (attempts > 1 || runs == 1), "seed {seed}: {ran:?} {job:#?}");
        }
    }
}

/// What was promised to callers.
#[derive(Default)]
struct Model {
    /// By job id.
    acknowledged: BTreeMap<String, Promise>,
    /// The highest version that was acknowledged, by name.
    versions: BTreeMap<String, u64>,
}

#[derive(Clone)]
enum Promise {
    /// It says in this file whenever it runs; each execution of it runs once at most, and if `once`, there is one alone.
    Runs { file: String, once: bool },
    /// A version of a job with a name.
    Named,
}

impl Model {
    /// Everything acknowledged is there right after a start.
    async fn is_kept(&self, client: &Client, seed: u64) {
        for id in self.acknowledged.keys() {
            let found = client.job(id, "").await;
            assert!(found.is_ok(), "seed {seed}: job {id} was acknowledged: {found:?}");
        }
        for (name, version) in &self.versions {
            let found = client.job(name, "").await.unwrap().job.version;
            assert!(found >= *version, "seed {seed}: `{name}` is at {found}, {version} was acknowledged");
        }
    }
}

/// Submits one job after the other and notes what is acknowledged. Whatever is cut off may or may not be stored.
async fn submit(
    client: Client,
    job: JobFile,
    model: Arc<Mutex<Model>>,
    round: u64,
    submitter: u64,
    seed: u64,
) {
    let mut dice = Dice(seed);
    for number in 0..JOBS / SUBMITTERS {
        if dice.below(4) == 0 {
            let name = format!("name-{}", dice.below(NAMES));
            let file = format!("/out/{name}");
            let job = job.clone().with("/Name", json!(name)).with("/Priority", json!(dice.below(1000)));
            let job = job.with("/Tasks/0/Engine/Params/Parameters", json!([file]));
            if let Ok(accepted) = client.submit(&job.manifest(), true).await {
                let version = client.job(&accepted.job_id, "").await.map_or(1, |job| job.job.version);
                let mut model = model.lock().await;
                model.acknowledged.insert(accepted.job_id, Promise::Named);
                let known = model.versions.entry(name).or_default();
                *known = version.max(*known);
            }
        } else {
            let file = format!("{round}-{submitter}-{number}");
            let once = number % 2 == 0;
            let kind = if once { "ops" } else { "batch" };
            let job = job.clone().with("/Tasks/0/Engine/Params/Parameters", json!([format!("/out/{file}")]));
            let job = job.with("/Type", json!(kind));
            if let Ok(accepted) = client.submit(&job.manifest(), false).await {
                model.lock().await.acknowledged.insert(accepted.job_id, Promise::Runs { file, once });
            }
        }
    }
}

/// The history has no gap over all versions, and the latest version ends once.
async fn assert_whole(client: &Client, job: &GetJobResponse, seed: u64) {
    let (mut entries, mut token) = (Vec::new(), String::new());
    loop {
        let page = client.history(&job.job.id, true, &token).await.unwrap();
        entries.extend(page.items);
        if page.next_token.is_empty() {
            break;
        }
        token = page.next_token;
    }
    let numbers: Vec<u64> = entries.iter().map(|entry| entry.seq_num).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "seed {seed}: {entries:#?}");
    let ends = entries
        .iter()
        .filter(|entry| entry.job_version == job.job.version)
        .filter(|entry| matches!(entry.event.detail("NewState"), Some("Completed" | "Failed" | "Stopped")));
    assert_eq!(ends.count(), 1, "seed {seed}: a version ends once: {entries:#?}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Numbers that look random and come from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
