//! The node's side: what jobs get, and what they may not have.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
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
        doc: "What the node joins with, once: a token of `skrei node token create`, or the orchestrator's `Orchestrator.Auth.Token`. A node of the orchestrator's own machine and user needs none.",
    },
    Key {
        name: "Compute.TLS.CACert",
        kind: Kind::File,
        default: "",
        doc: "The orchestrator's authority for nodes, PEM (`orchestrator/authority/ca.pem` below its `DataDir`), where the node is to know it before it joins. Tokens of `skrei node token create` name it by themselves.",
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
        name: "Compute.AllowedOwners",
        kind: Kind::List,
        default: "",
        doc: "To whom jobs may give the files they make (`Owner` of an input source): `USER[:GROUP]`, names or numbers of this machine. The node's own user and group are always allowed; another takes the right to give files away, such as root's.",
    },
    Key {
        name: "Compute.Network.Allow",
        kind: Kind::Word(&["none", "http", "full"]),
        default: "none",
        doc: "The most that jobs may ask for with `Network`. `http`: requests to the hosts of `Compute.Network.Domains`. `full`: whatever this machine can reach, its own network and loopback included.",
    },
    Key {
        name: "Compute.Network.Domains",
        kind: Kind::List,
        default: "",
        doc: "Hosts that jobs may ask for with `Network: {Type: HTTP}`: `api.example.org`, `*.example.org`, `10.0.0.0/8`, each with a `:PORT` or without; `*` is every name and every public address.",
    },
    Key {
        name: "Compute.Network.Ports",
        kind: Kind::List,
        default: "",
        doc: "Where the guests of jobs may listen (`Network: {Ports: [8080]}`): `8080`, `8000-8100`, `127.0.0.1:8080`; without an address on any of this machine's.",
    },
    Key {
        name: "Compute.Env.AllowList",
        kind: Kind::List,
        default: "",
        doc: "Names of this machine's environment variables that jobs may take (`env:NAME`), with `*` for any text. Never skrei's own (`SKREI_…`, `BACALHAU_…`).",
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
        name: "Compute.Logs.KeepFor",
        kind: Kind::Duration,
        default: "168h",
        doc: "What guests printed is kept for so long after they ended. `0s`: for ever, within `Compute.Logs.Total`.",
    },
    Key {
        name: "Compute.Logs.PerExecution",
        kind: Kind::Bytes,
        default: "1Mi",
        doc: "How much one guest may print, both streams together; what is more is counted and dropped, and the log ends with its number.",
    },
    Key {
        name: "Compute.Logs.Total",
        kind: Kind::Bytes,
        default: "1Gi",
        doc: "How much is kept of what all guests printed; the oldest goes first.",
    },
    Key {
        name: "JobAdmissionControl.RejectNetworkedJobs",
        kind: Kind::Boolean,
        default: "false",
        doc: "Refuse every job that asks for a network, whatever `Compute.Network.Allow` and `Compute.Network.Ports` say.",
    },
    Key {
        name: "JobAdmissionControl.RejectStatelessJobs",
        kind: Kind::Boolean,
        default: "false",
        doc: "Refuse every job that comes with no input but its module.",
    },
    Key {
        name: "JobAdmissionControl.ProbeExec",
        kind: Kind::Text,
        default: "",
        doc: "A command that is asked about every job: run by `bash -c`, with the job as JSON on its standard input, for ten seconds at most. Any exit code but 0 refuses the job, with what the command says on standard error.",
    },
    Key {
        name: "JobAdmissionControl.ProbeHTTP",
        kind: Kind::Text,
        default: "",
        doc: "A URL that is asked about every job, by POST of `{\"Job\": …}`, for ten seconds at most. A status of 400 or more refuses the job, and so does the JSON answer `{\"ShouldBid\": false, \"Reason\": \"…\"}`.",
    },
];
