//! The job as a whole: its type and count, its names, its constraints.

use crate::{
    labels::{Operator, Requirement},
    manifest::{Constraint, Manifest},
    path::Path,
    problem::{Problem, listed, nearest, quoted},
    spec::Kind,
};

/// Where a name counts if nothing else is said.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// The most executions one job may ask for. More than any fleet has nodes; a slip of the finger in `Count`
/// must not become a million records.
pub(crate) const COUNT_MAX: i64 = 100_000;

pub(crate) const TYPES: &[&str] = &["batch", "ops", "service", "daemon"];

pub(super) fn kind(manifest: &mut Manifest, problems: &mut Vec<Problem>) -> Option<Kind> {
    let path = Path::root().key("Type");
    let count_path = Path::root().key("Count");
    let word = manifest.kind.trim().to_lowercase();
    let count = manifest.count.unwrap_or(1);
    if count < 0 {
        problems.push(Problem::new(&count_path, format!("`{count}` is less than 0")));
    } else if count > COUNT_MAX {
        problems.push(Problem::new(&count_path, format!("`{count}` is more than {COUNT_MAX}")));
    }
    let every_node = |kind: Kind, problems: &mut Vec<Problem>| {
        if count > 1 {
            problems.push(
                Problem::new(
                    &count_path,
                    format!("`{count}` means nothing to `{word}` jobs: they run once on every matching node"),
                )
                .hint("remove `Count`, or write `Type: batch` to run that many times anywhere"),
            );
        }
        kind
    };
    let number = u32::try_from(count).unwrap_or(0);
    let kind = match word.as_str() {
        "batch" => Kind::Batch { count: number },
        "service" => Kind::Service { count: number },
        "ops" => every_node(Kind::Ops, problems),
        "daemon" => every_node(Kind::Daemon, problems),
        "" => {
            problems.push(Problem::new(path, "a job needs a type").hint(
                "`Type: batch` runs once (or `Count` times) anywhere, `Type: ops` once on every matching node",
            ));
            return None;
        }
        _ => {
            let hint = match nearest(&word, TYPES.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", listed(TYPES.iter().copied())),
            };
            problems
                .push(Problem::new(path, format!("{} is not a job type", quoted(&manifest.kind))).hint(hint));
            return None;
        }
    };
    manifest.kind = word;
    manifest.count = match kind {
        Kind::Batch { .. } | Kind::Service { .. } => Some(count),
        Kind::Ops | Kind::Daemon => None,
    };
    Some(kind)
}

pub(super) fn names(manifest: &mut Manifest, problems: &mut Vec<Problem>) {
    let root = Path::root();
    if manifest.namespace.is_empty() {
        DEFAULT_NAMESPACE.clone_into(&mut manifest.namespace);
    }
    if manifest.namespace.trim().is_empty() {
        problems.push(
            Problem::new(root.key("Namespace"), "a namespace of white space only")
                .hint("remove the line; the namespace is `default` then"),
        );
    }
    for (field, text) in [("Name", &manifest.name), ("Namespace", &manifest.namespace)] {
        if text.contains('\0') {
            problems.push(Problem::new(root.key(field), "there is a NUL character in it"));
        }
    }
    if manifest.priority < 0 {
        problems.push(
            Problem::new(root.key("Priority"), format!("`{}` is less than 0", manifest.priority))
                .hint("larger runs first; 0 is the default"),
        );
    }
}

pub(super) fn task_name(name: &str, task: &Path, problems: &mut Vec<Problem>) {
    let path = task.key("Name");
    if name.trim().is_empty() {
        problems.push(Problem::new(path, "a task needs a name").hint("write `Name: main`"));
    } else if name.contains('\0') {
        problems.push(Problem::new(path, "there is a NUL character in it"));
    }
}

pub(super) fn constraints(manifest: &mut Manifest, problems: &mut Vec<Problem>) -> Vec<Requirement> {
    let path = Path::root().key("Constraints");
    manifest
        .constraints
        .iter_mut()
        .enumerate()
        .filter_map(|(index, written)| constraint(written, &path.index(index), problems))
        .collect()
}

fn constraint(written: &mut Constraint, path: &Path, problems: &mut Vec<Problem>) -> Option<Requirement> {
    let before = problems.len();
    if written.key.trim().is_empty() {
        problems.push(
            Problem::new(path.key("Key"), "a constraint needs the name of a label")
                .hint("{Key: zone, Operator: \"=\", Values: [eu]}"),
        );
    }
    let word = written.operator.trim().to_lowercase();
    let Some(operator) = Operator::parse(&word) else {
        let spellings = Operator::SPELLINGS.iter().map(|(spelling, _)| *spelling);
        let hint = format!("the operators are {}", listed(spellings));
        let message = if word.is_empty() {
            "a constraint needs an operator".to_owned()
        } else {
            format!("{} is not an operator", quoted(&written.operator))
        };
        problems.push(Problem::new(path.key("Operator"), message).hint(hint));
        return None;
    };
    let count = written.values.len();
    let wanted = match operator {
        Operator::In | Operator::NotIn if count == 0 => Some("at least one value"),
        Operator::Exists | Operator::DoesNotExist if count > 0 => Some("no values"),
        Operator::Equals | Operator::NotEquals | Operator::GreaterThan | Operator::LessThan if count != 1 => {
            Some("exactly one value")
        }
        _ => None,
    };
    if let Some(wanted) = wanted {
        let message = format!("`{}` takes {wanted}, and there are {count}", operator.as_str());
        problems.push(Problem::new(path.key("Values"), message));
    }
    if let (Operator::GreaterThan | Operator::LessThan, [value]) = (operator, written.values.as_slice())
        && value.parse::<i64>().is_err()
    {
        let message =
            format!("{} is not a whole number, which `{}` compares", quoted(value), operator.as_str());
        problems.push(Problem::new(path.key("Values").index(0), message));
    }
    written.operator = word;
    (problems.len() == before).then(|| Requirement {
        key: written.key.clone(),
        operator,
        values: written.values.clone(),
    })
}
