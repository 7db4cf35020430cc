//! From how a guest ended to an exit code, and a word to whoever reads standard error.

use skrei_runtime::{Ending, Limit, Outcome};

use crate::{
    exit,
    terminal::{self, style},
};

/// The exit code for an outcome; says why if it is not the guest's own.
pub(super) fn code(outcome: &Outcome) -> u8 {
    match &outcome.ending {
        Ending::Exited(code) => match u8::try_from(*code) {
            Ok(code) if code <= exit::GUEST_MAX => code,
            _ => {
                say(&format!("the guest exited with code {code}, which is given as {}", exit::GUEST_MAX));
                exit::GUEST_MAX
            }
        },
        Ending::Trapped(trap) => {
            let frames: String = trap.backtrace.iter().map(|frame| format!("\n  in {frame}")).collect();
            say(&format!("the guest trapped: {}{frames}", trap.what));
            exit::TRAPPED
        }
        Ending::HitLimit(Limit::WallTime) => time_limit(),
        Ending::HitLimit(Limit::CpuTime) => {
            say("the guest used up its processor time; --cpu-time gives it more");
            exit::TIME_LIMIT
        }
        Ending::HitLimit(limit) => {
            let way_out = if *limit == Limit::Memory { "; --memory gives it more" } else { "" };
            say(&format!("the guest hit the {limit} limit{way_out}"));
            exit::MEMORY_LIMIT
        }
        Ending::Cancelled => exit::INTERRUPTED,
        other => {
            say(&format!("the guest {other}"));
            exit::TRAPPED
        }
    }
}

/// The guest ran out of time.
pub(super) fn time_limit() -> u8 {
    say("the guest ran out of time; --timeout gives it more");
    exit::TIME_LIMIT
}

fn say(text: &str) {
    terminal::note(&format!("{} {text}", style::stderr().red("skrei:")));
}
