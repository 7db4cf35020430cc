//! Every key there is. docs/reference/configuration.md is made from this table.

use super::key::{Key, Kind};

/// All keys, in name order within their sections.
pub(crate) const KEYS: &[Key] = &[
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
    Key {
        name: "API.Host",
        kind: Kind::Text,
        default: "127.0.0.1",
        doc: "Address the orchestrator serves its API on, and that commands talk to. A command takes `0.0.0.0` as this machine, and also a whole URL `http://HOST:PORT`.",
    },
    Key { name: "API.Port", kind: Kind::Port, default: "1234", doc: "Port of the API." },
    Key {
        name: "API.TLS.CertFile",
        kind: Kind::File,
        default: "",
        doc: "`serve`: the certificate chain the API is served with, PEM. With `API.TLS.KeyFile`; both are read again whenever they change. The same as `--tlscert`.",
    },
    Key {
        name: "API.TLS.KeyFile",
        kind: Kind::File,
        default: "",
        doc: "`serve`: the key of `API.TLS.CertFile`, PEM. The same as `--tlskey`.",
    },
    Key {
        name: "API.TLS.SelfSigned",
        kind: Kind::Boolean,
        default: "false",
        doc: "`serve`: make a local authority and a certificate of it for this machine, below `DataDir`. The same as `--self-signed`.",
    },
    Key {
        name: "API.TLS.UseTLS",
        kind: Kind::Boolean,
        default: "false",
        doc: "Commands call the API by HTTPS. Not needed where another key here or `https://` in `API.Host` says so. The same as `--tls`.",
    },
    Key {
        name: "API.TLS.CAFile",
        kind: Kind::File,
        default: "",
        doc: "Commands trust this authority beside those of the system, PEM. The same as `--cacert`.",
    },
    Key {
        name: "API.TLS.Fingerprint",
        kind: Kind::Text,
        default: "",
        doc: "Commands trust the server with this certificate, or of this authority, and no other: its SHA-256 in hexadecimal digits.",
    },
    Key {
        name: "API.TLS.Insecure",
        kind: Kind::Boolean,
        default: "false",
        doc: "Commands trust any server; what they send can be read and changed on the way. The same as `--insecure`.",
    },
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
        doc: "Address that compute nodes connect to. For nodes on other machines: `0.0.0.0`, together with `Orchestrator.Auth.Token`.",
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
        doc: "What a compute node must present to be let in. Empty: any node may connect, and be given jobs.",
    },
    Key {
        name: "Orchestrator.NodeManager.DisconnectTimeout",
        kind: Kind::Duration,
        default: "1m",
        doc: "A node not heard from for so long is lost, and so is what it was running.",
    },
    Key {
        name: "Compute.Enabled",
        kind: Kind::Boolean,
        default: "false",
        doc: "`serve`: be a compute node. The same as `--compute`.",
    },
    Key {
        name: "Compute.Orchestrators",
        kind: Kind::List,
        default: "127.0.0.1:4222",
        doc: "Where the orchestrator is, `HOST:PORT`. The node dials out and opens no port itself.",
    },
    Key {
        name: "Compute.Auth.Token",
        kind: Kind::Secret,
        default: "",
        doc: "Presented to the orchestrator; its `Orchestrator.Auth.Token`.",
    },
    Key {
        name: "Compute.Heartbeat.Interval",
        kind: Kind::Duration,
        default: "15s",
        doc: "How often the node says that it is there. Keep it well below the orchestrator's `DisconnectTimeout`.",
    },
    Key {
        name: "Compute.AllowListedLocalPaths",
        kind: Kind::List,
        default: "",
        doc: "Host paths that jobs may mount: `PATTERN[:ro|:rw]` with globs (`*`, `**`, `?`, `[ab]`, `{a,b}`), or `HOST_PATH:JOB_PATH[:ro|:rw]` to serve what jobs ask for as `JOB_PATH` from another place. Without a mode: `ro`. `devstack` puts each node's name in the place of `{node}`.",
    },
    Key {
        name: "Compute.AllocatedCapacity.CPU",
        kind: Kind::Cpu,
        default: "80%",
        doc: "Processor time given to jobs: a share of the machine's, or cores (`2`, `500m`).",
    },
    Key {
        name: "Compute.AllocatedCapacity.Memory",
        kind: Kind::Bytes,
        default: "80%",
        doc: "Memory given to jobs: a share of the machine's, or an amount (`4Gi`, `512MB`).",
    },
    Key {
        name: "Compute.AllocatedCapacity.Disk",
        kind: Kind::Bytes,
        default: "80%",
        doc: "Disk space given to jobs: a share of what is free under `DataDir` at start, or an amount.",
    },
    Key {
        name: "Compute.AllocatedCapacity.GPU",
        kind: Kind::Pieces,
        default: "100%",
        doc: "GPUs given to jobs. WebAssembly cannot use any; only a number above 0 is offered.",
    },
    Key {
        name: "Compute.AllowedOwners",
        kind: Kind::List,
        default: "",
        doc: "To whom jobs may give the files they make (`Owner` of an input source): `USER[:GROUP]`, names or numbers of this machine. The node's own user and group are always allowed; another takes the right to give files away, such as root's.",
    },
    Key {
        name: "Compute.Env.AllowList",
        kind: Kind::List,
        default: "",
        doc: "Names of this machine's environment variables that jobs may take (`env:NAME`), with `*` for any text.",
    },
];
