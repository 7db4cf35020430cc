//! Of every server: data, labels, logs.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "DataDir",
        kind: Kind::Path,
        default: "~/.skrei",
        doc: "Where a server keeps its state, and where `config.yaml` is looked for. One process at a time.",
    },
    Key {
        name: "Labels",
        kind: Kind::Map,
        default: "",
        doc: "Labels of this node, beside `name`, `os_type` and `os_arch`, for a job's `Constraints` to select it by.",
    },
    Key {
        name: "Logging.Level",
        kind: Kind::Word(&["trace", "debug", "info", "warn", "error"]),
        default: "info",
        doc: "How much servers say about their work on standard error.",
    },
    Key {
        name: "Logging.Mode",
        kind: Kind::Word(&["default", "json", "cmd"]),
        default: "default",
        doc: "`default`: lines for people. `json`: one object a line. `cmd`: the message alone.",
    },
];
