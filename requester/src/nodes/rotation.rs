//! Another authority in the place of the nodes' own: who is told, and when the one before is done with.

use std::{sync::Arc, time::SystemTime};

use skrei_protocol::link::ToNode;
use tokio_util::sync::CancellationToken;

use super::{
    authority::{BELIEVED_FOR, Error},
    tokens,
};
use crate::orchestrator::Orchestrator;

/// Puts another authority in the place of this one, and has linked nodes get a certificate of it.
pub(crate) async fn rotate(orchestrator: &Arc<Orchestrator>) -> Result<(), Error> {
    orchestrator.authority.rotate(orchestrator.identities.certificates()).await?;
    let fingerprint = orchestrator.authority.issuer().fingerprint();
    tracing::info!("another authority vouches for this orchestrator and its nodes: SHA-256 {fingerprint}");
    let (store, directory) = (&orchestrator.store, &orchestrator.config.data_dir);
    if let Err(error) = tokens::provide_file(store, directory, fingerprint).await {
        tracing::error!("the file of the join token still names the authority before: {error}");
    }
    orchestrator.hub.tell_all(&ToNode::Renew);
    orchestrator.authority.noted();
    Ok(())
}

/// Believes the authority before no longer, by order or since nobody needs it.
pub(crate) async fn drop_former(orchestrator: &Arc<Orchestrator>) -> Result<(), Error> {
    orchestrator.authority.drop_former().await?;
    tracing::info!("the authority before is believed no longer");
    Ok(())
}

/// Drops the authority before when a day has passed and no node needs it, for as long as the orchestrator lives.
pub(crate) async fn run(orchestrator: Arc<Orchestrator>, shutdown: CancellationToken) {
    let authority = &orchestrator.authority;
    loop {
        let former = authority.former();
        let left = former.as_ref().map(|former| {
            (former.since + BELIEVED_FOR).duration_since(SystemTime::now()).unwrap_or_default()
        });
        let is_due = left.is_some_and(|left| left.is_zero());
        if let Some(former) = former.filter(|_| is_due)
            && orchestrator.identities.holding(&former.issued).is_empty()
        {
            if let Err(error) = drop_former(&orchestrator).await {
                tracing::error!("the authority before is still believed: {error}");
            } else {
                continue;
            }
        }
        let due = async {
            match left.filter(|left| !left.is_zero()) {
                Some(left) => tokio::time::sleep(left).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = authority.next_note() => {}
            () = shutdown.cancelled() => return,
        }
    }
}
