//! The API: where it is, who may call it, and what commands show.

use crate::config::key::{Key, Kind};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "API.Host",
        kind: Kind::Text,
        default: "127.0.0.1",
        doc: "Address the orchestrator serves its API on, and that commands talk to. A command takes `0.0.0.0` as this machine, and also a whole URL `http://HOST:PORT`.",
    },
    Key { name: "API.Port", kind: Kind::Port, default: "1234", doc: "Port of the API." },
    Key {
        name: "API.CORS.AllowedOrigins",
        kind: Kind::List,
        default: "",
        doc: "`serve`: web pages of these origins may call the API from a browser, such as `https://ops.example.org`; `*` is every page. Empty: its own alone. Where nobody is asked who they are, also further names the API may be called by.",
    },
    Key {
        name: "API.PublicURL",
        kind: Kind::Text,
        default: "",
        doc: "`serve`: how clients reach the API, such as `https://skrei.example.com`, for the URLs of results. Empty: as each client called it. Needed behind a proxy that speaks TLS.",
    },
    Key {
        name: "API.Key",
        kind: Kind::Secret,
        default: "",
        doc: "Commands show this API key. Better in the environment (`SKREI_API_KEY`) or a file than on the command line.",
    },
    Key {
        name: "API.Username",
        kind: Kind::Text,
        default: "",
        doc: "Commands log in as this user, with `API.Password`.",
    },
    Key { name: "API.Password", kind: Kind::Secret, default: "", doc: "The password of `API.Username`." },
    Key {
        name: "API.Auth.Mode",
        kind: Kind::Word(&["auto", "open", "required"]),
        default: "auto",
        doc: "`serve`: whether callers must say who they are. `auto`: yes if there are users or an identity provider, or if other machines can reach the API; then an administrator's key is made where there is no user. `open`: no, whoever can reach it.",
    },
    Key {
        name: "API.Auth.Users",
        kind: Kind::Users,
        default: "",
        doc: "`serve`: who may call the API, beside those of `skrei auth add`: a list of `Username` and `Password` (as it is, or of `skrei auth hash-password`), or `Alias` and `APIKey`, with `Capabilities: [{Actions: [read:job]}]`.",
    },
    Key {
        name: "API.Auth.Oauth2.ProviderID",
        kind: Kind::Text,
        default: "",
        doc: "`serve`: an identity provider (OpenID Connect) whose tokens are accepted; a short name for it. Needs `Issuer`, `Audience` and `JWKSUri`; for `skrei auth sso login` also the endpoints and `DeviceClientID`.",
    },
    Key {
        name: "API.Auth.Oauth2.ProviderName",
        kind: Kind::Text,
        default: "",
        doc: "What people call the provider.",
    },
    Key {
        name: "API.Auth.Oauth2.Issuer",
        kind: Kind::Text,
        default: "",
        doc: "Who must have issued a token (`iss`).",
    },
    Key {
        name: "API.Auth.Oauth2.Audience",
        kind: Kind::Text,
        default: "",
        doc: "For whom a token must be (`aud`).",
    },
    Key {
        name: "API.Auth.Oauth2.JWKSUri",
        kind: Kind::Text,
        default: "",
        doc: "URL of the provider's keys. They are fetched again when a token names a new one.",
    },
    Key {
        name: "API.Auth.Oauth2.Algorithms",
        kind: Kind::List,
        default: "RS256,ES256",
        doc: "What tokens may be signed with.",
    },
    Key {
        name: "API.Auth.Oauth2.CapabilityClaim",
        kind: Kind::Text,
        default: "permissions",
        doc: "The claim of a token that holds capabilities: a list, or words separated by spaces.",
    },
    Key {
        name: "API.Auth.Oauth2.CAFile",
        kind: Kind::File,
        default: "",
        doc: "Who vouches for the provider in the place of the system's authorities, PEM.",
    },
    Key {
        name: "API.Auth.Oauth2.TokenEndpoint",
        kind: Kind::Text,
        default: "",
        doc: "URL where commands get a token.",
    },
    Key {
        name: "API.Auth.Oauth2.DeviceAuthorizationEndpoint",
        kind: Kind::Text,
        default: "",
        doc: "URL where commands ask to log in on another device (RFC 8628).",
    },
    Key {
        name: "API.Auth.Oauth2.DeviceClientID",
        kind: Kind::Text,
        default: "",
        doc: "What commands call themselves at the provider.",
    },
    Key {
        name: "API.Auth.Oauth2.Scopes",
        kind: Kind::List,
        default: "",
        doc: "What commands ask the provider for.",
    },
    Key {
        name: "API.Auth.Oauth2.PollingInterval",
        kind: Kind::Number,
        default: "5",
        doc: "Seconds between two questions whether somebody has logged in.",
    },
    Key {
        name: "API.RateLimit.Requests",
        kind: Kind::Number,
        default: "1000",
        doc: "`serve`: requests a second that one client on another machine may make over a while; 0 for any number. An IPv6 network of 64 bits is one client.",
    },
    Key {
        name: "API.RateLimit.Failures",
        kind: Kind::Number,
        default: "10",
        doc: "`serve`: how often a minute one client may show a wrong password, key or token.",
    },
    Key {
        name: "API.Audit.Retention",
        kind: Kind::Duration,
        default: "2160h",
        doc: "`serve`: how long it is kept who changed what (`skrei audit list`); at most a million calls.",
    },
];
