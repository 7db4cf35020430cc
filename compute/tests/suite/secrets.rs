//! Secrets on a node: asked for when the guest is about to run, given to it alone, and nowhere else.

use std::path::Path;

use serde_json::{Value, json};
use skrei_job::{
    ExecutionId, Manifest, NodeId, Spec,
    life::ExecutionState,
    outcome::{Refusal, Rule},
    secret::Name,
};
use skrei_protocol::link::{FromNode, SealedSecret, Secrets, ToNode, WantSecrets, by_client, delivery};
use skrei_test_guests as guests;
use skrei_vault::{Envelope, Recipient, Secret};

use crate::support::{Orchestrator, Session, TestNode, job_with};

/// Nothing else on the machine looks like it.
const VALUE: &str = "canary-Zx93kQpL0vTtE7mW/+?";

fn sealed(session: &Session, execution: &str, name: &str, value: &[u8]) -> SealedSecret {
    let recipient: Recipient = session.hello.as_ref().unwrap().info.sealing_key.parse().unwrap();
    let name: Name = name.parse().unwrap();
    let context = delivery(&NodeId::new("n-1"), &ExecutionId::new(execution), &name);
    SealedSecret {
        sealed: recipient.sealer().unwrap().seal(&Secret::from(value), &context).unwrap(),
        content: None,
        name,
    }
}

async fn question(session: &mut Session) -> WantSecrets {
    match session.hear().await {
        Some(FromNode::WantSecrets(wanted)) => wanted,
        other => panic!("{other:?} instead of a question for secrets"),
    }
}

async fn answer(session: &mut Session, execution: &str, result: Result<Vec<SealedSecret>, Refusal>) {
    session.say(ToNode::Secrets(Secrets { execution: ExecutionId::new(execution), result })).await;
}

fn refusal(state: ExecutionState) -> Refusal {
    if let ExecutionState::Refused(refusal) = state { refusal } else { panic!("{state:?} is no refusal") }
}

fn secrets() -> Value {
    json!({"Secrets": [{"Name": "key", "Target": "/secrets/key"}, {"Name": "key", "Env": "KEY"}]})
}

/// Whether a text is in any file below a directory.
fn is_below(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => is_below(&path, text),
        false => {
            let content = std::fs::read(path).unwrap_or_default();
            content.windows(text.len()).any(|window| window == text.as_bytes())
        }
    })
}

#[tokio::test]
async fn the_guest_gets_them_as_file_and_variable_and_its_output_has_their_names() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::leak(), "/main.wasm");
    session.assign("e-1", &job_with(&[module], &["5", "/secrets/key", "$KEY"], secrets())).await;
    assert_eq!(question(&mut session).await.execution.as_str(), "e-1");
    let secret = sealed(&session, "e-1", "key", VALUE.as_bytes());
    answer(&mut session, "e-1", Ok(vec![secret])).await;

    let state = session.end_of("e-1").await;
    let ExecutionState::Failed(failure) = &state else { panic!("{state:?}") };
    assert_eq!(failure.output.exit_code, Some(5), "the guest read both: {failure:?}");
    let log = session.read_log("e-1", 0, false).await.unwrap();
    let told: String = log.pieces.iter().map(|piece| piece.text.as_str()).collect();
    for said in [told.as_str(), &failure.output.stdout, &failure.output.stderr] {
        assert!(said.contains("[secret key]"), "{said}");
        assert!(!said.contains("canary") && !said.contains("Y2FuYXJ5"), "{said}");
    }
    assert!(told.contains("/secrets/key has 26 bytes:\n[secret key];\n"), "{told}");
    assert!(told.ends_with("told everything\n"), "{told}");

    let directory = node.stop().await;
    std::fs::write(directory.path().join("control"), VALUE).unwrap();
    assert!(is_below(directory.path(), VALUE), "the search finds what is there");
    assert!(!is_below(&directory.path().join("compute"), VALUE), "and the node kept nothing");
    assert!(!is_below(&directory.path().join("compute"), "Y2FuYXJ5LVp4OTNr"));
}

#[tokio::test]
async fn a_question_is_asked_again_on_the_next_link_and_what_no_longer_counts_is_not() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let job = job_with(&[module], &[], secrets());
    session.assign("e-1", &job).await;
    question(&mut session).await;
    drop(session);

    let mut session = orchestrator.session().await;
    assert_eq!(question(&mut session).await.execution.as_str(), "e-1");
    session.assign("e-2", &job).await;
    assert_eq!(question(&mut session).await.execution.as_str(), "e-2");
    session.cancel("e-1").await;
    assert!(matches!(session.end_of("e-1").await, ExecutionState::Cancelled { .. }));
    let secret = sealed(&session, "e-2", "key", VALUE.as_bytes());
    answer(&mut session, "e-2", Ok(vec![secret])).await;
    assert!(matches!(session.end_of("e-2").await, ExecutionState::Completed(_)));
}

#[tokio::test]
async fn what_was_sealed_for_another_execution_or_under_another_name_does_not_open() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let job = job_with(&[module], &[], secrets());
    let recorded = sealed(&session, "e-0", "key", VALUE.as_bytes());
    let other = SealedSecret { name: "key".parse().unwrap(), ..sealed(&session, "e-2", "other", b"value") };
    for (execution, secrets) in [("e-1", vec![recorded]), ("e-2", vec![other]), ("e-3", Vec::new())] {
        session.assign(execution, &job).await;
        question(&mut session).await;
        answer(&mut session, execution, Ok(secrets)).await;
        let refusal = refusal(session.end_of(execution).await);
        assert!(refusal.rule == Rule::Secret && refusal.message.contains("`key`"), "{refusal}");
    }
}

/// As whoever submits a job seals it.
fn sealed_by_client(session: &Session, job: &Spec, node: &str, value: &[u8]) -> SealedSecret {
    let recipient: Recipient = session.hello.as_ref().unwrap().info.sealing_key.parse().unwrap();
    let name: Name = "key".parse().unwrap();
    let context = by_client(&job.manifest().canonical().unwrap(), &name);
    let envelope = Envelope::new(&Secret::from(value), &context).unwrap();
    let sealed = envelope.key_for(&recipient, &context.with(node)).unwrap();
    SealedSecret { sealed, content: Some(envelope.content().to_owned()), name }
}

#[tokio::test]
async fn what_was_sealed_by_whoever_submitted_a_job_opens_for_that_job_on_that_node_and_no_other() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::leak(), "/main.wasm");
    let job = job_with(std::slice::from_ref(&module), &["5", "/secrets/key", "$KEY"], secrets());
    session.assign("e-1", &job).await;
    question(&mut session).await;
    let sealed = sealed_by_client(&session, &job, "n-1", VALUE.as_bytes());
    answer(&mut session, "e-1", Ok(vec![sealed.clone()])).await;
    let ExecutionState::Failed(failure) = session.end_of("e-1").await else { panic!("it fails with 5") };
    assert_eq!(failure.output.exit_code, Some(5), "the guest read both: {failure:?}");

    // An orchestrator that wants to know it sends a guest of its own, or the same one with other words, or under another
    // name or namespace.
    let other_module = orchestrator.holds(guests::noop(), "/main.wasm");
    let with = |change: &dyn Fn(&mut Manifest)| {
        let mut changed = job.manifest().clone();
        change(&mut changed);
        Spec::try_from(changed).unwrap()
    };
    let others = [
        job_with(&[other_module], &["5", "/secrets/key", "$KEY"], secrets()),
        job_with(&[module], &["0", "/secrets/key", "$KEY"], secrets()),
        with(&|job| "another".clone_into(&mut job.name)),
        with(&|job| "another".clone_into(&mut job.namespace)),
        with(&|job| job.tasks[0].secrets[0].target = "/elsewhere".to_owned()),
    ];
    for (number, other) in (2..).zip(&others) {
        let execution = format!("e-{number}");
        session.assign(&execution, other).await;
        question(&mut session).await;
        answer(&mut session, &execution, Ok(vec![sealed.clone()])).await;
        let refused = refusal(session.end_of(&execution).await);
        assert!(refused.message.contains("does not open"), "{number}: {refused}");
    }
    let for_another = sealed_by_client(&session, &job, "n-2", VALUE.as_bytes());
    session.assign("e-9", &job).await;
    question(&mut session).await;
    answer(&mut session, "e-9", Ok(vec![for_another])).await;
    assert!(refusal(session.end_of("e-9").await).message.contains("does not open"));
}

#[tokio::test]
async fn the_rule_of_the_orchestrator_is_the_refusal_and_what_is_no_text_is_no_variable() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::noop(), "/main.wasm");
    let job = job_with(&[module], &[], secrets());
    session.assign("e-1", &job).await;
    question(&mut session).await;
    let rule = Refusal { rule: Rule::Secret, message: "the scope does not cover it".to_owned(), hint: None };
    answer(&mut session, "e-1", Err(rule.clone())).await;
    assert_eq!(refusal(session.end_of("e-1").await), rule);

    session.assign("e-2", &job).await;
    question(&mut session).await;
    let secret = sealed(&session, "e-2", "key", &[0xff, 0xfe]);
    answer(&mut session, "e-2", Ok(vec![secret])).await;
    let refused = refusal(session.end_of("e-2").await);
    assert!(refused.message.contains("no text") && refused.message.contains("`KEY`"), "{refused}");
}

#[tokio::test]
async fn the_sealing_key_is_for_its_owner_alone_and_the_same_after_a_start() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    let first = orchestrator.session().await.hello.unwrap().info.sealing_key;
    let directory = node.stop().await;
    let key = directory.path().join("compute/sealing-key");
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o7777, 0o600);
    let _node = TestNode::start_in(directory, &orchestrator, |_| {});
    assert_eq!(orchestrator.session().await.hello.unwrap().info.sealing_key, first);
}

#[tokio::test]
async fn what_comes_with_the_assignment_is_used_at_once_and_what_does_not_open_is_asked_for() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::leak(), "/main.wasm");
    let job = job_with(&[module], &["5", "/secrets/key", "$KEY"], secrets());
    let good = sealed(&session, "e-1", "key", VALUE.as_bytes());
    session.assign_with("e-1", &job, vec![good.clone()]).await;
    // No question: its end is the next that is heard.
    let ExecutionState::Failed(failure) = session.end_of("e-1").await else { panic!("it fails with 5") };
    assert_eq!(failure.output.exit_code, Some(5), "the guest read both: {failure:?}");
    assert!(failure.output.stdout.contains("[secret key]"), "{failure:?}");

    let other = sealed(&session, "e-3", "another", VALUE.as_bytes());
    for (execution, of_no_use) in [("e-2", good), ("e-3", other)] {
        session.assign_with(execution, &job, vec![of_no_use]).await;
        assert_eq!(question(&mut session).await.execution.as_str(), execution);
        let secret = sealed(&session, execution, "key", VALUE.as_bytes());
        answer(&mut session, execution, Ok(vec![secret])).await;
        assert!(matches!(session.end_of(execution).await, ExecutionState::Failed(_)));
    }
}

#[tokio::test]
async fn an_execution_that_waits_for_its_turn_asks_when_that_comes() {
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::sleep(), "/main.wasm");
    let whole_node = json!({"Resources": {"CPU": "1"}});
    session.assign("e-1", &job_with(std::slice::from_ref(&module), &["60000"], whole_node.clone())).await;
    let mut both = secrets();
    both["Resources"] = whole_node["Resources"].clone();
    let early = sealed(&session, "e-2", "key", VALUE.as_bytes());
    session.assign_with("e-2", &job_with(&[module], &["0"], both), vec![early]).await;
    session.cancel("e-1").await;
    // Removed meanwhile: what came with the assignment counts for nothing. There is room before the end is written down.
    let (mut has_asked, mut has_ended) = (false, false);
    while !(has_asked && has_ended) {
        match session.hear().await {
            Some(FromNode::WantSecrets(wanted)) => has_asked = wanted.execution.as_str() == "e-2",
            Some(FromNode::Report(report)) => {
                session.acknowledge(report.number).await;
                assert_eq!(report.execution.as_str(), "e-1", "{report:?}");
                has_ended = matches!(report.state, ExecutionState::Cancelled { .. });
            }
            other => panic!("{other:?}"),
        }
    }
    let rule = Refusal { rule: Rule::Secret, message: "it was removed".to_owned(), hint: None };
    answer(&mut session, "e-2", Err(rule.clone())).await;
    assert_eq!(refusal(session.end_of("e-2").await), rule);
}

#[tokio::test]
async fn a_host_that_a_guest_was_denied_is_not_told_if_it_is_a_secret() {
    const HOST: &str = "canary-host-7f3a.example";
    let mut orchestrator = Orchestrator::start().await;
    let _node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let module = orchestrator.holds(guests::fetch(), "/main.wasm");
    let job = job_with(&[module], &["GET", &format!("http://{HOST}/")], secrets());
    let secret = sealed(&session, "e-1", "key", HOST.as_bytes());
    session.assign_with("e-1", &job, vec![secret]).await;
    let state = session.end_of("e-1").await;
    let [denial] = &state.output().unwrap().denials[..] else { panic!("{state:?}") };
    assert!(denial.message.contains("[secret key]:80") && !denial.message.contains("canary"), "{denial:?}");
}
