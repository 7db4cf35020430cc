//! Another authority for the identities of nodes, in the place of one.

use std::time::Duration;

use skrei_protocol::{
    api::error::Code,
    client::Error,
    link::{FromNode, ToNode},
};

use super::{
    harness::{Orchestrator, PATIENCE, hello, known},
    identity::{is_cut_off, made, proof, renewed},
};

/// The authority is replaced while one node is linked and another is away; a third has a token of before.
#[tokio::test(flavor = "multi_thread")]
async fn another_authority_takes_the_place_of_one_and_nobody_is_locked_out() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let before = orchestrator.token();
    let given_away = made(&orchestrator, 0, 0).await;
    let mut linked = orchestrator.node("linked").await;
    let away = orchestrator.identity("away").await;

    let changed = orchestrator.client.change_node_authority("rotate").await.unwrap();
    assert_ne!(changed.fingerprint, before.authority.to_string());
    let former = changed.former.unwrap();
    assert_eq!(
        (former.fingerprint, former.nodes),
        (before.authority.to_string(), vec!["away".to_owned(), "linked".to_owned()])
    );
    let twice = orchestrator.client.change_node_authority("rotate").await.unwrap_err();
    assert!(matches!(&twice, Error::Api(body) if body.code == Code::ConflictNodeState), "{twice}");
    let file = orchestrator.token();
    assert_eq!((file.id, file.authority.to_string()), (before.id.clone(), changed.fingerprint.clone()));

    // The linked one hears of it, and so does the other as soon as it comes.
    linked.hear_until(|message| if matches!(message, ToNode::Renew) { Ok(()) } else { Err(message) }).await;
    let mut back = orchestrator.dial(known(&away)).await;
    back.say(FromNode::Hello(hello("away"))).await;
    back.hear_until(|message| if matches!(message, ToNode::Renew) { Ok(()) } else { Err(message) }).await;
    let mut kept = Vec::new();
    for name in ["linked", "away"] {
        let identity = orchestrator.identity(name).await;
        let next = renewed(&orchestrator, &identity, name).await;
        assert_eq!(skrei_tls::Fingerprint::of(next.authority()).to_string(), changed.fingerprint);
        let mut link = orchestrator.dial(known(&next)).await;
        link.say(FromNode::Hello(hello(name))).await;
        assert!(matches!(link.hear().await, ToNode::Welcome(_)), "by the authority it believes now");
        kept.push(next);
    }
    // Who was told of the one before joins, and believes the present one from then on.
    let believed =
        skrei_tls::Introduction::to(skrei_tls::Orchestrator::Fingerprint(given_away.authority)).unwrap();
    orchestrator.connect(believed.config).await.unwrap();
    let request = orchestrator.key("late").request("late").unwrap();
    let certified = orchestrator.join("late", &request, proof(&given_away)).await.unwrap();
    let shown = orchestrator.client.node_authority().await.unwrap();
    assert_eq!(shown.former.unwrap().nodes, Vec::<String>::new());
    drop(certified);

    // It is all the same after a restart, and over when somebody says so.
    orchestrator.stop().await;
    let orchestrator = Orchestrator::start(&directory).await;
    assert!(orchestrator.client.node_authority().await.unwrap().former.is_some());
    let dropped = orchestrator.client.change_node_authority("drop").await.unwrap();
    assert_eq!((dropped.fingerprint, dropped.former), (changed.fingerprint, None));
    assert!(is_cut_off(&orchestrator, known(&away)).await, "its certificate is of nobody");
    let refused = async {
        let believed = skrei_tls::Orchestrator::Fingerprint(before.authority);
        // Until the port has its certificate without the way from the one before.
        while orchestrator
            .connect(skrei_tls::Introduction::to(believed.clone()).unwrap().config)
            .await
            .is_ok()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.unwrap();
    orchestrator.connect(known(&kept[0])).await.unwrap();
    assert!(orchestrator.client.change_node_authority("drop").await.is_err());
    assert!(orchestrator.client.change_node_authority("rotate").await.is_ok(), "and again");
}

/// Nobody orders it: the day passes, and the last node that had a certificate of it has another or is gone.
#[tokio::test(flavor = "multi_thread")]
async fn the_authority_before_is_believed_for_a_day_and_as_long_as_a_node_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let away = orchestrator.identity("away").await;
    orchestrator.client.change_node_authority("rotate").await.unwrap();
    orchestrator.stop().await;

    // The file is as old as the rotation.
    let file = directory.path().join("authority/former-ca.pem");
    let aged = |age: Duration| {
        let file = std::fs::File::options().write(true).open(&file).unwrap();
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
    };
    let day = Duration::from_secs(86_400);
    aged(day * 30);
    let orchestrator = Orchestrator::start(&directory).await;
    let mut back = orchestrator.dial(known(&away)).await;
    back.say(FromNode::Hello(hello("away"))).await;
    back.hear_until(|message| if matches!(message, ToNode::Renew) { Ok(()) } else { Err(message) }).await;
    let shown = orchestrator.client.node_authority().await.unwrap();
    assert_eq!(shown.former.unwrap().nodes, ["away"], "a node that was away for long still gets in");

    // Its next certificate is of the present one: nobody needs the one before.
    let identity = renewed(&orchestrator, &away, "away").await;
    is_dropped(&orchestrator).await;
    assert!(!file.exists());

    orchestrator.client.change_node_authority("rotate").await.unwrap();
    renewed(&orchestrator, &identity, "away").await;
    assert_eq!(
        orchestrator.client.node_authority().await.unwrap().former.unwrap().nodes,
        Vec::<String>::new()
    );
    orchestrator.stop().await;
    aged(day - Duration::from_secs(3600));
    let orchestrator = Orchestrator::start(&directory).await;
    assert!(orchestrator.client.node_authority().await.unwrap().former.is_some(), "the day has not passed");
    orchestrator.stop().await;
    aged(day - Duration::from_secs(2));
    let orchestrator = Orchestrator::start(&directory).await;
    is_dropped(&orchestrator).await;
    assert!(!file.exists());
}

async fn is_dropped(orchestrator: &Orchestrator) {
    let dropped = async {
        while orchestrator.client.node_authority().await.unwrap().former.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, dropped).await.unwrap();
}
