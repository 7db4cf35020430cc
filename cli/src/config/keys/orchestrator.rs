//! The orchestrator's side.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "Orchestrator.Enabled",
        kind: Kind::Boolean,
        default: "false",
        doc: "`serve`: be an orchestrator. The same as `--orchestrator`.",
    },
    Key {
        name: "Orchestrator.Host",
        kind: Kind::Text,
        default: "127.0.0.1",
        doc: "Address that compute nodes connect to, always encrypted. For nodes on other machines: `0.0.0.0`.",
    },
    Key {
        name: "Orchestrator.Port",
        kind: Kind::Port,
        default: "4222",
        doc: "Port that compute nodes connect to.",
    },
    Key {
        name: "Orchestrator.Auth.Token",
        kind: Kind::Secret,
        default: "",
        doc: "A word that nodes may join with, as their `Compute.Auth.Token`, beside the tokens that `skrei node token create` makes. Long and random; it is never sent. Empty: those tokens alone.",
    },
    Key {
        name: "Orchestrator.NodeManager.ManualApproval",
        kind: Kind::Boolean,
        default: "false",
        doc: "A node that joins gets work only once somebody approves it (`skrei node approve`).",
    },
    Key {
        name: "Orchestrator.NodeManager.DisconnectTimeout",
        kind: Kind::Duration,
        default: "1m",
        doc: "A node not heard from for so long is lost, and so is what it was running.",
    },
    Key {
        name: "Orchestrator.Secrets.KeyFile",
        kind: Kind::File,
        default: "",
        doc: "The keys of the secrets that jobs are given: a file for its owner alone, made if it does not exist. Empty: the systemd credential `skrei-secret-keys`, the variable `SKREI_SECRET_KEYS` with the content of such a file, or else `secret-keys` below `DataDir`.",
    },
    Key {
        name: "Orchestrator.Housekeeping.KeepFor",
        kind: Kind::Duration,
        default: "0s",
        doc: "Jobs that ended longer ago are removed, with their executions and history. `0s`: none for its age.",
    },
    Key {
        name: "Orchestrator.Housekeeping.KeepJobs",
        kind: Kind::Pieces,
        default: "1000000",
        doc: "Of jobs that ended so many are kept, those that ended last. `0`: all. A job that goes on is never removed.",
    },
    Key {
        name: "Orchestrator.Results.Keep",
        kind: Kind::Duration,
        default: "720h",
        doc: "How long results are kept. Those of a job that has not ended always are.",
    },
    Key {
        name: "Orchestrator.Results.MaxBytes",
        kind: Kind::Bytes,
        default: "16Gi",
        doc: "How much all results may take, an amount; the oldest of jobs that have ended make room.",
    },
    Key {
        name: "Orchestrator.Artifacts.Keep",
        kind: Kind::Duration,
        default: "720h",
        doc: "How long modules and other artifacts are kept after the last job that came with them. Those of a job that has not ended always are.",
    },
    Key {
        name: "Orchestrator.Artifacts.MaxBytes",
        kind: Kind::Bytes,
        default: "64Gi",
        doc: "How much all artifacts may take, an amount; beyond it none are taken in.",
    },
];
