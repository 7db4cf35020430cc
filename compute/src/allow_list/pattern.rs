//! A path pattern: doublestar globs over whole, absolute, resolved paths.

use std::path::{Component, Path, PathBuf};

use crate::glob::{self, Glob, Mistake};

/// An absolute path with globs: `*` within one step, `**` as a whole step for any number of steps, none
/// included, `{a,b}`, `[ab]`, `?`, and `\` before a character taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    alternatives: Vec<Vec<Step>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    One(Glob),
    Any,
}

impl Pattern {
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let alternatives =
            glob::alternatives(text)?.iter().map(|text| steps(text)).collect::<Result<_, _>>()?;
        Ok(Self { alternatives })
    }

    /// Whether the path, which has neither `..` nor links in it any more, fits. One that is no UTF-8 never does.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        let Some(names) = names(path) else { return false };
        self.alternatives.iter().any(|steps| fits(steps, &names))
    }

    /// The same pattern with the directories before the first wildcard replaced by where they really are.
    pub(crate) fn resolved(&self, real_path: &impl Fn(&Path) -> Option<PathBuf>) -> Self {
        let resolve = |steps: &Vec<Step>| {
            let literal: Vec<String> = steps.iter().map_while(Step::literal).collect();
            let prefix: PathBuf = std::iter::once("/").chain(literal.iter().map(String::as_str)).collect();
            let real = real_path(&prefix);
            let Some(names) = real.as_deref().and_then(names) else { return steps.clone() };
            let prefix = names.iter().map(|name| Step::One(Glob::exactly(name)));
            prefix.chain(steps[literal.len()..].iter().cloned()).collect()
        };
        Self { alternatives: self.alternatives.iter().map(resolve).collect() }
    }

    /// The only path it matches, if it has no wildcard.
    pub(crate) fn literal(&self) -> Option<PathBuf> {
        let [steps] = self.alternatives.as_slice() else { return None };
        let names: Option<Vec<String>> = steps.iter().map(Step::literal).collect();
        Some(std::iter::once("/".to_owned()).chain(names?).collect())
    }
}

impl Step {
    fn literal(&self) -> Option<String> {
        match self {
            Self::One(glob) => glob.literal(),
            Self::Any => None,
        }
    }
}

fn steps(text: &str) -> Result<Vec<Step>, Mistake> {
    let Some(text) = text.strip_prefix('/') else { return Err(Mistake("is not an absolute path")) };
    let mut steps = Vec::new();
    for step in text.split('/').filter(|step| !matches!(*step, "" | ".")) {
        match step {
            ".." => return Err(Mistake("has `..` in it")),
            "**" if steps.last() == Some(&Step::Any) => {}
            "**" => steps.push(Step::Any),
            step => steps.push(Step::One(Glob::parse(step)?)),
        }
    }
    Ok(steps)
}

/// The steps of a resolved path; none if it is not resolved or not UTF-8.
fn names(path: &Path) -> Option<Vec<&str>> {
    let mut components = path.components();
    if components.next() != Some(Component::RootDir) {
        return None;
    }
    let name = |component| if let Component::Normal(name) = component { name.to_str() } else { None };
    components.map(name).collect()
}

fn fits(steps: &[Step], names: &[&str]) -> bool {
    let (mut step, mut at) = (0, 0);
    // Where to go on when what follows the last `**` does not fit: that `**` takes one name more.
    let mut retry: Option<(usize, usize)> = None;
    while at < names.len() {
        match steps.get(step) {
            Some(Step::Any) => {
                retry = Some((step + 1, at));
                step += 1;
            }
            Some(Step::One(glob)) if glob.matches(names[at]) => {
                step += 1;
                at += 1;
            }
            _ => match &mut retry {
                Some((after, from)) => {
                    *from += 1;
                    (step, at) = (*after, *from);
                }
                None => return false,
            },
        }
    }
    steps[step..].iter().all(|rest| *rest == Step::Any)
}
