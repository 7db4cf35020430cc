//! What the guest tells, shown on standard error.

use std::sync::Arc;

use skrei_compute::told::Listener;
use skrei_protocol::api::told::Progress;

use crate::{
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
