//! How the API is encrypted, and whom commands trust.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
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
        name: "API.TLS.AutoCert",
        kind: Kind::List,
        default: "",
        doc: "`serve`: names to order one certificate for, from an authority that speaks ACME, renewed by itself. The same as `--autocert`.",
    },
    Key {
        name: "API.TLS.AutoCertDirectory",
        kind: Kind::Text,
        default: "https://acme-v02.api.letsencrypt.org/directory",
        doc: "URL of the authority's directory. Let's Encrypt unless said otherwise, whose terms of use are accepted with it.",
    },
    Key {
        name: "API.TLS.AutoCertDirectoryCA",
        kind: Kind::File,
        default: "",
        doc: "Who vouches for the directory in the place of the system's authorities, PEM: for an authority of one's own.",
    },
    Key {
        name: "API.TLS.AutoCertEmail",
        kind: Kind::Text,
        default: "",
        doc: "Where the authority may write to.",
    },
    Key {
        name: "API.TLS.AutoCertProfile",
        kind: Kind::Text,
        default: "",
        doc: "Which of the authority's kinds of certificate, by its own word, such as Let's Encrypt's `shortlived`.",
    },
    Key {
        name: "API.TLS.AutoCertEAB",
        kind: Kind::Secret,
        default: "",
        doc: "An account that was opened with the authority by other means, `KID:KEY`, the key base64url (external account binding).",
    },
    Key {
        name: "API.TLS.AutoCertChallenge",
        kind: Kind::Word(&["auto", "http-01", "tls-alpn-01"]),
        default: "auto",
        doc: "How the authority sees that the names are ours: on `AutoCertHTTPPort`, or on the API's own port, which must be reachable as 443. `auto`: `http-01` if that port can be had, else `tls-alpn-01` if the API has port 443.",
    },
    Key {
        name: "API.TLS.AutoCertHTTPPort",
        kind: Kind::Port,
        default: "80",
        doc: "Port for `http-01`, which must be reachable as 80; everything else asked there is redirected to HTTPS.",
    },
    Key {
        name: "API.TLS.AutoCertCachePath",
        kind: Kind::File,
        default: "",
        doc: "Where account and certificates are kept. Empty: `autocert-cache` below `DataDir`.",
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
        doc: "Commands trust this authority, or several, in the place of the system's, PEM. The same as `--cacert`.",
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
        doc: "Commands trust any server; what they send can be read and changed on the way. Not looked at where `CAFile` or `Fingerprint` says whom to trust. The same as `--insecure`.",
    },
];
