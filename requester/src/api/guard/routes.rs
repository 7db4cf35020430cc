//! What each route asks of its caller (reference requester-api 5.5).

use std::fmt;

use axum::http::Method;
use skrei_access::{Action, Caller, Resource};
use skrei_protocol::api::BASE;

/// What a request takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Anybody may, unknown or not.
    Nothing,
    /// Anybody may who is known.
    Name,
    /// A capability.
    May(Action, Resource),
    /// `*`
    Everything,
}

/// Whose a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Belongs {
    ToAnybody,
    ToTheKnown,
    To(Resource),
}

use Belongs::{To, ToAnybody, ToTheKnown};

/// Every route below [`BASE`]. One that is not here takes `*`, and a test fails.
const ROUTES: &[(&str, Belongs)] = &[
    ("/agent/alive", ToAnybody),
    ("/agent/version", ToAnybody),
    ("/agent/authconfig", ToAnybody),
    ("/agent/node", To(Resource::Agent)),
    ("/agent/config", To(Resource::Agent)),
    ("/agent/debug", To(Resource::Agent)),
    ("/audit", To(Resource::Audit)),
    ("/auth", ToAnybody),
    ("/auth/{method}", ToAnybody),
    ("/auth/whoami", ToTheKnown),
    ("/openapi.json", ToAnybody),
    ("/orchestrator/artifacts/{digest}", To(Resource::Job)),
    ("/orchestrator/authority", To(Resource::Node)),
    ("/orchestrator/events", To(Resource::Job)),
    ("/orchestrator/jobs", To(Resource::Job)),
    ("/orchestrator/jobs/diff", To(Resource::Job)),
    ("/orchestrator/jobs/plan", To(Resource::Job)),
    ("/orchestrator/jobs/{id}", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/executions", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/history", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/logs", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/rerun", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/results", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/rollout", To(Resource::Job)),
    ("/orchestrator/jobs/{id}/secrets", To(Resource::Secret)),
    ("/orchestrator/jobs/{id}/versions", To(Resource::Job)),
    ("/orchestrator/join-tokens", To(Resource::Node)),
    ("/orchestrator/join-tokens/{id}", To(Resource::Node)),
    ("/orchestrator/nodes", To(Resource::Node)),
    ("/orchestrator/nodes/{id}", To(Resource::Node)),
    ("/orchestrator/sealing-keys", To(Resource::Node)),
    ("/orchestrator/secret-key", To(Resource::Secret)),
    ("/orchestrator/secrets", To(Resource::Secret)),
    ("/orchestrator/secrets/{name}", To(Resource::Secret)),
    // Their URL is the credential, and given out with the job's results alone.
    ("/results/{name}", ToAnybody),
];

/// Routes beside [`BASE`] that only lead to open ones.
const REDIRECTS: &[&str] = &["/", "/version", "/livez"];

/// What a request takes, by the route it was found to be for. What leads nowhere takes a name: strangers do not learn
/// what is here and what is not.
pub(super) fn need(route: Option<&str>, method: &Method) -> Need {
    let Some(route) = route else { return Need::Name };
    if REDIRECTS.contains(&route) {
        return Need::Nothing;
    }
    let action = if *method == Method::GET || *method == Method::HEAD { Action::Read } else { Action::Write };
    match belongs(route) {
        Some(ToAnybody) => Need::Nothing,
        Some(ToTheKnown) => Need::Name,
        Some(To(resource)) => Need::May(action, resource),
        None => Need::Everything,
    }
}

fn belongs(route: &str) -> Option<Belongs> {
    let path = route.strip_prefix(BASE)?;
    ROUTES.iter().find(|(known, _)| *known == path).map(|(_, belongs)| *belongs)
}

impl Need {
    pub(super) fn is_met_by(self, caller: &Caller) -> bool {
        match self {
            Self::Nothing | Self::Name => true,
            Self::May(action, resource) => caller.capabilities.allow(action, resource),
            Self::Everything => caller.capabilities.allow_everything(),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Name => f.write_str("a name"),
            Self::May(action, resource) => {
                write!(f, "`{}`", skrei_access::Capability::One(*action, *resource))
            }
            Self::Everything => f.write_str("`*`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The one route that does not document itself.
    const OPENAPI: &str = "/api/v1/openapi.json";

    #[test]
    fn every_route_is_in_the_table_and_the_other_way_round() {
        let documented = crate::api::documented().into_openapi();
        let mut routes: Vec<&str> = documented.paths.paths.keys().map(String::as_str).collect();
        routes.push(OPENAPI);
        routes.sort_unstable();
        let mut known: Vec<String> = ROUTES.iter().map(|(path, _)| format!("{BASE}{path}")).collect();
        known.sort_unstable();
        assert_eq!(routes, known, "a route of the API has no entry in ROUTES, or one is gone");
    }

    #[test]
    fn what_nobody_thought_of_is_for_administrators() {
        assert_eq!(need(Some("/api/v1/new/thing"), &Method::GET), Need::Everything);
        assert_eq!(need(None, &Method::GET), Need::Name);
        let jobs = Some("/api/v1/orchestrator/jobs");
        assert_eq!(need(jobs, &Method::HEAD), Need::May(Action::Read, Resource::Job));
        assert_eq!(need(jobs, &Method::PUT), Need::May(Action::Write, Resource::Job));
        assert_eq!(need(jobs, &Method::OPTIONS), Need::May(Action::Write, Resource::Job));
    }
}
