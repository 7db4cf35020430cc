//! Which node may run what, and why another may not: the one place that decides it.

use std::{collections::BTreeMap, collections::BTreeSet, fmt};

use skrei_job::{
    NodeId, Spec,
    labels::{Labels, Requirement},
    resources::{Resources, Shortage},
};

use crate::node::{Connection, Membership, Node};

/// The engine every job needs.
const ENGINE: &str = "wasm";

/// A constraint whose key begins so is a wish about the label of the rest of the name: nodes that satisfy it come
/// first, and none is excluded (reference 6.5).
const WISH_PREFIX: &str = "favour_";

/// How many different reasons a message lists; a fleet with more of them is counted.
const REASONS_LISTED_MAX: usize = 10;

/// What is asked of a node. Equal demands are met by the same nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The amounts taken from the node while it runs.
    pub resources: Resources,
    /// Conditions on labels that exclude nodes.
    pub constraints: Vec<Requirement>,
    /// Conditions on labels that nodes satisfy which come first.
    pub wishes: Vec<Requirement>,
    /// Nodes that were tried already.
    pub excluded: BTreeSet<NodeId>,
    key: String,
}

impl Demand {
    /// What this job asks, with no node tried yet.
    pub fn of(spec: &Spec) -> Self {
        let constraints: Vec<_> = spec
            .constraints()
            .iter()
            .filter(|requirement| !requirement.key.starts_with(WISH_PREFIX))
            .cloned()
            .collect();
        let wish = |requirement: &Requirement| {
            let key = requirement.key.strip_prefix(WISH_PREFIX)?.to_owned();
            Some(Requirement { key, ..requirement.clone() })
        };
        let wishes: Vec<_> = spec.constraints().iter().filter_map(wish).collect();
        let resources = spec.task().resources;
        let key = format!("{resources:?}{constraints:?}{wishes:?}");
        Self { resources, constraints, wishes, excluded: BTreeSet::new(), key }
    }

    /// How many of the wishes a node with these labels does not satisfy.
    pub(crate) fn unsatisfied(&self, labels: &Labels) -> usize {
        self.wishes.iter().filter(|wish| !wish.matches(labels)).count()
    }

    /// The same demand with these nodes left out.
    #[must_use]
    pub fn excluding(&self, excluded: BTreeSet<NodeId>) -> Self {
        Self { excluded, ..self.clone() }
    }
}

impl Ord for Demand {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key).then_with(|| self.excluded.cmp(&other.excluded))
    }
}

impl PartialOrd for Demand {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// A node and what it has to give.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The node.
    pub node: &'a Node,
    /// What is not in use.
    pub free: Resources,
}

/// Whether a node may run something now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Fits,
    /// It may not; never empty.
    Unfit(Vec<Reason>),
}

/// A rule that keeps something off a node, with the values it compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is not approved.
    Membership(Membership),
    /// Its link is down, perhaps for a moment.
    Away,
    /// It was not heard from for too long.
    Lost,
    /// Somebody decided that it gets nothing new for now.
    Cordoned,
    /// It says that it can do nothing new for now, and why.
    Unwell(String),
    /// It lacks this engine.
    Engine(&'static str),
    /// A label does not satisfy a constraint.
    Label {
        /// The constraint.
        wanted: Requirement,
        /// The node's label of that name.
        value: Option<String>,
    },
    /// More is asked than it shares out in all.
    TooSmall(Vec<Shortage>),
    /// More is asked than it has free now.
    Busy(Vec<Shortage>),
    /// It was tried for this version already.
    Tried,
}

impl Reason {
    /// Whether waiting can help although nobody changes what the node is or the job asks.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Away | Self::Cordoned | Self::Unwell(_) | Self::Busy(_))
    }

    /// Whether only room is lacking.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Membership(membership) => write!(f, "not approved ({})", membership.as_str()),
            Self::Away => f.write_str("not connected"),
            Self::Lost => f.write_str("not heard from for too long"),
            Self::Cordoned => f.write_str("cordoned"),
            Self::Unwell(why) => write!(f, "unwell: {why}"),
            Self::Engine(engine) => write!(f, "engine `{engine}` missing"),
            Self::Label { wanted, value: Some(value) } => {
                write!(f, "label `{}` = `{value}`, wanted `{wanted}`", wanted.key)
            }
            Self::Label { wanted, value: None } => write!(f, "no label `{}`, wanted `{wanted}`", wanted.key),
            Self::TooSmall(shortages) => write!(f, "too small: {}", list(shortages)),
            Self::Busy(shortages) => write!(f, "busy: {}", list(shortages)),
            Self::Tried => f.write_str("tried before"),
        }
    }
}

/// Compares a demand with a node by every rule.
pub fn judge(demand: &Demand, candidate: Candidate<'_>) -> Verdict {
    let reasons: Vec<_> = reasons(demand, candidate).collect();
    if reasons.is_empty() { Verdict::Fits } else { Verdict::Unfit(reasons) }
}

/// The reasons one by one, so that a caller who needs only the first pays only for that.
pub(crate) fn reasons<'a>(
    demand: &'a Demand,
    Candidate { node, free }: Candidate<'a>,
) -> impl Iterator<Item = Reason> + 'a {
    let info = &node.info;
    let membership = (info.membership != Membership::Approved).then_some(Reason::Membership(info.membership));
    let connection = match node.connection {
        Connection::Connected => None,
        Connection::Away { .. } => Some(Reason::Away),
        Connection::Lost { .. } => Some(Reason::Lost),
    };
    let cordoned = node.orders.cordoned.then_some(Reason::Cordoned);
    let unwell = node.unwell.clone().map(Reason::Unwell);
    let tried = demand.excluded.contains(&info.id).then_some(Reason::Tried);
    let engine = (!info.engines.contains(ENGINE)).then_some(Reason::Engine(ENGINE));
    let labels =
        demand.constraints.iter().filter(|wanted| !wanted.matches(&info.labels)).map(|wanted| {
            Reason::Label { wanted: wanted.clone(), value: info.labels.get(&wanted.key).cloned() }
        });
    let room = move || {
        let too_small = info.capacity.shortages(&demand.resources);
        if !too_small.is_empty() {
            return Some(Reason::TooSmall(too_small));
        }
        let busy = free.shortages(&demand.resources);
        (!busy.is_empty()).then_some(Reason::Busy(busy))
    };
    membership
        .into_iter()
        .chain(connection)
        .chain(cordoned)
        .chain(unwell)
        .chain(tried)
        .chain(engine)
        .chain(labels)
        .chain(std::iter::once_with(room).flatten())
}

/// `2 nodes: not connected; web-3: …`: the most frequent text first, and a node by name where it is the only one.
pub(crate) fn grouped<'a>(reasons: impl IntoIterator<Item = (&'a NodeId, String)>) -> String {
    let mut groups = BTreeMap::<String, Vec<&NodeId>>::new();
    for (node, text) in reasons {
        groups.entry(text).or_default().push(node);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by(|(text_a, a), (text_b, b)| b.len().cmp(&a.len()).then_with(|| text_a.cmp(text_b)));
    let left_out: usize = groups.iter().skip(REASONS_LISTED_MAX).map(|(_, of)| of.len()).sum();
    let who = |of: &[&NodeId]| match of {
        [node] => node.short().to_owned(),
        several => nodes(several.len()),
    };
    let mut lines: Vec<_> =
        groups.iter().take(REASONS_LISTED_MAX).map(|(text, of)| format!("{}: {text}", who(of))).collect();
    if left_out > 0 {
        lines.push(format!("{}: other reasons", nodes(left_out)));
    }
    lines.join("; ")
}

/// `1 node` or `3 nodes`.
pub(crate) fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}

/// Items after one another, for a message.
pub(crate) fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
