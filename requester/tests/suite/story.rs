//! The API, the history and the progress of a job tell the same story at every step, and it is the true one.
//!
//! What nodes say is chosen by a seed; a naive model keeps what must be true after each word. The orchestrator is started
//! again in the middle of every other story.

use std::collections::BTreeMap;

use skrei_job::{
    ExecutionId, Manifest,
    life::ExecutionState,
    outcome::{Cause, Failure, Refusal, Rule, RunOutput},
};
use skrei_protocol::{
    api::{execution::compute_state, history::Level},
    link::Assignment,
};

use super::harness::{Node, Orchestrator, completed, job};

const NODES: [&str; 3] = ["a", "b", "c"];

/// Stories that are told.
const SEEDS: u64 = 12;

/// What is true of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Assigned,
    Running,
    Completed,
    Failed,
    Refused,
    Cancelled,
}

impl Truth {
    fn is_over(self) -> bool {
        !matches!(self, Self::Assigned | Self::Running)
    }

    /// As the API says it.
    fn number(self) -> u8 {
        match self {
            Self::Assigned => compute_state::ACCEPTED,
            Self::Running => compute_state::RUNNING,
            Self::Completed => compute_state::COMPLETED,
            Self::Failed => compute_state::FAILED,
            Self::Refused => compute_state::REFUSED,
            Self::Cancelled => compute_state::CANCELLED,
        }
    }

    /// As the last word of the history about an execution.
    fn of_history(message: &str) -> Option<Self> {
        let is = |start: &str| message.starts_with(start);
        match () {
            () if is("Requested execution") => Some(Self::Assigned),
            () if is("Running") => Some(Self::Running),
            () if is("Completed successfully") => Some(Self::Completed),
            () if is("Refused by") => Some(Self::Refused),
            () if is("exited with code") => Some(Self::Failed),
            () if is("Cancelled") => Some(Self::Cancelled),
            () => None,
        }
    }
}

/// A job, and what must be true of it.
struct Story {
    job: String,
    is_ops: bool,
    executions: BTreeMap<ExecutionId, Truth>,
    stopped: bool,
}

impl Story {
    fn count(&self, truth: impl Fn(Truth) -> bool) -> usize {
        self.executions.values().filter(|it| truth(**it)).count()
    }

    /// The job's state follows from those of its executions.
    fn state(&self) -> &'static str {
        let wrong = self.count(|it| matches!(it, Truth::Failed | Truth::Refused | Truth::Cancelled));
        match () {
            () if self.stopped => "Stopped",
            // The first partition that cannot be done ends the job; a node that cannot lets the others go on.
            () if !self.is_ops && wrong > 0 => "Failed",
            () if self.count(|it| !it.is_over()) > 0 => "Running",
            () if wrong > 0 => "Failed",
            () => "Completed",
        }
    }

    /// Compares all that can be asked with what is true.
    async fn is_told(&self, orchestrator: &Orchestrator, step: &str) {
        let client = &orchestrator.client;
        let found = client.job(&self.job, "executions,history").await.unwrap();
        assert_eq!(found.job.state.state_type.as_str(), self.state(), "{step}: {found:#?}");

        let executions = found.executions.unwrap().items;
        let said: BTreeMap<_, _> = executions
            .iter()
            .map(|it| (ExecutionId::new(it.id.as_str()), it.compute_state.state_type))
            .collect();
        let true_states: BTreeMap<_, _> =
            self.executions.iter().map(|(id, truth)| (id.clone(), truth.number())).collect();
        assert_eq!(said, true_states, "{step}: executions");
        assert_eq!(
            client.executions(&self.job).await.unwrap().items.len(),
            executions.len(),
            "{step}: the list"
        );

        let history = found.history.unwrap().items;
        assert!(
            history.iter().map(|entry| entry.seq_num).eq(1..=history.len() as u64),
            "{step}: {history:#?}"
        );
        let mut last = BTreeMap::new();
        for entry in history.iter().filter(|entry| entry.kind == Level::Execution) {
            if let Some(truth) = Truth::of_history(&entry.event.message) {
                last.insert(ExecutionId::new(entry.execution_id.as_str()), truth);
            }
        }
        assert_eq!(last, self.executions, "{step}: {history:#?}");
        let states = history.iter().filter(|entry| entry.kind == Level::Job);
        let state = states.filter_map(|entry| entry.event.detail("NewState")).next_back();
        assert_eq!(state, Some(self.state()), "{step}: {history:#?}");

        let progress = client.progress(&self.job).await.unwrap();
        let counted = (progress.done, progress.running, progress.failed, progress.refused);
        let expected = (
            self.count(|it| it == Truth::Completed),
            self.count(|it| !it.is_over()),
            self.count(|it| matches!(it, Truth::Failed | Truth::Cancelled)),
            self.count(|it| it == Truth::Refused),
        );
        assert_eq!(counted, expected, "{step}: {progress:#?}");
        let listed = client.jobs("", 10, "").await.unwrap().items;
        let in_list = listed.iter().find(|job| job.id == self.job).unwrap();
        assert_eq!(in_list.state.state_type.as_str(), self.state(), "{step}: the list of jobs");
    }
}

/// What a node says next of an execution.
fn next(truth: Truth, dice: u64, is_ops: bool) -> (Truth, ExecutionState) {
    let failure = Failure {
        cause: Cause::Exited,
        message: "exited with code 3".to_owned(),
        hint: None,
        output: RunOutput::default(),
    };
    let refusal = Refusal { rule: Rule::AllowList, message: "on no entry".to_owned(), hint: None };
    match (truth, dice % 4) {
        // A partition that is refused is given to another node, which is another story.
        (Truth::Assigned, 0) if is_ops => (Truth::Refused, ExecutionState::Refused(refusal)),
        (Truth::Assigned, _) => (Truth::Running, ExecutionState::Running),
        (_, 0) => (Truth::Failed, ExecutionState::Failed(failure)),
        _ => (Truth::Completed, completed("done")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_hears_the_same_story_at_every_step() {
    for seed in 0..SEEDS {
        let mut dice = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut roll = || {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice >> 8
        };
        let directory = tempfile::tempdir().unwrap();
        let mut orchestrator = Orchestrator::start(&directory).await;
        let is_ops = seed % 3 != 0;
        let manifest = match is_ops {
            true => job("ops"),
            false => Manifest { count: Some(3), ..job("batch") },
        };
        let mut nodes = linked(&orchestrator).await;
        let id = orchestrator.submit(&manifest).await;
        let mut open = assignments(&mut nodes, is_ops).await;
        let executions = open.iter().map(|(_, id)| (id.clone(), Truth::Assigned)).collect();
        let mut story = Story { job: id.clone(), is_ops, executions, stopped: false };
        story.is_told(&orchestrator, &format!("seed {seed}: submitted")).await;

        let (mut step, restart_at, stop_at) = (0, roll() % 4, roll() % 12);
        while story.state() == "Running" {
            step += 1;
            if seed % 2 == 0 && step == restart_at {
                drop(nodes);
                orchestrator.stop().await;
                orchestrator = Orchestrator::start(&directory).await;
                nodes = linked(&orchestrator).await;
                story.is_told(&orchestrator, &format!("seed {seed}: started again")).await;
            }
            if step == stop_at {
                orchestrator.client.stop(&id, Some("enough".to_owned())).await.unwrap();
                story.stopped = true;
            } else {
                let at = usize::try_from(roll()).unwrap_or_default() % open.len();
                let (node, execution) = open[at].clone();
                let (truth, state) = next(story.executions[&execution], roll(), is_ops);
                nodes[node].report(&execution, state).await;
                story.executions.insert(execution, truth);
                open.retain(|(_, id)| !story.executions[id].is_over());
            }
            if story.state() != "Running" {
                // What still went on is over with the job.
                story
                    .executions
                    .values_mut()
                    .filter(|it| !it.is_over())
                    .for_each(|it| *it = Truth::Cancelled);
            }
            story.is_told(&orchestrator, &format!("seed {seed}: step {step}")).await;
        }
        orchestrator.stop().await;
    }
}

async fn linked(orchestrator: &Orchestrator) -> Vec<Node> {
    let mut nodes = Vec::new();
    for name in NODES {
        nodes.push(orchestrator.node(name).await);
    }
    nodes
}

/// Which node has which execution: one on each for an ops job, and for three partitions where there is most room.
async fn assignments(nodes: &mut [Node], is_ops: bool) -> Vec<(usize, ExecutionId)> {
    let mut open = Vec::new();
    for (number, node) in nodes.iter_mut().enumerate() {
        let Assignment { execution, .. } = node.assignment().await;
        open.push((number, execution));
    }
    assert_eq!(open.len(), if is_ops { NODES.len() } else { 3 }, "one for each node");
    open
}
