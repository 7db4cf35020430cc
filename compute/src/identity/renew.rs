//! The next certificate, while the present one still holds.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use skrei_protocol::join::{Certified, RENEW_PATH, RenewRequest};
use skrei_tls::{Fingerprint, Identity, NodeKey};
use tokio::sync::Notify;

use super::{IDENTITY_FILE, Identified, error::Failed, key_file, request::Requests};
use crate::link::{Address, spread};

/// A certificate is renewed when this share of its lifetime is left.
const SHARE_LEFT: f64 = 1.0 / 3.0;

/// The clock of the machine may be set, or stand still while it sleeps: the time is looked at this often.
const LOOK: Duration = Duration::from_secs(3600);

/// Between tries: each pause twice as long as the one before.
const AGAIN_FIRST: Duration = Duration::from_secs(1);
const AGAIN_MAX: Duration = Duration::from_secs(3600);

/// Renews for as long as the node lives.
pub(super) async fn run(mut me: Identified, asked: Arc<Notify>) {
    let mut again = AGAIN_FIRST;
    let mut is_asked = false;
    loop {
        let due = me.identity.until_left(SHARE_LEFT, SystemTime::now());
        if !due.is_zero() && !is_asked {
            tokio::select! {
                () = tokio::time::sleep(due.min(LOOK)) => {}
                () = asked.notified() => is_asked = true,
            }
            continue;
        }
        match renewed(&me).await {
            Ok(identity) => {
                tracing::info!("this node's certificate was renewed");
                me.credentials.replace(&identity);
                me.identity = identity;
                is_asked = false;
                again = AGAIN_FIRST;
                // However short the lifetime.
                tokio::time::sleep(AGAIN_FIRST).await;
            }
            Err(reason) => {
                // Never all nodes at once.
                let wait = again.mul_f64(0.5 + spread() / 2.0);
                tracing::error!(%reason, retry_in = ?wait, "this node's certificate cannot be renewed");
                tokio::time::sleep(wait).await;
                again = (again * 2).min(AGAIN_MAX);
            }
        }
    }
}

/// The first orchestrator that gives one counts.
async fn renewed(me: &Identified) -> Result<Identity, Failed> {
    let mut failed = Failed::Now("no orchestrator is configured".to_owned());
    for orchestrator in &me.orchestrators {
        match ask(me, orchestrator).await {
            Ok(identity) => return Ok(identity),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

async fn ask(me: &Identified, orchestrator: &Address) -> Result<Identity, Failed> {
    let config = me.client().map_err(|error| Failed::Now(error.to_string()))?;
    let requests = Requests::to(orchestrator, config)?;
    let key = NodeKey::provide(&key_file(&me.directory), None)?;
    let request = RenewRequest { request: key.request(&me.node)? };
    let Certified { certificate, authority, .. } = requests.post(RENEW_PATH, &request).await?;
    // Whoever answered has shown that the authority believed until now vouches for it: it may name another.
    let identity = key.certified(&certificate, &authority, None, &me.directory.join(IDENTITY_FILE))?;
    if identity.authority() != me.identity.authority() {
        let fingerprint = Fingerprint::of(identity.authority());
        tracing::info!("another authority is believed from now on: SHA-256 {fingerprint}");
    }
    Ok(identity)
}
