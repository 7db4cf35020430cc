//! Who may join, who a node is then, and what it may do as that.

use std::time::Duration;

use skrei_protocol::{
    api::{error::Code, token::PostTokenRequest},
    client::Error,
    join::{Certified, JoinToken, Proof, RENEW_PATH, RenewRequest, Shared},
    link::{ARTIFACTS_PATH, FromNode, Report, ToNode},
};
use skrei_tls::{Authority, Identity, NodeKey};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::harness::{Orchestrator, PATIENCE, completed, hello, job, known};

pub(crate) fn proof(token: &JoinToken) -> Proof {
    Proof::Token { id: token.id.clone(), secret: token.secret.clone() }
}

pub(crate) async fn made(orchestrator: &Orchestrator, lifetime: u64, uses: u64) -> JoinToken {
    let request = PostTokenRequest { lifetime, uses, note: "for a test".to_owned() };
    orchestrator.client.make_token(&request).await.unwrap().token.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_more_than_can_be_counted_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_with(directory.path(), |_| ()).await;
    for (lifetime, uses, name) in [(0, 1 << 63, "Uses"), (u64::MAX, 0, "Lifetime")] {
        let request = PostTokenRequest { lifetime, uses, note: String::new() };
        let refused = orchestrator.client.make_token(&request).await.unwrap_err().to_string();
        assert!(refused.contains(name), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_good_token_is_not_let_in_and_hears_why() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_with(directory.path(), |config| {
        config.token = Some("the shared word".to_owned());
    })
    .await;
    let first = orchestrator.token();
    let [expired, used_up, revoked] =
        [made(&orchestrator, 1, 0).await, made(&orchestrator, 0, 1).await, made(&orchestrator, 0, 0).await];
    let request = orchestrator.key("one").request("one").unwrap();
    orchestrator.join("one", &request, proof(&used_up)).await.unwrap();
    orchestrator.client.revoke_token(&revoked.id).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;

    let request = orchestrator.key("a").request("a").unwrap();
    let guess = Proof::Token { id: first.id.clone(), secret: "0".repeat(32) };
    let nobodys = Proof::Token { id: "00000000".to_owned(), secret: first.secret.clone() };
    let word = |word: &str, authority, request: &str| Proof::Shared {
        code: Shared::new(word, authority, request).of_node(),
    };
    let of_another = "a".repeat(64).parse().unwrap();
    let cases = [
        (guess, "wrong"),
        (nobodys, "wrong"),
        (proof(&expired), "expired"),
        (proof(&used_up), "used up"),
        (proof(&revoked), "revoked"),
        (word("a guess", first.authority, &request), "wrong"),
        // What somebody in between could get a node to show.
        (word("the shared word", of_another, &request), "wrong"),
        (word("the shared word", first.authority, "another request"), "wrong"),
        (Proof::Shared { code: String::new() }, "wrong"),
    ];
    for (proof, why) in cases {
        let shown = format!("{proof:?}");
        let refused = orchestrator.join("a", &request, proof).await.unwrap_err();
        assert!(refused.message.contains(why), "{shown}: {refused:?}");
        assert!(refused.hint.contains("skrei node token create"), "{refused:?}");
        for secret in [&first.secret, &expired.secret, "the shared word", "a guess"] {
            assert!(!format!("{refused:?}{shown}").contains(secret));
        }
    }
    let certified =
        orchestrator.join("a", &request, word("the shared word", first.authority, &request)).await;
    let Certified { certificate, code, .. } = certified.unwrap();
    let shared = Shared::new("the shared word", first.authority, &request);
    assert!(
        shared.is_of_orchestrator(&certificate, &code.unwrap()),
        "the orchestrator shows that it knows it, too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_belongs_to_the_key_that_joined_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let once = made(&orchestrator, 0, 1).await;
    let request = orchestrator.key("a").request("a").unwrap();
    let one = orchestrator.join("a", &request, proof(&once)).await.unwrap();
    // The answer was lost, and the node asks again.
    let again = orchestrator.join("a", &request, proof(&once)).await.unwrap();
    assert_ne!(one.certificate, again.certificate);
    let listed = orchestrator.client.tokens().await.unwrap();
    let listed = listed.iter().find(|token| token.id == once.id).unwrap();
    assert_eq!((listed.used, listed.state.as_str()), (1, "used up"));

    let others = orchestrator.key("b").request("a").unwrap();
    let refused = orchestrator.join("a", &others, proof(&orchestrator.token())).await.unwrap_err();
    assert!(refused.message.contains("there is a node `a`, with another key"), "{refused:?}");
    assert!(refused.hint.contains("skrei node delete a"), "{refused:?}");
    for name in ["", "../../etc", "a b", &"x".repeat(129)] {
        let refused = orchestrator.join(name, &others, proof(&orchestrator.token())).await.unwrap_err();
        assert!(refused.message.contains("is not a node name"), "{refused:?}");
    }
    let refused = orchestrator.join("c", "no request", proof(&orchestrator.token())).await.unwrap_err();
    assert!(refused.message.contains("request for a certificate"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_no_certificate_or_one_of_another_authority_gets_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut stranger = orchestrator.dial(orchestrator.introduction()).await;
    let ToNode::Rejected { message, .. } = stranger.hear().await else { panic!("let in") };
    assert!(message.contains("only a node that has joined"), "{message}");
    let requests = orchestrator.requests(orchestrator.introduction());
    let digest = "0".repeat(64);
    let answer = requests.get(orchestrator.url(&format!("{ARTIFACTS_PATH}/{digest}"))).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    let renewal = RenewRequest { request: orchestrator.key("a").request("a").unwrap() };
    let answer = requests.post(orchestrator.url(RENEW_PATH)).json(&renewal).send().await.unwrap();
    assert_eq!(answer.status(), 401);

    // A certificate for the same name, of an authority that calls itself the same.
    let other = Authority::open(directory.path().join("another")).unwrap();
    let issuer = other.node_issuer().unwrap();
    let key = NodeKey::provide(&directory.path().join("forged-key.pem"), None).unwrap();
    let request = skrei_tls::CertificateRequest::from_pem(&key.request("a").unwrap()).unwrap();
    let forged = issuer.issue("a", &request, PATIENCE, std::time::SystemTime::now()).unwrap().pem;
    let file = directory.path().join("forged.pem");
    let forged = key.certified(&forged, issuer.authority(), Some(issuer.fingerprint()), &file).unwrap();
    let authority = orchestrator.identity("a").await.authority().clone();
    let credentials = skrei_tls::Credentials::new(&forged);
    let config = skrei_tls::known_orchestrator(authority, credentials).unwrap();
    assert!(is_cut_off(&orchestrator, config).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_certificate_gets_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start_with(directory.path(), |config| {
        config.certificate_lifetime = Duration::from_secs(1);
    })
    .await;
    let identity = orchestrator.identity("a").await;
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert!(is_cut_off(&orchestrator, known(&identity)).await);
}

/// With TLS 1.3 a client hears that its certificate is refused when it reads.
pub(crate) async fn is_cut_off(orchestrator: &Orchestrator, config: skrei_tls::ClientConfig) -> bool {
    match orchestrator.connect(config).await {
        Err(_) => true,
        Ok(mut stream) => {
            let _ = stream.write_all(b"GET /link/v1 HTTP/1.1\r\nHost: o\r\n\r\n").await;
            tokio::time::timeout(PATIENCE, stream.read_u8()).await.unwrap().is_err()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_can_only_speak_and_ask_for_its_own_executions() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let content = bytes::Bytes::from_static(b"content");
    let artifact = orchestrator.client.ensure_artifact(content.clone()).await.unwrap();
    let mut one = orchestrator.node("one").await;
    let mut work = job("batch");
    let params = serde_json::json!({"Digest": artifact.digest, "Size": artifact.size});
    let input = serde_json::json!({"Source": {"Type": "artifact", "Params": params}, "Target": "/in"});
    work.tasks[0].input_sources.push(serde_json::from_value(input).unwrap());
    let id = orchestrator.submit(&work).await;
    let execution = one.assignment().await.execution;

    let mut other = orchestrator.node("other").await;
    let state = completed("forged");
    other.say(FromNode::Report(Report { number: 1, execution: execution.clone(), state })).await;
    assert!(matches!(other.hear().await, ToNode::Acknowledge { .. }), "it is heard, and counts for nothing");
    let job = orchestrator.client.job(&id, "executions").await.unwrap();
    assert_eq!(job.job.state.state_type.as_str(), "Running");

    let url = orchestrator.url(&format!("{ARTIFACTS_PATH}/{}", artifact.digest.hex()));
    let requests = async |name: &str| orchestrator.requests(known(&orchestrator.identity(name).await));
    let (mine, others) = (requests("one").await, requests("other").await);
    assert_eq!(others.get(&url).send().await.unwrap().status(), 403);
    assert_eq!(mine.get(&url).send().await.unwrap().bytes().await.unwrap(), content);
    one.report(&execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
    assert_eq!(mine.get(&url).send().await.unwrap().status(), 403, "it needs it no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_certificate_is_of_the_same_node_and_the_one_before_the_last_speaks_for_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let first = orchestrator.identity("a").await;
    let second = renewed(&orchestrator, &first, "second").await;
    let third = renewed(&orchestrator, &second, "third").await;
    for identity in [&second, &third] {
        let mut node = orchestrator.dial(known(identity)).await;
        node.say(FromNode::Hello(hello("a"))).await;
        assert!(matches!(node.hear().await, ToNode::Welcome(_)));
    }
    let mut node = orchestrator.dial(known(&first)).await;
    assert!(matches!(node.hear().await, ToNode::Rejected { .. }));
}

pub(crate) async fn renewed(orchestrator: &Orchestrator, identity: &Identity, name: &str) -> Identity {
    let key = NodeKey::provide(&orchestrator.file("a", &format!("{name}-key.pem")), None).unwrap();
    let renewal = RenewRequest { request: key.request("somebody else").unwrap() };
    let requests = orchestrator.requests(known(identity));
    let answer = requests.post(orchestrator.url(RENEW_PATH)).json(&renewal).send().await.unwrap();
    let Certified { certificate, authority, .. } = answer.json().await.unwrap();
    let file = orchestrator.file("a", &format!("{name}.pem"));
    key.certified(&certificate, &authority, None, &file).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_answered_and_a_crowd_of_strangers_keeps_no_node_out() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let mut plain = TcpStream::connect(&orchestrator.nodes).await.unwrap();
    plain.write_all(b"GET /link/v1 HTTP/1.1\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    plain.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("for compute nodes") && answer.contains("TLS"), "{answer}");

    orchestrator.identity("a").await;
    // Some say nothing, some begin a handshake and go no further, some are through with it and ask for nothing.
    let mut crowd = Vec::new();
    for number in 0..200 {
        let mut stream = TcpStream::connect(&orchestrator.nodes).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0]).await.unwrap();
        }
        crowd.push(stream);
    }
    let mut idle = Vec::new();
    for _ in 0..300 {
        idle.extend(orchestrator.connect(orchestrator.introduction()).await);
    }
    let mut node = orchestrator.node("a").await;
    let id = orchestrator.submit(&job("ops")).await;
    let execution = node.assignment().await.execution;
    node.report(&execution, completed("")).await;
    orchestrator.wait_for_state(&id, "Completed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_listed_without_what_lets_anybody_in() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let made = made(&orchestrator, 3600, 5).await;
    let listed = orchestrator.client.tokens().await.unwrap();
    let notes: Vec<_> = listed.iter().map(|token| (token.note.as_str(), token.state.as_str())).collect();
    assert_eq!(notes, [("for a test", "valid"), ("made at the first start", "valid")]);
    assert!(!format!("{listed:?}").contains(&made.secret));
    let database = std::fs::read(directory.path().join("orchestrator.db-wal")).unwrap();
    let holds = |text: &str| database.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds(&made.id) && !holds(&made.secret), "only its hash is stored");
    orchestrator.client.revoke_token(&made.id).await.unwrap();
    let unknown = orchestrator.client.revoke_token(&made.id).await.unwrap_err();
    assert!(matches!(&unknown, Error::Api(body) if body.code == Code::NotFound), "{unknown}");

    let first = orchestrator.token();
    orchestrator.stop().await;
    let orchestrator = Orchestrator::start(&directory).await;
    assert_eq!(orchestrator.token(), first, "a restart makes no other");
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(directory.path().join("join-token")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
}
