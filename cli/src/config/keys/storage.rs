//! What comes from afar and goes there: downloads and buckets.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "InputSources.Disabled",
        kind: Kind::List,
        default: "",
        doc: "Types of input sources that this node does not fetch: `urlDownload`, `s3`.",
    },
    Key {
        name: "InputSources.Hosts",
        kind: Kind::List,
        default: "*",
        doc: "Hosts that jobs may have inputs fetched from, and results published to by S3: names (`example.com`, `*.example.com`), addresses or blocks, each with a `:PORT` or without. `*` is every name, and every address that is public; one that is not must be listed itself.",
    },
    Key {
        name: "InputSources.MaxBytes",
        kind: Kind::Bytes,
        default: "1Gi",
        doc: "How much one fetched input may have, an amount; several objects of one source count together.",
    },
    Key {
        name: "InputSources.ReadTimeout",
        kind: Kind::Duration,
        default: "5m",
        doc: "How long fetching one input may take.",
    },
    Key {
        name: "S3.AccessKeyID",
        kind: Kind::Secret,
        default: "",
        doc: "With `S3.SecretAccessKey`: opens the buckets of `S3.Buckets`. Empty: the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the server.",
    },
    Key { name: "S3.SecretAccessKey", kind: Kind::Secret, default: "", doc: "See `S3.AccessKeyID`." },
    Key {
        name: "S3.Buckets",
        kind: Kind::List,
        default: "",
        doc: "Buckets that jobs may use with this machine's credentials: `BUCKET[:ro|:rw]`, `*` for any characters; to publish takes `rw`. Any other is read as everybody may. On an orchestrator: those whose results are fetched with signed URLs.",
    },
    Key {
        name: "S3.Endpoint",
        kind: Kind::Text,
        default: "",
        doc: "Whose service the credentials are for, as a URL. Empty: Amazon's. They go to no endpoint that a job names unless it is this one.",
    },
    Key {
        name: "S3.Region",
        kind: Kind::Text,
        default: "",
        doc: "Where buckets are if a job does not say so. Empty: `us-east-1`.",
    },
    Key {
        name: "Publishers.Types.S3.PreSignedURLDisabled",
        kind: Kind::Boolean,
        default: "false",
        doc: "The orchestrator signs no URLs for results in buckets.",
    },
    Key {
        name: "Publishers.Types.S3.PreSignedURLExpiration",
        kind: Kind::Duration,
        default: "30m",
        doc: "How long such a URL is good for, a week at most.",
    },
];
