//! Secrets that whoever submits a job seals to nodes: the orchestrator passes them on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use skrei_job::{
    Manifest, NodeId, Spec,
    defaults::{JobDefaults, TypeDefaults},
    secret::{Name, SealedByClient},
};
use skrei_protocol::{
    api::{job::RerunJobRequest, plan::PlanJobResponse, secret::Origin},
    link::{Assignment, FromNode, Secrets, ToNode, WantSecrets, by_client},
};
use skrei_vault::{Envelope, Secret};

use super::{
    harness::Orchestrator,
    sealing::{Sealed, VALUE, is_below, name, said, with_secret},
};

/// The secret `key` as whoever submits a job seals it for nodes.
fn sealed(job: &Manifest, nodes: &[&Sealed], value: &str) -> BTreeMap<Name, SealedByClient> {
    let context = by_client(&job.canonical().unwrap(), &name("key"));
    let envelope = Envelope::new(&Secret::from(value.as_bytes()), &context).unwrap();
    let key = |node: &&Sealed| {
        let sealed = envelope.key_for(node.key.recipient(), &context.clone().with(node.name)).unwrap();
        (NodeId::new(node.name), sealed)
    };
    let keys = nodes.iter().map(key).collect();
    BTreeMap::from([(name("key"), SealedByClient { content: envelope.content().to_owned(), keys })])
}

impl Sealed {
    /// What it makes of what a client sealed.
    fn open(&self, assignment: &Assignment, answer: Secrets) -> String {
        let secrets = answer.result.unwrap();
        let context = by_client(&assignment.spec.manifest().canonical().unwrap(), &secrets[0].name);
        let of_key = context.clone().with(self.name);
        let content = secrets[0].content.as_deref().unwrap();
        let opened = self.key.open_envelope((&secrets[0].sealed, &of_key), (content, &context)).unwrap();
        String::from_utf8(opened.expose().clone()).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_seals_passes_through_and_nodes_that_it_is_not_sealed_for_wait() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_with(directory.path(), |config| {
        // What is sealed is for the job as it was written: these would make another one of it.
        let ops = TypeDefaults { priority: 5, memory_bytes: 64 << 30, ..TypeDefaults::default() };
        config.job_defaults = JobDefaults { ops, ..JobDefaults::default() };
    })
    .await;
    let api = &orchestrator.client;
    let mut first = Sealed::connect(&orchestrator, "a", &[("zone", "eu")]).await;
    let mut later = Sealed::connect(&orchestrator, "b", &[]).await;
    let keys = api.sealing_keys().await.unwrap();
    assert_eq!(keys.iter().map(|key| key.node_id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(keys[0].sealing_key, first.key.recipient().to_string());
    assert_eq!(keys[0].labels["zone"], "eu");

    let job = with_secret("ops", "deploy");
    // As a client has it: checked, defaults filled in.
    let job = Spec::try_from(job).unwrap().manifest().clone();
    let submitted = api.submit_sealed(&job, false, &sealed(&job, &[&first], VALUE)).await.unwrap();
    let (at_first, at_later) = (first.assignment().await, later.assignment().await);
    let answer = first.ask(&at_first.job, &at_first.execution).await;
    assert_eq!(first.open(&at_first, answer), VALUE);

    // It is what was written, and whoever asks before is told so: nothing would change, and nothing is added.
    assert_eq!(api.diff(&job, true).await.unwrap().diff, "");
    let otherwise = api.diff(&job, false).await.unwrap();
    assert!(
        otherwise.diff.contains("\"Priority\": 5"),
        "given otherwise it gets defaults: {}",
        otherwise.diff
    );
    assert!(otherwise.warnings.unwrap()[0].contains("--seal-to-nodes compares without them"));
    // No node is asked about a job that matches none.
    let mut silent = with_secret("ops", "deploy");
    silent.constraints =
        vec![serde_json::from_value(json!({"Key": "zone", "Operator": "=", "Values": ["us"]})).unwrap()];
    let too_small = |plan: PlanJobResponse| {
        let reasons = plan.nodes.into_iter().flat_map(|node| node.reasons);
        reasons.filter(|reason| reason.contains("too small")).count()
    };
    assert_eq!(too_small(api.plan(&silent, &BTreeSet::new(), true).await.unwrap()), 0);
    assert_eq!(
        too_small(api.plan(&silent, &BTreeSet::new(), false).await.unwrap()),
        2,
        "by default it wants 64 GiB"
    );

    // The other one waits, and that is to be seen. Whoever asks for another's gets nothing of it.
    let wanted = WantSecrets { execution: at_later.execution.clone(), job: at_later.job.clone() };
    later.link.say(FromNode::WantSecrets(wanted)).await;
    let stolen = later.get(&at_first.job, &at_first.execution).await.unwrap_err();
    assert!(stolen.contains("no such execution"), "{stolen}");
    let grants = api.grants(&submitted.job_id).await.unwrap();
    assert_eq!((grants[0].origin, grants[0].fingerprint.as_str()), (Origin::Sealed, ""));
    assert_eq!(
        (grants[0].sealed_for.as_slice(), grants[0].waiting.as_slice()),
        (&["a".to_owned()][..], &["b".to_owned()][..])
    );

    // It asks again on its next link, and gets it when it is sealed.
    let key = later.key;
    drop(later.link);
    let mut later = Sealed::connect_with(&orchestrator, "b", key, &[]).await;
    let wanted = WantSecrets { execution: at_later.execution.clone(), job: at_later.job.clone() };
    later.link.say(FromNode::WantSecrets(wanted)).await;
    let other =
        BTreeMap::from([(name("other"), sealed(&job, &[&later], VALUE).remove(&name("key")).unwrap())]);
    let refused = said(api.seal(&submitted.job_id, &other).await.unwrap_err());
    assert!(refused.contains("`other` was not sealed"), "{refused}");
    api.seal(&submitted.job_id, &sealed(&job, &[&later], VALUE)).await.unwrap();
    let answer = later
        .link
        .hear_until(|message| match message {
            ToNode::Secrets(secrets) => Ok(secrets),
            other => Err(other),
        })
        .await;
    assert_eq!(later.open(&at_later, answer), VALUE);
    assert!(api.grants(&submitted.job_id).await.unwrap()[0].waiting.is_empty());

    // Run again it is the same job: what was sealed for it counts. Nothing opened it here.
    api.rerun(&submitted.job_id, &RerunJobRequest::default()).await.unwrap();
    let again = first.assignment().await;
    let answer = first.ask(&again.job, &again.execution).await;
    assert_eq!(first.open(&again, answer), VALUE);
    assert!(!is_below(directory.path(), VALUE));

    // It goes with its version.
    api.stop(&submitted.job_id, None).await.unwrap();
    let grants = api.grants(&submitted.job_id).await.unwrap();
    assert!(grants[0].removed.contains("ended") && grants[0].sealed_for.is_empty(), "{grants:?}");
    let gone = said(api.rerun(&submitted.job_id, &RerunJobRequest::default()).await.unwrap_err());
    assert!(gone.contains("removed when that had ended"), "{gone}");
    let refused = said(api.seal(&submitted.job_id, &sealed(&job, &[&first], VALUE)).await.unwrap_err());
    assert!(refused.contains("or the version has ended"), "{refused}");
    orchestrator.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_sent_as_an_envelope_by_mistake_is_not_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let job = with_secret("ops", "deploy");
    for wrong in [json!({"key": VALUE}), json!({"key": {"Content": [VALUE]}}), json!(VALUE)] {
        for path in ["/orchestrator/jobs", "/orchestrator/jobs/deploy/secrets"] {
            let refused = orchestrator.put(path, &json!({"Job": job, "SealedSecrets": wrong})).await;
            assert_eq!(refused.status, 400);
            let said = refused.text;
            assert!(said.contains("`SealedSecrets`") && !said.contains("canary"), "{said}");
        }
    }
}
