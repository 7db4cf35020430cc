//! The way out: the thread that connections live on, and the authorities that are trusted.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;
use tokio::runtime::{Builder, Handle, Runtime};

use super::lookup::{LOOKUPS_MAX, Lookups};

/// Started when the first guest with a network needs it, so that those without cost nothing; and a thread of its own,
/// so that it works whatever executor polls a guest, or none.
pub(crate) struct Outbound {
    roots: Vec<Vec<u8>>,
    started: OnceLock<Result<Started, Arc<str>>>,
    lookups: Lookups,
}

struct Started {
    /// Taken when it is dropped.
    thread: Option<Runtime>,
    tls: Result<Arc<ClientConfig>, Arc<str>>,
}

impl Outbound {
    /// `roots` are authorities that are trusted beside the system's.
    pub(crate) fn new(roots: Vec<Vec<u8>>) -> Outbound {
        Outbound { roots, started: OnceLock::new(), lookups: Lookups::of_all() }
    }

    /// Where connections live.
    ///
    /// # Errors
    /// In words, if the system gives no thread.
    pub(crate) fn executor(&self) -> Result<&Handle, Arc<str>> {
        let started = self.started().as_ref().map_err(Arc::clone)?;
        let thread = started.thread.as_ref().ok_or("it is gone")?;
        Ok(thread.handle())
    }

    /// How many names are looked up at once.
    pub(super) fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// How a server is checked.
    ///
    /// # Errors
    /// In words, if there are no authorities to trust.
    pub(crate) fn tls(&self) -> Result<Arc<ClientConfig>, Arc<str>> {
        self.started().as_ref().map_err(Arc::clone)?.tls.clone()
    }

    fn started(&self) -> &Result<Started, Arc<str>> {
        self.started.get_or_init(|| {
            let thread = Builder::new_multi_thread()
                .worker_threads(1)
                // Nothing else blocks there.
                .max_blocking_threads(LOOKUPS_MAX)
                .thread_keep_alive(Duration::from_secs(10))
                .thread_name("skrei-network")
                .enable_io()
                .enable_time()
                .build()
                .map_err(|error| Arc::<str>::from(format!("start the network's thread: {error}")))?;
            let tls = tls(&self.roots).map(Arc::new);
            Ok(Started { thread: Some(thread), tls: tls.map_err(|error| error.to_string().into()) })
        })
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // Also on an async thread, where waiting for others is not possible.
        if let Some(thread) = self.thread.take() {
            thread.shutdown_background();
        }
    }
}

fn tls(roots: &[Vec<u8>]) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let roots = roots.iter().map(|root| CertificateDer::from(root.clone()));
    let verifier = Verifier::new_with_extra_roots(roots, Arc::clone(&provider))?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
