//! The guest's environment: what the task sets, what the host lends, and what the system says.

use std::collections::BTreeMap;

use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
};
use skrei_protocol::link::Assignment;

use crate::{Error, glob::Glob};

/// A value that starts so names a variable of the host.
const HOST_PREFIX: &str = "env:";

/// Variables whose names start so are settings of our own, with keys of secrets and of the API among them: no pattern lends
/// them.
const OURS: [&str; 2] = ["SKREI_", "BACALHAU_"];

/// Which of the host's variables jobs may have.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostVariables {
    globs: Vec<Glob>,
    written: Vec<String>,
}

impl HostVariables {
    pub(crate) fn parse(patterns: &[String]) -> Result<Self, Error> {
        let parse = |pattern: &String| {
            Glob::parse(pattern)
                .map_err(|mistake| Error::EnvAllowList { pattern: pattern.clone(), message: mistake.0 })
        };
        Ok(Self { globs: patterns.iter().map(parse).collect::<Result<_, _>>()?, written: patterns.to_vec() })
    }

    /// The task's variables, those taken from the host filled in from `host`.
    pub(crate) fn fill(
        &self,
        node: &NodeId,
        task: &BTreeMap<String, String>,
        host: impl Fn(&str) -> Option<String>,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let fill = |(name, value): (&String, &String)| {
            let value = match value.strip_prefix(HOST_PREFIX) {
                None => value.clone(),
                Some(wanted) if OURS.iter().any(|ours| wanted.starts_with(ours)) => {
                    return Err(ours(node, wanted));
                }
                Some(wanted) if !self.allows(wanted) => return Err(self.not_allowed(node, wanted)),
                Some(wanted) => host(wanted).ok_or_else(|| not_set(node, wanted))?,
            };
            Ok((name.clone(), value))
        };
        task.iter().map(fill).collect()
    }

    fn allows(&self, name: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches(name))
    }

    fn not_allowed(&self, node: &NodeId, name: &str) -> Refusal {
        let tried = match self.written.as_slice() {
            [] => "none is allowed".to_owned(),
            written => format!("tried `{}`", written.join("`, `")),
        };
        Refusal {
            rule: Rule::Environment,
            message: format!("node `{node}` does not let jobs have the host's variable `{name}` ({tried})"),
            hint: Some(format!("the node's owner can allow it with `-c Compute.Env.AllowList={name}`")),
        }
    }
}

fn ours(node: &NodeId, name: &str) -> Refusal {
    Refusal {
        rule: Rule::Environment,
        message: format!("node `{node}` lets no job have `{name}`: that is a setting of skrei's own"),
        hint: Some("what a job needs has a variable of another name, or is a secret of the job's".to_owned()),
    }
}

fn not_set(node: &NodeId, name: &str) -> Refusal {
    Refusal {
        rule: Rule::Environment,
        message: format!("the variable `{name}` is not set on node `{node}`"),
        hint: Some(format!("set `{name}` where the node is started, and start it again")),
    }
}

/// Everything the guest finds in its environment. What the system says is not the task's to change.
pub(crate) fn of_guest(
    task: BTreeMap<String, String>,
    node: &NodeId,
    assignment: &Assignment,
) -> BTreeMap<String, String> {
    let facts = [
        ("EXECUTION_ID", assignment.execution.to_string()),
        ("JOB_ID", assignment.job.to_string()),
        ("JOB_TYPE", assignment.spec.kind().as_str().to_owned()),
        ("PARTITION_INDEX", assignment.partition.to_string()),
        ("PARTITION_COUNT", assignment.partitions.to_string()),
    ];
    let mut environment = task;
    for (name, value) in facts {
        environment.insert(format!("BACALHAU_{name}"), value.clone());
        environment.insert(format!("SKREI_{name}"), value);
    }
    environment.insert("SKREI_NODE_ID".to_owned(), node.to_string());
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(patterns: &[&str], wanted: &str) -> Result<String, Rule> {
        let patterns: Vec<_> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
        let variables = HostVariables::parse(&patterns).map_err(|_| Rule::Unsupported)?;
        let task = BTreeMap::from([("X".to_owned(), format!("env:{wanted}"))]);
        let host = |name: &str| (name != "APP_UNSET").then(|| format!("value of {name}"));
        let filled = variables.fill(&NodeId::new("web-1"), &task, host);
        filled.map(|filled| filled["X"].clone()).map_err(|refusal| refusal.rule)
    }

    #[test]
    fn a_pattern_covers_whole_names_and_is_no_regular_expression() {
        let patterns = ["APP_*", "HOST", "DB[12]", "A.B"];
        for allowed in ["APP_", "APP_KEY", "HOST", "DB1", "A.B"] {
            assert_eq!(fill(&patterns, allowed), Ok(format!("value of {allowed}")), "{allowed}");
        }
        for other in ["MY_APP_KEY", "APP", "app_key", "HOSTNAME", "LOCALHOST", "DB3", "DB12", "AXB", "", "*"]
        {
            assert_eq!(fill(&patterns, other), Err(Rule::Environment), "{other}");
        }
        for ours in ["SKREI_SECRET_KEYS", "SKREI_API_KEY", "BACALHAU_API_KEY"] {
            assert_eq!(fill(&["*", ours], ours), Err(Rule::Environment), "{ours}");
        }
        assert_eq!(fill(&[], "HOST"), Err(Rule::Environment));
        assert_eq!(fill(&["*"], "APP_UNSET"), Err(Rule::Environment));
        assert_eq!(fill(&["["], "HOST"), Err(Rule::Unsupported), "a mistake stops the node");
    }
}
