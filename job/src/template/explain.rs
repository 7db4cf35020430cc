//! What went wrong while rendering, in words that help and show no value.

use handlebars::{RenderError, RenderErrorReason};

use super::{
    go::{Token, tokens},
    helpers::{NAMES, OURS},
    prepare::{Prepared, Tag},
    variables::Variables,
};
use crate::problem::{Problem, Problems, listed, nearest, quoted};

/// How many known names a message lists.
const LISTED_MAX: usize = 12;

pub(super) fn explain(error: &RenderError, prepared: &Prepared, variables: &Variables) -> Problems {
    let mut place = error.line_no.zip(error.column_no);
    if let RenderErrorReason::TemplateError(inner) = error.reason() {
        place = place.or(inner.pos());
    }
    let tag = place.and_then(|place| prepared.tags.iter().rfind(|tag| tag.prepared <= place));
    let problem = match error.reason() {
        RenderErrorReason::MissingVariable(Some(path)) => missing(root_of(path), variables),
        RenderErrorReason::HelperNotFound(name) => unknown_helper(name),
        RenderErrorReason::Other(message) if message.starts_with(OURS) => {
            let (message, hint) = message.trim_start_matches(OURS).split_once('\n').unwrap_or((message, ""));
            let problem = Problem::new("", message.trim_start_matches(OURS));
            if hint.is_empty() { problem } else { problem.hint(hint) }
        }
        RenderErrorReason::MissingVariable(None)
        | RenderErrorReason::ParamNotFoundForIndex(..)
        | RenderErrorReason::ParamNotFoundForName(..) => match tag.and_then(|tag| unknown_in(tag, variables))
        {
            Some(name) => missing(&name, variables),
            None => wrong(tag, "a parameter is missing or has nothing in it"),
        },
        RenderErrorReason::ParamTypeMismatchForName(..)
        | RenderErrorReason::HashTypeMismatchForName(..)
        | RenderErrorReason::InvalidParamType(_) => wrong(tag, "a parameter is of the wrong type"),
        _ => wrong(tag, "it cannot be understood"),
    };
    problem.at(tag.map(|tag| tag.source)).into()
}

fn wrong(tag: Option<&Tag>, what: &str) -> Problem {
    let shown = tag.map_or("the template".to_owned(), |tag| quoted(&format!("{{{{{}}}}}", tag.body)));
    Problem::new("", format!("{shown}: {what}"))
        .hint("write `\\{{` for braces that are text, or use --no-template")
}

/// A variable that was not given, or is not what it is used as.
fn missing(name: &str, variables: &Variables) -> Problem {
    let names = variables.names();
    if names.contains(&name) {
        return Problem::new("", format!("the variable {} cannot be used like this", quoted(name))).hint(format!(
            "it is a text: take it apart with `(split {name} \",\")`, `(lines {name})` or `(parse {name})`; within a block, `{{{{@root.{name}}}}}` names it from outside"
        ));
    }
    let problem = Problem::new("", format!("no template variable {} was given", quoted(name)));
    if let Some(holder) = variables.swallowed(name) {
        return problem.hint(format!(
            "the value of `{holder}` has `,{name}=` in it: everything after the first `=` is the value here. \
             Give each variable its own flag: --template-vars \"{holder}=...\" --template-vars \"{name}=...\""
        ));
    }
    if NAMES.contains(&name) {
        return problem.hint(format!("`{name}` is a helper and takes parameters"));
    }
    if names.is_empty() {
        return problem.hint(format!(
            "none was given; add --template-vars {name}=VALUE or {name}=@FILE, or write `{{{{default {name} \"...\"}}}}`"
        ));
    }
    let near = nearest(name, names.iter().copied());
    let mut sorted = names.clone();
    sorted.sort_by_key(|known| (strsim::damerau_levenshtein(known, name), known.len()));
    let more = sorted.len().saturating_sub(LISTED_MAX);
    sorted.truncate(LISTED_MAX);
    let known = listed(sorted) + &if more > 0 { format!(" and {more} more") } else { String::new() };
    problem.hint(match near {
        Some(near) => format!("did you mean `{near}`? Given were {known}"),
        None => format!("given were {known}; add --template-vars {name}=VALUE or {name}=@FILE"),
    })
}

fn unknown_helper(name: &str) -> Problem {
    let hint = match nearest(name, NAMES.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the helpers are {}", listed(NAMES.iter().copied())),
    };
    Problem::new("", format!("there is no helper {}", quoted(name))).hint(hint)
}

/// `a` of `a.b`, `@root.a`, `[a]`, `../a` and `this.a`.
fn root_of(path: &str) -> &str {
    let mut rest = path;
    while let Some(tail) =
        ["@root.", "@root/", "../", "./", "this."].iter().find_map(|up| rest.strip_prefix(up))
    {
        rest = tail;
    }
    match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => rest.split(['.', '/']).next().unwrap_or(rest),
    }
}

/// The first word of an expression that is neither helper, literal nor known variable.
fn unknown_in(tag: &Tag, variables: &Variables) -> Option<String> {
    let known = variables.all();
    let parts = tokens(&tag.body);
    let mut words = parts.iter().filter_map(|token| match token {
        Token::Word(word) => Some(root_of(word.trim_matches(['~', '#']))),
        Token::Literal(_) | Token::Between(_) => None,
    });
    words
        .find(|word| {
            word.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && !known.contains_key(word)
                && !NAMES.contains(word)
                && !matches!(*word, "as" | "this" | "true" | "false" | "null" | "else")
        })
        .map(str::to_owned)
}
