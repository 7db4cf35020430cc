//! What is tried again.

use std::{collections::BTreeSet, time::Duration};

use crate::{
    manifest,
    path::Path,
    problem::{Problem, listed, quoted},
    retry::{BACKOFF_MAX, Mishap, Retry},
    spec::Kind,
};

/// The most further attempts: what fails so often fails for good.
const ATTEMPTS_MAX: u32 = 100;

/// Further attempts of a rule that does not say how many.
const ATTEMPTS: u32 = 3;

/// The first wait of a rule that does not say how long.
const BACKOFF: Duration = Duration::from_secs(10);

pub(super) fn read(
    written: &manifest::Retry,
    kind: Option<Kind>,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Retry {
    let backoff = super::rollout::span(&written.backoff, &path.key("Backoff"), problems);
    if backoff.is_some_and(|backoff| backoff > BACKOFF_MAX) {
        let message = format!("{} is more than {} s", quoted(&written.backoff), BACKOFF_MAX.as_secs());
        problems.push(Problem::new(path.key("Backoff"), message));
    }
    let on: BTreeSet<Mishap> = written
        .on
        .iter()
        .enumerate()
        .filter_map(|(index, word)| mishap(word, &path.key("On").index(index), problems))
        .collect();
    let attempts = attempts(written.attempts, &path.key("Attempts"), problems);
    let said = *written != manifest::Retry::default();
    match kind {
        Some(kind) if kind.is_kept_running() => {
            for (field, is_set) in [("Attempts", attempts.is_some()), ("On", !written.on.is_empty())] {
                if is_set {
                    let message = format!("a {} is started again as long as it is wanted", kind.as_str());
                    problems.push(Problem::new(path.key(field), message).hint("remove the line"));
                }
            }
            Retry { backoff: backoff.unwrap_or(Retry::of_service().backoff), ..Retry::of_service() }
        }
        Some(Kind::Batch { .. }) if !said => Retry::of_batch(),
        _ if !said => Retry::never(),
        _ => Retry {
            attempts: attempts.unwrap_or(ATTEMPTS),
            backoff: backoff.unwrap_or(BACKOFF),
            on: if written.on.is_empty() {
                Mishap::ALL.iter().map(|(_, mishap)| *mishap).collect()
            } else {
                on
            },
        },
    }
}

fn attempts(number: Option<i64>, path: &Path, problems: &mut Vec<Problem>) -> Option<u32> {
    let number = number?;
    let attempts = u32::try_from(number).ok().filter(|attempts| *attempts <= ATTEMPTS_MAX);
    if attempts.is_none() {
        problems.push(Problem::new(path, format!("`{number}` is not between 0 and {ATTEMPTS_MAX}")));
    }
    attempts
}

fn mishap(word: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<Mishap> {
    let clean = word.trim().to_ascii_lowercase();
    let found = Mishap::ALL.iter().find(|(known, _)| *known == clean).map(|(_, mishap)| *mishap);
    if found.is_none() {
        let known = listed(Mishap::ALL.iter().map(|(word, _)| *word));
        problems.push(
            Problem::new(path, format!("{} is not tried again", quoted(word)))
                .hint(format!("what may be tried again: {known}")),
        );
    }
    found
}
