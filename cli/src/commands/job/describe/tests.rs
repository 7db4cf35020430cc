//! What is said of a job is what is true of it: words are read back and compared, whatever a seed made of the job.
//!
//! That the API says what is true is shown where the API is made.

use std::collections::BTreeMap;

use skrei_job::{
    ExecutionId, JobId, Manifest, NodeId, Timestamp,
    life::{self, ExecutionState, JobState},
    outcome::{Cause, Failure, Refusal, Rule, RunOutput},
};
use skrei_protocol::api::{
    List,
    execution::Execution,
    job::{Job, State},
    resources::Resources,
    rollout::Progress,
};

use super::*;

const SEEDS: u64 = 500;

/// Where an execution is, and which part of the job it is.
type Place = (String, u32);

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn state(&mut self) -> ExecutionState {
        let output = |code| RunOutput::head(b"as it should be\n", b"", Some(code));
        let failed = |cause, message: &str, code| {
            let output = RunOutput { exit_code: code, ..RunOutput::default() };
            ExecutionState::Failed(Failure { cause, message: message.to_owned(), hint: None, output })
        };
        match self.below(9) {
            0 => ExecutionState::Assigned,
            1 => ExecutionState::Running,
            2 => ExecutionState::Completed(output(0)),
            3 => failed(Cause::Exited, "exited with code 7", Some(7)),
            4 => failed(Cause::Trapped, "the guest trapped: unreachable", None),
            5 => failed(Cause::Timeout, "ran for longer than its execution timeout of 2 s", None),
            6 => ExecutionState::Refused(Refusal {
                rule: Rule::AllowList,
                message: "on no entry".to_owned(),
                hint: None,
            }),
            7 => ExecutionState::Cancelled { reason: "somebody stopped it".to_owned() },
            _ => ExecutionState::Lost,
        }
    }
}

/// A job as it is, made up by a seed: attempts one after another on some nodes, and nodes that it never got to.
struct Truth {
    state: JobState,
    message: &'static str,
    attempts: Vec<life::Execution>,
    missed: BTreeMap<String, String>,
}

impl Truth {
    fn of(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (nodes, parts) = (1 + dice.below(4), 1 + dice.below(2));
        let mut attempts = Vec::new();
        for number in 0..nodes * parts {
            for attempt in 0..1 + dice.below(3) {
                let created = Timestamp::from_nanos(1_800_000_000_000_000_000 + attempt as i64);
                attempts.push(life::Execution {
                    id: ExecutionId::new(format!("e-{number}-{attempt}")),
                    job: JobId::new("j-1"),
                    version: 1,
                    node: NodeId::new(format!("node-{}", number % nodes)),
                    partition: (number / nodes) as u32,
                    attempt: attempt as u32,
                    state: dice.state(),
                    created,
                    modified: created,
                    revision: 1,
                });
            }
        }
        let missed = (0..dice.below(3)).map(|number| (format!("away-{number}"), "not connected".to_owned()));
        let state = JobState::ALL[dice.below(JobState::ALL.len() as u64) as usize];
        let message = if dice.below(2) == 0 { "" } else { "1 node did not complete it" };
        Self { state, message, attempts, missed: missed.collect() }
    }

    fn answer(&self) -> GetJobResponse {
        let manifest: Manifest = serde_json::from_str(r#"{"Name": "told", "Type": "ops"}"#).unwrap();
        let of = |it| Execution::new(it, "default", "main", Resources::default());
        GetJobResponse {
            job: Job {
                id: "j-1".to_owned(),
                manifest,
                state: State { state_type: self.state, message: self.message.to_owned() },
                version: 1,
                revision: 1,
                create_time: 1_800_000_000_000_000_000,
                modify_time: 1_800_000_000_000_000_000,
            },
            history: None,
            executions: Some(List::whole(self.attempts.iter().map(of).collect())),
            progress: Some(self.progress()),
        }
    }

    /// As the API counts: what became of the last attempt at each place.
    fn progress(&self) -> Progress {
        let mut progress = Progress { phase: "Going".to_owned(), ..Progress::default() };
        for execution in self.last().values() {
            match execution.state {
                ExecutionState::Assigned | ExecutionState::Running => progress.running += 1,
                ExecutionState::Completed(_) => progress.done += 1,
                ExecutionState::Refused(_) => progress.refused += 1,
                _ => progress.failed += 1,
            }
        }
        progress.missed = self.missed.len();
        let reasons = self
            .last()
            .into_values()
            .filter_map(|it| Some((it.node.to_string(), it.state.reason()?.to_owned())));
        progress.nodes = reasons.chain(self.missed.clone()).collect();
        progress
    }

    fn last(&self) -> BTreeMap<Place, &life::Execution> {
        self.attempts.iter().map(|it| ((it.node.to_string(), it.partition), it)).collect()
    }
}

/// The cells of the rows of the table of nodes that has this column: columns stand where their names do.
fn rows(text: &str, column: &str) -> Vec<Vec<String>> {
    let mut lines = text.lines().skip_while(|line| !(line.starts_with("NODE ") && line.contains(column)));
    let Some(names) = lines.next() else { return Vec::new() };
    let starts: Vec<usize> = names
        .char_indices()
        .filter(|(at, _)| *at == 0 || names[..*at].ends_with("  "))
        .filter(|(at, _)| !names[*at..].starts_with(' '))
        .map(|(at, _)| at)
        .collect();
    let cell = |line: &str, number: usize| {
        let end = starts.get(number + 1).copied().unwrap_or(line.len()).min(line.len());
        line.get(starts[number].min(end)..end).unwrap_or_default().trim().to_owned()
    };
    lines
        .take_while(|line| !line.is_empty())
        .map(|line| (0..starts.len()).map(|number| cell(line, number)).collect())
        .collect()
}

fn said<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

#[test]
fn a_person_is_told_what_is_true_whatever_became_of_the_job() {
    for seed in 0..SEEDS {
        let truth = Truth::of(seed);
        let text = text(&truth.answer(), &[], Look::PLAIN, Style::PLAIN);
        let hint = format!("seed {seed}:\n{text}");
        assert_eq!(said(&text, "State "), Some(truth.state.as_str()), "{hint}");
        assert_eq!(said(&text, "Message ").unwrap_or_default(), truth.message, "{hint}");

        let expected: Vec<Vec<String>> = truth
            .last()
            .into_values()
            .map(|it| {
                let code = match &it.state {
                    ExecutionState::Completed(_) => "0",
                    ExecutionState::Failed(failure) if failure.cause == Cause::Exited => "7",
                    _ => "-",
                };
                let reason = match &it.state {
                    ExecutionState::Completed(_) => "as it should be",
                    state => state.reason().unwrap_or_default(),
                };
                [it.node.as_str(), it.state.as_str(), code, reason].map(str::to_owned).to_vec()
            })
            .collect();
        assert_eq!(rows(&text, "EXIT CODE"), expected, "{hint}");

        let progress = truth.progress();
        if progress.is_of_several() {
            assert_eq!(said(&text, "Progress "), Some(progress.summary().as_str()), "{hint}");
            // Who has an execution has its reason there.
            let missed: Vec<_> =
                truth.missed.iter().map(|(node, why)| vec![node.clone(), why.clone()]).collect();
            assert_eq!(rows(&text, "WHY IT IS NOT DONE"), missed, "{hint}");
        }
    }
}
