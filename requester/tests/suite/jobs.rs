//! A job's life as its submitter sees it.

use std::time::Duration;

use skrei_job::{
    defaults::{JobDefaults, TypeDefaults},
    life::{ExecutionState, JobState},
};
use skrei_protocol::{
    api::{
        error::Code,
        execution::compute_state,
        job::{RerunJobRequest, RerunJobResponse},
    },
    client::Error,
};

use super::harness::{Orchestrator, completed, job};

#[tokio::test(flavor = "multi_thread")]
async fn an_ops_job_runs_on_every_node_and_its_story_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut nodes = [orchestrator.node("a").await, orchestrator.node("b").await];
    let id = orchestrator.submit(&job("ops")).await;
    for node in &mut nodes {
        let assignment = node.assignment().await;
        assert_eq!(assignment.job.as_str(), id);
        node.report(&assignment.execution, ExecutionState::Running).await;
        node.report(&assignment.execution, completed("hi\n")).await;
    }
    orchestrator.wait_for_state(&id, "Completed").await;

    let story = orchestrator.client.job(&id, "executions,history").await.unwrap();
    assert_eq!(story.job.state.state_type, JobState::Completed);
    let executions = story.executions.unwrap().items;
    let states: Vec<_> = executions.iter().map(|execution| execution.compute_state.state_type).collect();
    assert_eq!(states, [compute_state::COMPLETED; 2]);
    assert_eq!(executions[0].run_output.as_ref().unwrap().stdout, "hi\n");
    let told: Vec<_> = story
        .history
        .unwrap()
        .items
        .into_iter()
        .map(|entry| (entry.seq_num, entry.event.topic, entry.event.message))
        .collect();
    assert_eq!(told[0], (1, "Submission".to_owned(), "Job submitted".to_owned()));
    assert!(told.iter().map(|(number, ..)| *number).eq(1..=told.len() as u64), "{told:?}");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_node_may_run_fails_and_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    let mut job = job("ops");
    job.constraints = vec![
        serde_json::from_value(serde_json::json!({"Key": "zone", "Operator": "=", "Values": ["x"]})).unwrap(),
    ];
    let id = orchestrator.submit(&job).await;
    orchestrator.wait_for_state(&id, "Failed").await;
    let state = orchestrator.client.job(&id, "").await.unwrap().job.state;
    assert!(state.message.contains("zone"), "{}", state.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn history_gives_a_token_while_the_job_lives_and_none_when_it_is_over_and_read() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let assignment = node.assignment().await;
    let client = &orchestrator.client;
    let page = client.history(&id, false, "").await.unwrap();
    assert!(!page.next_token.is_empty() && !page.items.is_empty());
    let empty = client.history(&id, false, &page.next_token).await.unwrap();
    assert_eq!(
        (empty.next_token.as_str(), empty.items.len()),
        (page.next_token.as_str(), 0),
        "asked again, same place"
    );

    node.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    let rest = client.history(&id, false, &page.next_token).await.unwrap();
    assert!(rest.next_token.is_empty() && !rest.items.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_tells_the_node_and_a_late_outcome_changes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let assignment = node.assignment().await;
    node.report(&assignment.execution, ExecutionState::Running).await;

    let client = &orchestrator.client;
    let stopped = client.stop(&id, Some("enough".to_owned())).await.unwrap();
    assert!(!stopped.evaluation_id.is_empty());
    let cancel = node.hear().await;
    assert!(matches!(cancel, skrei_protocol::link::ToNode::Cancel { .. }), "{cancel:?}");
    node.report(&assignment.execution, completed("too late")).await;
    let job = client.job(&id, "").await.unwrap().job;
    assert_eq!((job.state.state_type, job.state.message.as_str()), (JobState::Stopped, "enough"));
    let again = client.stop(&id, None).await.unwrap();
    assert!(again.evaluation_id.is_empty(), "stopping twice is no error");
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_in_pages_by_label_and_found_by_short_id() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let mut job = job("batch");
        job.labels = [("number".to_owned(), number.to_string())].into();
        ids.push(orchestrator.submit(&job).await);
    }
    let client = &orchestrator.client;
    let first = client.jobs("number!=2", 3, "").await.unwrap();
    let second = client.jobs("number!=2", 3, &first.next_token).await.unwrap();
    let listed: Vec<_> = first.items.into_iter().chain(second.items).map(|job| job.id).collect();
    assert_eq!(listed, [4, 3, 1, 0].map(|number: usize| ids[number].clone()), "newest first");
    assert!(second.next_token.is_empty());
    assert_eq!(client.job(&ids[0][..10], "").await.unwrap().job.id, ids[0]);
    assert!(client.job("j-", "").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_runs_again_as_any_of_its_versions_and_all_of_them_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let first = skrei_job::Manifest { name: "nightly".to_owned(), ..job("ops") };
    let second = skrei_job::Manifest { priority: 7, ..first.clone() };
    let id = orchestrator.submit(&first).await;
    let run = async |node: &mut super::harness::Node| {
        let assignment = node.assignment().await;
        node.report(&assignment.execution, completed("")).await;
        orchestrator.wait_for_state(&id, "Completed").await;
        assignment.spec.manifest().priority
    };
    assert_eq!(run(&mut node).await, 0);

    let diff = orchestrator.client.diff(&second, false).await.unwrap().diff;
    assert!(diff.contains("\n-   \"Priority\": 0") && diff.contains("\n+   \"Priority\": 7"), "{diff}");
    assert_eq!(orchestrator.client.diff(&first, false).await.unwrap().diff, "");
    assert_eq!(orchestrator.submit(&second).await, id);
    assert_eq!(run(&mut node).await, 7);

    let rerun = again(&orchestrator, "nightly", 1).await.unwrap();
    assert_eq!((rerun.job_id.as_str(), rerun.job_version), (id.as_str(), 3));
    assert_eq!(run(&mut node).await, 0);
    assert_eq!(again(&orchestrator, &id, 0).await.unwrap().job_version, 4);
    assert_eq!(run(&mut node).await, 0);
    let versions = orchestrator.client.versions("nightly").await.unwrap();
    let versions: Vec<_> = versions.iter().map(|job| (job.version, job.manifest.priority)).collect();
    assert_eq!(versions, [(1, 0), (2, 7), (3, 0), (4, 0)]);
    let unknown = again(&orchestrator, "nightly", 9).await.unwrap_err().to_string();
    assert!(unknown.contains("no version `9`"), "{unknown}");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unnamed_job_that_has_been_forgotten_runs_again_under_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let assignment = node.assignment().await;
    node.report(&assignment.execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    orchestrator.stop().await;

    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = orchestrator.node("a").await;
    assert_eq!(again(&orchestrator, &id, 0).await.unwrap().job_version, 2);
    assert_eq!(node.assignment().await.job.as_str(), id);
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_that_end_at_once_and_follow_each_other_closely_make_one_whole_history() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    // Nothing to run: it ends with the decision that accepts it, and the scheduler forgets it.
    let nothing = skrei_job::Manifest { name: "nothing".to_owned(), count: Some(0), ..job("batch") };
    let id = orchestrator.submit(&nothing).await;
    let mut versions = tokio::task::JoinSet::new();
    for number in 0..40_u64 {
        let (client, nothing, id) = (orchestrator.client.clone(), nothing.clone(), id.clone());
        versions.spawn(async move {
            match number % 2 {
                0 => drop(client.submit(&nothing, true).await.unwrap()),
                _ => drop(
                    client
                        .rerun(&id, &RerunJobRequest { job_version: 1, ..RerunJobRequest::default() })
                        .await
                        .unwrap(),
                ),
            }
        });
    }
    versions.join_all().await;
    assert_eq!(orchestrator.client.versions("nothing").await.unwrap().len(), 41);
    let (mut numbers, mut token) = (Vec::new(), String::new());
    loop {
        let page = orchestrator.client.history(&id, true, &token).await.unwrap();
        numbers.extend(page.items.iter().map(|entry| entry.seq_num));
        match page.next_token {
            end if end.is_empty() => break,
            next => token = next,
        }
    }
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_asked_of_the_latest_version_alone() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let nothing = skrei_job::Manifest { name: "nothing".to_owned(), count: Some(0), ..job("batch") };
    orchestrator.submit(&nothing).await;
    orchestrator.client.submit(&nothing, true).await.unwrap();
    let request = RerunJobRequest { job_version: 1, failed: true, ..RerunJobRequest::default() };
    let refused = orchestrator.client.rerun("nothing", &request).await.unwrap_err();
    let Error::Api(body) = &refused else { panic!("{refused}") };
    assert_eq!((body.code, body.status), (Code::BadRequest, 400));
    assert!(body.message.contains("version 1") && body.message.contains("latest, which is 2"), "{refused}");
    orchestrator.stop().await;
}

/// Runs a version of a job again.
async fn again(orchestrator: &Orchestrator, job: &str, job_version: u64) -> Result<RerunJobResponse, Error> {
    let request = RerunJobRequest { job_version, ..RerunJobRequest::default() };
    orchestrator.client.rerun(job, &request).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_gets_the_defaults_of_its_type_for_what_it_does_not_say() {
    let directory = tempfile::tempdir().unwrap();
    let defaults = TypeDefaults {
        priority: 5,
        cpu_millis: 250,
        execution_timeout: Duration::from_secs(60),
        ..TypeDefaults::default()
    };
    let orchestrator = Orchestrator::start_with(directory.path(), |config| {
        config.job_defaults = JobDefaults { ops: defaults, ..JobDefaults::default() };
    })
    .await;
    let mut node = orchestrator.node("a").await;
    let silent = orchestrator.submit(&job("ops")).await;
    let assigned = node.assignment().await;
    assert_eq!(assigned.spec.task().timeouts.execution, Some(Duration::from_secs(60)));
    assert_eq!((assigned.spec.priority(), assigned.spec.task().resources.cpu_millis), (5, 250));
    let stored = orchestrator.client.job(&silent, "").await.unwrap().job.manifest;
    assert_eq!(stored.tasks[0].timeouts.execution_timeout, 60, "whoever reads the job sees what holds");

    let mut says = job("ops");
    says.tasks[0].timeouts.execution_timeout = 7;
    orchestrator.submit(&says).await;
    let assigned = node.assignment().await;
    assert_eq!(assigned.spec.task().timeouts.execution, Some(Duration::from_secs(7)));
    orchestrator.submit(&job("batch")).await;
    let assigned = node.assignment().await;
    assert_eq!(assigned.spec.task().timeouts.execution, None, "another type has none");
}
