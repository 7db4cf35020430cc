//! Stopping a run from outside.

use tokio_util::sync::CancellationToken;

/// Stops the runs it was given to. Clones are the same token; a token cancels once and for good.
///
/// A guest that computes stops within the runtime's tick (10 ms by default), one that waits in a host call at
/// once.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(CancellationToken);

impl CancelToken {
    /// A token that nobody has cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// Ends every run that holds this token, with [`Ending::Cancelled`](crate::Ending::Cancelled).
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether [`cancel`](Self::cancel) was called.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Completes when the token is cancelled.
    pub(crate) fn cancelled(&self) -> impl Future<Output = ()> + Send + 'static {
        self.0.clone().cancelled_owned()
    }
}
