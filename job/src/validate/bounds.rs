//! How much of each a job may have: what is indexed, and what is compared with every node.

use crate::{
    manifest::Manifest,
    path::Path,
    problem::{Problem, quoted},
};

/// Bytes of a name or a namespace: they stand in messages, in URLs and in an index.
const NAME_BYTES_MAX: usize = 1024;

/// Labels of a job, and bytes of the name or the value of one: each is a row of two indexes.
const LABELS_MAX: usize = 128;
const LABEL_BYTES_MAX: usize = 1024;

/// Constraints, and values of all of them together: each is compared with every node, and others wait meanwhile.
const CONSTRAINTS_MAX: usize = 64;
const CONSTRAINT_VALUES_MAX: usize = 4096;

pub(super) fn check(manifest: &Manifest, problems: &mut Vec<Problem>) {
    let root = Path::root();
    for (field, text) in [("Name", &manifest.name), ("Namespace", &manifest.namespace)] {
        if text.len() > NAME_BYTES_MAX {
            let message = format!("it has {} bytes, and {NAME_BYTES_MAX} at most are taken", text.len());
            problems.push(Problem::new(root.key(field), message));
        }
    }
    let labels = root.key("Labels");
    let mut too_many = |path: &Path, what: &str, found: usize, max: usize, hint: &str| {
        if found > max {
            let message = format!("there are {found} {what}, and {max} at most are taken");
            problems.push(Problem::new(path, message).hint(hint));
        }
    };
    too_many(&labels, "labels", manifest.labels.len(), LABELS_MAX, "`Meta` carries what nobody looks for");
    let constraints = root.key("Constraints");
    let one_label = "give the nodes a label in common, and ask for that";
    too_many(&constraints, "constraints", manifest.constraints.len(), CONSTRAINTS_MAX, one_label);
    let values = manifest.constraints.iter().map(|constraint| constraint.values.len()).sum();
    too_many(&constraints, "values in them", values, CONSTRAINT_VALUES_MAX, one_label);
    let long = manifest.labels.iter().find(|(name, value)| name.len().max(value.len()) > LABEL_BYTES_MAX);
    if let Some((name, _)) = long {
        let name: String = name.chars().take(40).collect();
        let message =
            format!("a name or a value has {LABEL_BYTES_MAX} bytes at most, and {} more", quoted(&name));
        problems.push(Problem::new(labels, message).hint("`Meta` carries what nobody looks for"));
    }
}
