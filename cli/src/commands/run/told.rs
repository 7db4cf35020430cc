//! What the guest tells, shown on standard error.

use std::sync::Arc;

use skrei_compute::told::Listener;
use skrei_protocol::api::told::Progress;
use skrei_runtime::Sandbox;

use crate::{
    error::Error,
    secret,
    terminal::{self, fit, harmless, style},
};

/// Shows a guest's progress as it comes: in place where a person watches, and otherwise each word on a line.
pub(super) fn listener() -> Arc<Listener> {
    let watched = terminal::is_watched();
    Listener::new(move |told| {
        let words = Progress { fraction: told.fraction, message: told.message }.in_words();
        match watched {
            true => {
                let (columns, _) = terminal::size();
                let words = fit::cut(&harmless::line(&words), columns.saturating_sub(1));
                terminal::frame(&[], &[style::stderr().dim(&words)]);
            }
            false => terminal::note(&format!("progress {words}")),
        }
    })
}

/// Has the guest listened to. That of a job gets a channel, as on a node. That of a module sees what the command line
/// gives it and nothing else: it is heard when it calls functions, and the libraries write what they would tell to
/// standard error.
pub(super) fn listen(listener: &Arc<Listener>, is_job: bool, sandbox: Sandbox) -> Result<Sandbox, Error> {
    if is_job {
        listener.listen(sandbox).map_err(|error| Error::internal(error.to_string()))
    } else {
        Ok(listener.listen_to_calls(sandbox))
    }
}

/// Shows what the guest found, once it has ended.
pub(super) fn show(listener: &Listener) {
    terminal::make_way();
    for (key, value) in listener.values().iter() {
        terminal::note(&format!("value {key}={}", secret::shown(&value.to_string())));
    }
    if let dropped @ 1.. = listener.dropped() {
        terminal::warn(&format!("{dropped} lines that the guest told were no messages, or one too many"));
    }
}
