//! How a node becomes known to its orchestrator, and to nobody else.

use std::{fs, os::unix::fs::PermissionsExt as _, time::Duration};

use futures_util::FutureExt as _;
use serde_json::json;
use skrei_compute::{Config, Error, JoinError, serve};
use skrei_job::{NodeId, resources::Resources};
use skrei_protocol::join::{Proof, Refusal};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::{
    listener::{Relay, WORD},
    support::{Orchestrator, TestNode},
};

#[tokio::test]
async fn a_node_joins_once_and_its_key_is_for_its_user_alone() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |_| {});
    assert_eq!(orchestrator.session().await.hello.unwrap().node, NodeId::new("n-1"));
    let directory = node.stop().await;
    let identity = directory.path().join("compute/identity.pem");
    assert_eq!(fs::metadata(&identity).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!directory.path().join("compute/identity-key.pem").exists());

    // Without the token, and another name for the orchestrator.
    let node = TestNode::start_in(directory, &orchestrator, |config| {
        config.token = None;
        config.orchestrators = vec![orchestrator.address.replace("127.0.0.1", "localhost")];
    });
    orchestrator.session().await;
    assert_eq!(orchestrator.vouching.asked.lock().unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn somebody_in_between_with_another_authority_hears_nothing() {
    let orchestrator = Orchestrator::start().await;
    let impostor = Orchestrator::start().await;
    for (token, ca_file) in [
        (orchestrator.vouching.token(), None),
        (WORD.to_owned(), Some(orchestrator.vouching.ca_file.clone())),
    ] {
        let between = Relay::to(&impostor.address).await;
        let node = TestNode::start(&impostor, |config| {
            config.orchestrators = vec![between.address.clone()];
            config.token = Some(token);
            config.ca_file = ca_file;
        });
        between.called_again().await;
        assert!(!node.has_ended(), "it goes on looking for its orchestrator");
        node.stop().await;
    }
    assert!(impostor.vouching.asked.lock().unwrap().is_empty());

    // Nor is one believed later, who takes the orchestrator's place.
    let mut orchestrator = orchestrator;
    let node = TestNode::start(&orchestrator, |_| {});
    orchestrator.session().await;
    let directory = node.stop().await;
    let mut impostor = impostor;
    let between = Relay::to(&impostor.address).await;
    let node = TestNode::start_in(directory, &impostor, |config| {
        config.orchestrators = vec![between.address.clone()];
    });
    between.called_again().await;
    assert!(impostor.call().now_or_never().is_none(), "the impostor gets no link");
    node.stop().await;
}

#[tokio::test]
async fn a_shared_word_is_shown_and_never_sent_and_the_orchestrator_has_to_know_it_too() {
    let mut orchestrator = Orchestrator::start().await;
    let node = TestNode::start(&orchestrator, |config| config.token = Some(WORD.to_owned()));
    orchestrator.session().await;
    node.stop().await;
    let asked = orchestrator.vouching.asked.lock().unwrap().pop().unwrap();
    let Proof::Shared { .. } = &asked.proof else { panic!("{asked:?}") };
    assert!(!serde_json::to_string(&asked).unwrap().contains(WORD));

    // An impostor can ask for whatever it likes, and sign it: it does not know the word.
    orchestrator.vouching.terms.lock().unwrap().word = "a guess";
    let between = Relay::to(&orchestrator.address).await;
    let node = TestNode::start(&orchestrator, |config| {
        config.orchestrators = vec![between.address.clone()];
        config.token = Some(WORD.to_owned());
    });
    between.called_again().await;
    assert!(!node.has_ended());
    let directory = node.stop().await;
    assert!(!directory.path().join("compute/identity.pem").exists());
}

#[tokio::test]
async fn a_node_of_the_same_machine_and_user_needs_no_token() {
    let mut orchestrator = Orchestrator::start().await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("join-token");
    fs::write(&file, orchestrator.vouching.token()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    orchestrator.vouching.terms.lock().unwrap().local = json!({ "file": file });
    let node = TestNode::start(&orchestrator, |config| config.token = None);
    orchestrator.session().await;
    node.stop().await;

    // Whoever has the orchestrator's port names its file and hears nothing of what is in it.
    let impostor = Orchestrator::start().await;
    impostor.vouching.terms.lock().unwrap().local = json!({ "file": file });
    let between = Relay::to(&impostor.address).await;
    let node = TestNode::start(&impostor, |config| {
        config.orchestrators = vec![between.address.clone()];
        config.token = None;
    });
    between.called_again().await;
    assert!(!node.has_ended());
    node.stop().await;
    assert!(impostor.vouching.asked.lock().unwrap().is_empty());

    // A file that others can read is no proof of anything.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let node = TestNode::start(&orchestrator, |config| config.token = None);
    let error = node.error().await;
    assert!(matches!(error, Error::Join(JoinError::NoToken { .. })), "{error}");
    assert!(error.hint().unwrap().contains("skrei node token create"));
}

#[tokio::test]
async fn a_node_that_cannot_join_says_why_and_how_it_could() {
    let orchestrator = Orchestrator::start().await;
    let refusal = Refusal { message: "the join token has expired".into(), hint: "make another".into() };
    orchestrator.vouching.terms.lock().unwrap().refusal = Some(refusal);
    let error = TestNode::start(&orchestrator, |_| {}).error().await;
    assert!(error.to_string().contains("the join token has expired"), "{error}");
    assert_eq!(error.hint(), Some("make another"));

    let token = orchestrator.vouching.token();
    let cut = token[..token.len() - 3].to_owned();
    let error = TestNode::start(&orchestrator, |config| config.token = Some(cut.clone())).error().await;
    assert!(matches!(error, Error::Join(JoinError::BadToken(_))), "{error}");
    assert!(!error.to_string().contains(&cut[16..40]), "no token is repeated: {error}");

    let other = Orchestrator::start().await;
    let error =
        TestNode::start(&orchestrator, |config| config.ca_file = Some(other.vouching.ca_file.clone()));
    let error = error.error().await;
    assert!(matches!(error, Error::Join(JoinError::Authority(_))), "{error}");

    let elsewhere = config(&tempfile::tempdir().unwrap(), "192.0.2.1:4222");
    let error = serve(elsewhere, CancellationToken::new()).await.unwrap_err();
    assert!(matches!(error, Error::Join(JoinError::NoToken { .. })), "{error}");
}

#[tokio::test]
async fn a_certificate_is_renewed_before_it_expires_and_the_link_goes_on() {
    let mut orchestrator = Orchestrator::start().await;
    orchestrator.vouching.terms.lock().unwrap().lifetime = Duration::from_secs(3);
    let node = TestNode::start(&orchestrator, |_| {});
    let mut session = orchestrator.session().await;
    let before = fs::read(node.directory.path().join("compute/identity.pem")).unwrap();
    let is_renewed = async {
        while *orchestrator.vouching.renewed.lock().unwrap() == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), is_renewed).await.expect("it is renewed");
    orchestrator.vouching.terms.lock().unwrap().lifetime = Duration::from_secs(3600);
    let error = session.read_log("e-0", 0, false).await.unwrap_err();
    assert!(error.contains("e-0"), "the same link: {error}");
    drop(session);
    orchestrator.session().await;
    let directory = node.stop().await;
    let after = fs::read(directory.path().join("compute/identity.pem")).unwrap();
    assert_ne!(before, after);
}

fn config(directory: &TempDir, orchestrator: &str) -> Config {
    let mut config = Config::new(NodeId::new("n-1"), directory.path().join("compute"), Resources::default());
    config.orchestrators = vec![orchestrator.to_owned()];
    config
}
