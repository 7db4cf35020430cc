//! Orders about nodes and join tokens: whom they hit, and what is kept of them.

use skrei_protocol::{
    api::{error::Code, token::PostTokenRequest},
    client::Error,
};

use super::harness::{Orchestrator, PATIENCE};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_hits_the_node_of_that_very_id_and_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("n10").await;
    assert_eq!(
        orchestrator.client.node("n1").await.unwrap().info.node_id,
        "n10",
        "to read, a beginning is enough"
    );
    for action in ["delete", "reject", "cordon", "drain"] {
        let Err(Error::Api(refused)) = orchestrator.order("n1", action).await else {
            panic!("{action} is done")
        };
        assert_eq!((refused.code, refused.message.as_str()), (Code::NotFound, "there is no node `n1`"));
        assert!(refused.hint.contains("`n10`"), "{refused:?}");
    }
    let state = orchestrator.client.node("n10").await.unwrap();
    assert_eq!((state.membership.as_str(), state.cordoned), ("APPROVED", false));
    orchestrator.order("n10", "cordon").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_calls_says_what_was_done_with_which_node_and_which_token_was_made() {
    let directory = tempfile::tempdir().unwrap();
    let orchestrator = Orchestrator::start(&directory).await;
    let _node = orchestrator.node("a").await;
    orchestrator.order("a", "cordon").await.unwrap();
    orchestrator.order("b", "delete").await.unwrap_err();
    let made = orchestrator.client.make_token(&PostTokenRequest::default()).await.unwrap();
    // How a call ended is written down after its answer.
    let written = async {
        loop {
            let calls = orchestrator.client.audit("", 0, 10, "").await.unwrap().items;
            if calls.iter().all(|call| call.status > 0) {
                return calls;
            }
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let calls = tokio::time::timeout(PATIENCE, written).await.expect("all calls have ended");
    let of = |action: &str| {
        let calls = calls.iter().filter(|call| call.action.ends_with(action));
        calls.map(|call| (call.subject.as_str(), call.status)).collect::<Vec<_>>()
    };
    assert_eq!(of("/nodes/{id}"), [("delete b", 404), ("cordon a", 200)]);
    assert_eq!(of("/join-tokens"), [(made.listed.id.as_str(), 200)]);
}
