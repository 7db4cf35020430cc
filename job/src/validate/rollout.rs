//! How the job spreads over its fleet.

use std::time::Duration;

use crate::{
    duration, manifest,
    path::Path,
    problem::{Problem, quoted},
    rollout::{Order, Rollout, Share, WaitForAbsent},
    spec::Kind,
};

/// The longest pause or wait: a year. Longer ones are `forever`.
const WAIT_MAX: Duration = Duration::from_secs(366 * 86_400);

/// The most that may go first or be under way: more than any fleet has nodes.
const NUMBER_MAX: i64 = super::job::COUNT_MAX;

const SHARE: &str = "a number, or a share such as `10%`";

pub(super) fn read(
    written: &manifest::Rollout,
    kind: Option<Kind>,
    path: &Path,
    problems: &mut Vec<Problem>,
) -> Rollout {
    let before = problems.len();
    let rollout = Rollout {
        wait_for_absent: wait_for_absent(&written.wait_for_absent, &path.key("WaitForAbsent"), problems),
        max_parallel: share(&written.max_parallel, &path.key("MaxParallel"), problems),
        canary: canary(written.canary, &path.key("Canary"), problems),
        pause: span(&written.pause, &path.key("Pause"), problems).unwrap_or_default(),
        stop_after_failures: share(&written.stop_after_failures, &path.key("StopAfterFailures"), problems),
        order: order(&written.order, &path.key("Order"), problems),
    };
    if problems.len() > before {
        return rollout;
    }
    match kind {
        Some(Kind::Batch { .. }) if rollout != Rollout::default() => problems.push(
            Problem::new(path, "`batch` jobs are not rolled out: their partitions run where there is room")
                .hint("remove `Rollout`, or write `Type: ops` to run once on every matching node"),
        ),
        Some(Kind::Service { .. } | Kind::Daemon) if rollout.wait_for_absent.waits() => problems.push(
            Problem::new(
                path.key("WaitForAbsent"),
                "it is for `ops` jobs: services and daemons wait for nodes anyway",
            )
            .hint("remove the line"),
        ),
        Some(Kind::Service { .. }) if matches!(rollout.order, Order::ByLabel(_)) => problems.push(
            Problem::new(
                path.key("Order"),
                "the executions of a service have no node before they are placed",
            )
            .hint("remove the line"),
        ),
        _ if !rollout.pause.is_zero() && rollout.max_parallel.is_none() && rollout.canary == 0 => problems
            .push(
                Problem::new(path.key("Pause"), "there is nothing to pause between: all start at once")
                    .hint("add `MaxParallel: 10` or `Canary: 1`"),
            ),
        _ => {}
    }
    rollout
}

pub(super) fn span(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<Duration> {
    if text.is_empty() {
        return None;
    }
    match duration::parse(text) {
        Ok(span) if span <= WAIT_MAX => Some(span),
        Ok(_) => {
            problems.push(Problem::new(path, format!("{} is more than a year", quoted(text))));
            None
        }
        Err(_) => {
            problems.push(
                Problem::new(path, format!("{} is not a span of time", quoted(text)))
                    .hint("write it like `30s`, `1h30m` or `24h`"),
            );
            None
        }
    }
}

fn wait_for_absent(text: &str, path: &Path, problems: &mut Vec<Problem>) -> WaitForAbsent {
    match text.trim().to_ascii_lowercase().as_str() {
        "" | "none" | "never" => WaitForAbsent::Never,
        "forever" => WaitForAbsent::Forever,
        other => {
            let before = problems.len();
            let span = span(other, path, problems);
            if let Some(problem) = problems.get_mut(before) {
                problem.hint = Some("write `none`, `forever`, or a time such as `24h`".to_owned());
            }
            span.map_or(WaitForAbsent::Never, WaitForAbsent::For)
        }
    }
}

fn share(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Option<Share> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let share = match text.strip_suffix('%') {
        Some(percent) => {
            percent.trim().parse().ok().filter(|percent| (1..=100).contains(percent)).map(Share::Percent)
        }
        None => text
            .parse::<u32>()
            .ok()
            .filter(|number| (1..=NUMBER_MAX).contains(&i64::from(*number)))
            .map(Share::Number),
    };
    if share.is_none() {
        problems.push(
            Problem::new(path, format!("{} is neither a number from 1 on nor a percentage", quoted(text)))
                .hint(SHARE),
        );
    }
    share
}

fn canary(number: i64, path: &Path, problems: &mut Vec<Problem>) -> u32 {
    match u32::try_from(number).ok().filter(|_| number <= NUMBER_MAX) {
        Some(number) => number,
        None => {
            problems.push(Problem::new(path, format!("`{number}` is not between 0 and {NUMBER_MAX}")));
            0
        }
    }
}

fn order(text: &str, path: &Path, problems: &mut Vec<Problem>) -> Order {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [] => Order::ByName,
        [word] if word.eq_ignore_ascii_case("name") => Order::ByName,
        [word] if word.eq_ignore_ascii_case("random") => Order::Random,
        [word, key] if word.eq_ignore_ascii_case("label") => Order::ByLabel((*key).to_owned()),
        _ => {
            problems.push(
                Problem::new(path, format!("{} is not an order", quoted(text)))
                    .hint("write `name`, `random`, or `label` and the name of a label: `label zone`"),
            );
            Order::ByName
        }
    }
}
