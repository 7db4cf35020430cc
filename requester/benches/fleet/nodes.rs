//! Whole nodes, many in one process: each has a journal, an identity and a link of its own, and they share one engine and
//! its threads, since they share one machine.

use skrei_compute::{Config, Sandboxes};
use skrei_job::NodeId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{CAPACITY, HEARTBEAT, OtherSide, say_linked};

/// Runs so many until it is killed.
pub(super) async fn serve(side: OtherSide) {
    let OtherSide { address, token, count, directory } = side;
    let sandboxes = Sandboxes::start(skrei_runtime::Config::default()).expect("an engine");
    let mut nodes = JoinSet::new();
    for number in 0..count {
        let name = format!("node-{number}");
        let data_dir = directory.join(&name);
        std::fs::create_dir(&data_dir).expect("a directory");
        let mut config = Config::new(NodeId::new(name), data_dir, CAPACITY);
        config.orchestrators = vec![address.clone()];
        config.token = Some(token.clone());
        config.heartbeat = HEARTBEAT;
        config.sandboxes = Some(sandboxes.clone());
        nodes.spawn(skrei_compute::serve(config, CancellationToken::new()));
    }
    say_linked();
    while let Some(ended) = nodes.join_next().await {
        ended.expect("a node").expect("a node that goes on");
    }
}
