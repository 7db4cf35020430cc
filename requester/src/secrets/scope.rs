//! Which nodes a scope covers.
//!
//! A node says its labels itself, and one that is not what it seems says what it likes. So what opens a scope is what
//! people said of the node here (`skrei node label`); what the node says can only keep a secret away from it.

use std::fmt;

use skrei_job::{
    labels::{Operator, Requirement},
    secret::Scope,
};

use crate::store::NodeStanding;

/// A requirement of a scope that does not hold for a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    requirement: Requirement,
    /// Whether it would hold if the node's own word counted.
    is_said: bool,
}

/// Whether a node may have the secret; if not, the first requirement that does not hold.
pub(crate) fn covers(scope: &Scope, standing: &NodeStanding) -> Result<(), Outside> {
    scope.covers_node(&standing.labels).map_err(|requirement| outside(requirement, false))?;
    scope.covers_node(&standing.vouched).map_err(|requirement| outside(requirement, true))
}

fn outside(requirement: &Requirement, is_said: bool) -> Outside {
    Outside { requirement: requirement.clone(), is_said }
}

impl Outside {
    /// A label that would let it hold, as `skrei node label` takes it; none if that is not for us to guess.
    pub(crate) fn label(&self) -> Option<String> {
        let Requirement { key, operator, values } = &self.requirement;
        match (operator, values.first()) {
            (Operator::Equals | Operator::In, Some(value)) => Some(format!("{key}={value}")),
            _ => None,
        }
    }
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { requirement, is_said } = self;
        match is_said {
            true => write!(f, "`{requirement}` holds by the node's own word alone, which opens no scope"),
            false => write!(f, "`{requirement}` does not hold"),
        }
    }
}

#[cfg(test)]
mod tests {
    use skrei_job::labels::Labels;

    use super::*;

    fn labels(text: &str) -> Labels {
        text.split_terminator(',')
            .map(|label| label.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What is said of a node whose labels are these.
    fn said(operator: Operator, vouched: &str, said: &str) -> String {
        let requirement = Requirement { key: "zone".to_owned(), operator, values: vec!["eu".to_owned()] };
        let scope = Scope { jobs: Vec::new(), nodes: vec![requirement] };
        let mut all = labels(said);
        all.extend(labels(vouched));
        let standing = NodeStanding { is_approved: true, vouched: labels(vouched), labels: all };
        covers(&scope, &standing).map_or_else(|outside| outside.to_string(), |()| "covered".to_owned())
    }

    #[test]
    fn a_node_opens_no_scope_by_what_it_says_and_may_close_one() {
        assert_eq!(said(Operator::Equals, "zone=eu", ""), "covered");
        assert_eq!(said(Operator::Equals, "zone=eu", "zone=us"), "covered", "what people say counts");
        assert!(said(Operator::Equals, "", "zone=eu").contains("own word"));
        assert!(said(Operator::Equals, "zone=us", "zone=eu").contains("does not hold"));
        assert_eq!(said(Operator::NotEquals, "", ""), "covered");
        assert!(said(Operator::NotEquals, "", "zone=eu").contains("does not hold"));
        assert_eq!(said(Operator::NotEquals, "zone=us", "zone=eu"), "covered");
    }
}
