//! Secrets at the orchestrator: locked, given to the node that runs what they are for, and to nobody else.

use std::collections::{BTreeMap, BTreeSet};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use skrei_job::{ExecutionId, Manifest, life::ExecutionState};
use skrei_protocol::api::{
    job::RerunJobRequest,
    node::PutNodeRequest,
    secret::{Origin, PutSecretRequest},
};

use super::{
    harness::{Orchestrator, completed},
    sealing::{Sealed, VALUE, given, is_below, name, put, said, with_secret},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_given_with_a_job_goes_to_the_node_that_runs_it_and_to_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect(&orchestrator, "a", &[("zone", "eu")]).await;
    let mut job = with_secret("batch", "deploy");
    job.constraints =
        vec![serde_json::from_value(json!({"Key": "zone", "Operator": "=", "Values": ["eu"]})).unwrap()];
    let submitted = orchestrator.client.submit_with(&job, false, &given(VALUE)).await.unwrap();
    let assignment = node.assignment().await;
    let execution = assignment.execution;
    assert!(!serde_json::to_string(&*assignment.spec).unwrap().contains(VALUE));

    let mut other = Sealed::connect(&orchestrator, "b", &[]).await;
    let refused = other.get(&assignment.job, &execution).await.unwrap_err();
    assert!(refused.contains("no such execution"), "{refused}");
    let nothing = node.get(&assignment.job, &ExecutionId::new("e-none")).await.unwrap_err();
    assert!(nothing.contains("no such execution"), "as if it did not exist: {nothing}");
    assert_eq!(node.get(&assignment.job, &execution).await.unwrap(), VALUE);

    let grants = orchestrator.client.grants(&submitted.job_id).await.unwrap();
    assert_eq!(
        (grants[0].name.as_str(), grants[0].origin, grants[0].removed.as_str()),
        ("key", Origin::Given, "")
    );
    node.link.report(&execution, ExecutionState::Running).await;
    node.link.report(&execution, completed("")).await;
    orchestrator.wait_for_state(&submitted.job_id, "Completed").await;
    let refused = node.get(&assignment.job, &execution).await.unwrap_err();
    assert!(refused.contains("it has ended"), "{refused}");
    let grants = orchestrator.client.grants(&submitted.job_id).await.unwrap();
    assert!(grants[0].removed.contains("ended") && grants[0].fingerprint.len() == 8, "{grants:?}");

    // It is gone, so that the job cannot be run again as it is; with the secret it can.
    let gone =
        said(orchestrator.client.rerun(&submitted.job_id, &RerunJobRequest::default()).await.unwrap_err());
    assert!(gone.contains("removed when that had ended") && gone.contains("--secret key=@FILE"), "{gone}");
    let same = said(orchestrator.client.submit_with(&job, false, &given(VALUE)).await.unwrap_err());
    assert!(same.contains("the same"), "{same}");
    orchestrator.client.submit_with(&job, false, &given("another value")).await.unwrap();
    let assignment = node.assignment().await;
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), "another value");
    // While it lives, it can be run again: the next version takes over what was given.
    orchestrator.client.rerun(&submitted.job_id, &RerunJobRequest::default()).await.unwrap();
    let assignment = node.assignment().await;
    assert_eq!(assignment.version, 3);
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), "another value");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_secret_goes_where_its_scope_says_until_it_is_removed() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let api = &orchestrator.client;
    let nobody = said(api.set_secret("", &name("key"), &put(VALUE, &[], None)).await.unwrap_err());
    assert!(nobody.contains("nobody may unless you do") && nobody.contains("--job"), "{nobody}");
    let endless = "x".repeat(257);
    let endless = said(api.set_secret("", &name("key"), &put(VALUE, &[&endless], None)).await.unwrap_err());
    assert!(endless.contains("more than 256 bytes"), "{endless}");
    let set = api.set_secret("", &name("key"), &put(VALUE, &["deploy-*"], Some("zone=eu"))).await.unwrap();
    assert_eq!((set.secret.version, set.same_value), (1, false));

    let unknown = said(api.submit(&job_naming("other", "deploy-x"), false).await.unwrap_err());
    assert!(unknown.contains("`other`") && unknown.contains("nor is it stored"), "{unknown}");
    let outside = said(api.submit(&with_secret("ops", "backup"), false).await.unwrap_err());
    assert!(
        outside.contains("scope") && outside.contains("deploy-*") && outside.contains("`backup`"),
        "{outside}"
    );

    let mut eu = Sealed::connect(&orchestrator, "eu", &[]).await;
    let mut us = Sealed::connect(&orchestrator, "us", &[("zone", "us")]).await;
    label(&orchestrator, "eu", "zone", "eu").await;
    api.submit(&with_secret("ops", "deploy-web"), false).await.unwrap();
    let (at_eu, at_us) = (eu.assignment().await, us.assignment().await);
    assert_eq!(eu.get(&at_eu.job, &at_eu.execution).await.unwrap(), VALUE);
    let refused = us.get(&at_us.job, &at_us.execution).await.unwrap_err();
    assert!(refused.contains("`us`") && refused.contains("zone = eu"), "{refused}");

    // What starts from now on gets the new value; the scope stays.
    let rotate = PutSecretRequest { rotate: true, ..put("the next value", &[], None) };
    assert_eq!(api.set_secret("", &name("key"), &rotate).await.unwrap().secret.version, 2);
    assert_eq!(eu.get(&at_eu.job, &at_eu.execution).await.unwrap(), "the next value");
    let missing = said(api.set_secret("", &name("none"), &rotate).await.unwrap_err());
    assert!(missing.contains("NotFound"), "{missing}");
    let other_namespace = said(api.set_secret("prod", &name("key"), &rotate).await.unwrap_err());
    assert!(other_namespace.contains("NotFound"), "{other_namespace}");

    // A scope that was narrowed counts at once, and so does removal.
    api.set_secret("", &name("key"), &put(VALUE, &["nothing"], None)).await.unwrap();
    assert!(
        eu.get(&at_eu.job, &at_eu.execution).await.unwrap_err().contains("does not cover job `deploy-web`")
    );
    api.remove_secret("", &name("key")).await.unwrap();
    assert!(eu.get(&at_eu.job, &at_eu.execution).await.unwrap_err().contains("removed"));
    assert!(said(api.remove_secret("", &name("key")).await.unwrap_err()).contains("NotFound"));
    orchestrator.stop().await;
}

async fn label(orchestrator: &Orchestrator, node: &str, label: &str, value: &str) {
    let labels = BTreeMap::from([(label.to_owned(), Some(value.to_owned()))]);
    let order = PutNodeRequest { action: "label".to_owned(), labels, ..PutNodeRequest::default() };
    orchestrator.client.order(node, order).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_opens_no_scope_by_what_it_says_of_itself() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let api = &orchestrator.client;
    api.set_secret("", &name("key"), &put(VALUE, &["*"], Some("zone=eu"))).await.unwrap();
    let mut liar = Sealed::connect(&orchestrator, "liar", &[("zone", "eu"), ("name", "web-1")]).await;
    api.submit(&with_secret("ops", "first"), false).await.unwrap();
    let execution = liar.assignment().await;
    let refused = liar.ask(&execution.job, &execution.execution).await.result.unwrap_err();
    assert!(refused.message.contains("the node's own word"), "{refused}");
    assert!(refused.hint.unwrap().contains("skrei node label liar zone=eu"));

    // Whoever is in charge of the fleet says it; or says otherwise, whatever the node repeats.
    label(&orchestrator, "liar", "zone", "eu").await;
    assert_eq!(liar.get(&execution.job, &execution.execution).await.unwrap(), VALUE);
    label(&orchestrator, "liar", "zone", "us").await;
    drop(liar);
    let mut liar = Sealed::connect(&orchestrator, "liar", &[("zone", "eu"), ("name", "web-1")]).await;
    let refused = liar.get(&execution.job, &execution.execution).await.unwrap_err();
    assert!(refused.contains("`zone = eu` does not hold"), "{refused}");

    // What it is called is what its certificate says.
    api.set_secret("", &name("key"), &put(VALUE, &["*"], Some("name=web-1"))).await.unwrap();
    assert!(liar.get(&execution.job, &execution.execution).await.unwrap_err().contains("own word"));
    drop(liar);
    let mut liar = Sealed::connect(&orchestrator, "liar", &[("name", "liar")]).await;
    api.set_secret("", &name("key"), &put(VALUE, &["*"], Some("name=liar"))).await.unwrap();
    assert_eq!(liar.get(&execution.job, &execution.execution).await.unwrap(), VALUE);
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_holds_so_many_secrets_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let api = &orchestrator.client;
    for number in 0..1000 {
        api.set_secret("", &name(&format!("key-{number}")), &put("value", &["*"], None)).await.unwrap();
    }
    let refused = said(api.set_secret("", &name("more"), &put("value", &["*"], None)).await.unwrap_err());
    assert!(refused.contains("1000 secrets already") && refused.contains("skrei secret remove"), "{refused}");
    // One that is there can be set, and others be kept elsewhere.
    api.set_secret("", &name("key-7"), &put("another", &["*"], None)).await.unwrap();
    api.set_secret("prod", &name("more"), &put("value", &["*"], None)).await.unwrap();
    api.remove_secret("", &name("key-7")).await.unwrap();
    api.set_secret("", &name("more"), &put("value", &["*"], None)).await.unwrap();
    assert_eq!((api.secrets("").await.unwrap().len(), api.secrets("*").await.unwrap().len()), (1000, 1001));
    orchestrator.stop().await;
}

fn job_naming(secret: &str, job_name: &str) -> Manifest {
    let mut job = with_secret("ops", job_name);
    secret.clone_into(&mut job.tasks[0].secrets[0].name);
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_and_the_disk_have_is_names_and_fingerprints() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    orchestrator.client.set_secret("", &name("kept"), &put(VALUE, &["*"], None)).await.unwrap();
    orchestrator.client.submit_with(&with_secret("batch", "deploy"), false, &given(VALUE)).await.unwrap();
    let assignment = node.assignment().await;
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), VALUE);

    let http = reqwest::Client::new();
    let pages = [
        "/orchestrator/jobs",
        "/orchestrator/jobs/deploy?include=history,executions,progress",
        "/orchestrator/jobs/deploy/history",
        "/orchestrator/jobs/deploy/versions",
        "/orchestrator/jobs/deploy/executions",
        "/orchestrator/jobs/deploy/secrets",
        "/orchestrator/secrets?namespace=*",
        "/orchestrator/nodes",
        "/agent/config",
        "/agent/debug",
    ];
    for page in pages {
        let answer =
            http.get(format!("{}{page}", orchestrator.api)).send().await.unwrap().text().await.unwrap();
        assert!(
            !answer.contains(VALUE) && !answer.contains(&BASE64_STANDARD.encode(VALUE)),
            "{page}: {answer}"
        );
    }
    // A value in the place of a name, or of anything else, is not repeated either.
    for (page, body) in [
        ("/orchestrator/secrets/key", json!({"Value": VALUE, "Jobs": ["*"]})),
        ("/orchestrator/secrets/key", json!({"Value": [VALUE]})),
        ("/orchestrator/jobs", json!({"Job": with_secret("batch", "x"), "Secrets": {VALUE: "eA=="}})),
        ("/orchestrator/jobs", json!({"Job": with_secret("batch", "x"), "Secrets": {"key": VALUE}})),
        ("/orchestrator/jobs", json!({"Job": with_secret("batch", "x"), "Secrets": [VALUE]})),
    ] {
        let answer = http.put(format!("{}{page}", orchestrator.api)).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{body}");
        let answer = answer.text().await.unwrap();
        assert!(!answer.contains(VALUE), "{answer}");
    }

    // As it runs, with its log of changes; what is there is found by the same search.
    std::fs::write(directory.path().join("control"), VALUE).unwrap();
    assert!(is_below(directory.path(), VALUE));
    std::fs::remove_file(directory.path().join("control")).unwrap();
    assert!(!is_below(directory.path(), VALUE));
    orchestrator.stop().await;
    assert!(!is_below(directory.path(), VALUE));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_granted_counts_before_it_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    let api = &orchestrator.client;
    let job = with_secret("batch", "deploy");
    // Decided together, as whatever comes at once is.
    let same = given(VALUE);
    let submitted = futures_util::future::join_all((0..4).map(|_| api.submit_with(&job, false, &same))).await;
    let accepted: Vec<_> = submitted.iter().flatten().collect();
    assert_eq!(accepted.len(), 1, "the others are the same: {submitted:?}");
    let again = RerunJobRequest::default();
    let rerun = futures_util::future::join_all((0..6).map(|_| api.rerun(&accepted[0].job_id, &again))).await;
    for answer in rerun {
        answer.unwrap();
    }
    let mut assignment = node.assignment().await;
    while assignment.version < 7 {
        assignment = node.assignment().await;
    }
    assert_eq!(node.get(&assignment.job, &assignment.execution).await.unwrap(), VALUE);
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_names_the_rule_of_a_secret_that_keeps_a_node_from_the_job() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let api = &orchestrator.client;
    let _eu = Sealed::connect(&orchestrator, "eu", &[]).await;
    let _us = Sealed::connect(&orchestrator, "us", &[("zone", "eu")]).await;
    label(&orchestrator, "eu", "zone", "eu").await;
    let missing = api.plan(&with_secret("ops", "deploy"), &BTreeSet::new(), false).await.unwrap();
    assert!(missing.nodes.iter().all(|node| node.reasons.is_empty()));
    assert!(missing.warnings.unwrap()[0].contains("--secret key=@FILE"));
    let given = api.plan(&with_secret("ops", "deploy"), &[name("key")].into(), false).await.unwrap();
    assert!(!given.warnings.unwrap().join("").contains("--secret"), "it would be given with the job");
    let other = api.plan(&with_secret("ops", "deploy"), &[name("key"), name("other")].into(), false).await;
    assert!(
        other.unwrap().warnings.unwrap().join("").contains("`other` is given, and the job does not name")
    );
    api.set_secret("", &name("key"), &put(VALUE, &["deploy"], Some("zone=eu"))).await.unwrap();
    let planned = api.plan(&with_secret("ops", "deploy"), &BTreeSet::new(), false).await.unwrap();
    // A node of these tests does not say what it would make of a job.
    let warnings = planned.warnings.unwrap();
    assert_eq!((planned.nodes[0].reasons.len(), warnings.len()), (0, 1), "{warnings:?}");
    assert!(warnings[0].contains("was not to be had from eu: update"), "{warnings:?}");
    let why = planned.nodes[1].reasons.join("; ");
    assert!(why.contains("secret `key`") && why.contains("zone = eu") && why.contains("own word"), "{why}");
    let planned = api.plan(&with_secret("ops", "backup"), &BTreeSet::new(), false).await.unwrap();
    assert!(planned.nodes[0].reasons[0].contains("does not cover job `backup`"), "{planned:?}");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_go_ahead_with_the_assignment_once_and_never_past_a_rule() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let api = &orchestrator.client;
    api.set_secret("", &name("key"), &put(VALUE, &["*"], Some("zone=eu"))).await.unwrap();
    let mut node = Sealed::connect(&orchestrator, "a", &[]).await;
    // They go if they are sealed by the time the decision is stored: on a busy machine not every time.
    let mut with_them = None;
    for number in 0..200 {
        // Given with the job, no scope counts.
        let job = small(with_secret("batch", &format!("given-{number}")));
        api.submit_with(&job, false, &given(VALUE)).await.unwrap();
        let assignment = node.assignment().await;
        if !assignment.secrets.is_empty() {
            with_them = Some(assignment);
            break;
        }
        node.link.report(&assignment.execution, completed("")).await;
    }
    let assignment = with_them.expect("one of 200 jobs has its secret with it");
    assert_eq!(node.opened(&assignment.execution, &assignment.secrets), VALUE);

    // One that is told again asks, and whoever comes back with nothing, too.
    let key = node.key;
    drop(node.link);
    let mut node = Sealed::connect_with(&orchestrator, "a", key, &[]).await;
    let again = node.assignment().await;
    assert_eq!((&again.execution, again.secrets.len()), (&assignment.execution, 0));
    assert_eq!(node.get(&again.job, &again.execution).await.unwrap(), VALUE);
    node.link.report(&again.execution, completed("")).await;

    // What the scope keeps away does not go ahead either, and the question is answered with the rule.
    api.submit(&small(with_secret("batch", "stored")), false).await.unwrap();
    let assignment = node.assignment().await;
    assert_eq!(assignment.secrets.len(), 0);
    assert!(node.get(&assignment.job, &assignment.execution).await.unwrap_err().contains("zone = eu"));
    orchestrator.stop().await;
}

/// Many of them fit on one node.
pub(crate) fn small(mut job: Manifest) -> Manifest {
    job.tasks[0].resources.cpu = "1m".to_owned();
    job.tasks[0].resources.memory = "1MB".to_owned();
    job
}
