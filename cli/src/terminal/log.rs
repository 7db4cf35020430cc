//! What servers say about their work: one line an event, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::{
    EnvFilter,
    fmt::{format::Writer, time::FormatTime},
};

use super::{style, time};
use crate::config::{Logging, LoggingMode};

/// Starts writing log lines. Only the first call has an effect.
pub(crate) fn start(logging: &Logging) {
    // Libraries speak up when something is wrong; our own words are at the level asked for.
    let directives = format!(
        "warn,skrei={0},skrei_access={0},skrei_requester={0},skrei_compute={0},skrei_ledger={0},skrei_runtime={0},skrei_tls={0}",
        logging.level
    );
    let lines = tracing_subscriber::fmt().with_writer(io::stderr).with_env_filter(EnvFilter::new(directives));
    let coloured = style::stderr().is_coloured() && io::stderr().is_terminal();
    let _ = match logging.mode {
        LoggingMode::Json => lines.json().flatten_event(true).with_current_span(false).try_init(),
        LoggingMode::Message => {
            lines.with_ansi(coloured).without_time().with_level(false).with_target(false).try_init()
        }
        LoggingMode::Default => lines.with_ansi(coloured).with_timer(TimeOfDay).with_target(false).try_init(),
    };
}

struct TimeOfDay;

impl FormatTime for TimeOfDay {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        writer.write_str(&time::now())
    }
}
