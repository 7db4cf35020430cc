//! Syntax errors in words that help.

use saphyr_parser::ScanError;

use super::{MAX_DEPTH, Place};
use crate::problem::{Problem, quoted};

/// What is wrong with the text, and where.
pub(super) fn explain(error: &ScanError, text: &str, map: &dyn Fn(Place) -> Place) -> Problem {
    let written: Place = (error.marker().line(), error.marker().col() + 1);
    let at = |place: Place| Some(map(place));
    if let Some(tab) = tab_near(text, written.0) {
        return Problem::new("", "there is a tab in the indentation")
            .at(at(tab))
            .hint("YAML is indented with spaces; replace the tab");
    }
    let info = error.info();
    let problem = match info {
        "recursion limit exceeded" => Problem::new(
            "",
            format!("the document is too large: more than {MAX_DEPTH} levels of lists and maps"),
        ),
        "while parsing node, found unknown anchor" => {
            let name = word_at(text, written);
            Problem::new("", format!("no anchor {} comes before its alias", quoted(&name)))
                .hint("put quotes around a text that starts with `*`")
        }
        "mapping values are not allowed in this context" => {
            Problem::new("", "not YAML: a second `: ` on the line, or a line that is indented too far")
                .hint("put quotes around a text that has `: ` in it")
        }
        "simple key expected" | "simple key expect ':'" => {
            Problem::new("", "not YAML: a line that is neither `key: value` nor an element of a list")
                .hint("check the indentation here and on the line before")
        }
        _ => {
            let detail = info.rsplit_once("did not find expected ").map_or_else(
                || info.split_once(", found ").map_or(info.to_owned(), |(_, found)| format!("found {found}")),
                |(_, wanted)| format!("expected {wanted}"),
            );
            Problem::new("", format!("not YAML: {detail}"))
        }
    };
    problem.at(at(written))
}

/// The name of an anchor or alias: the word at a place, without its `*` or `&`.
pub(super) fn word_at(text: &str, (line, column): Place) -> String {
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or("");
    line.chars()
        .skip(column.saturating_sub(1))
        .skip_while(|c| matches!(c, '*' | '&' | ' '))
        .take_while(|c| !c.is_whitespace() && !matches!(c, ',' | '[' | ']' | '{' | '}'))
        .collect()
}

/// A tab in the indentation of this line or the one before.
fn tab_near(text: &str, line: usize) -> Option<Place> {
    let first = line.saturating_sub(1).max(1);
    text.lines().enumerate().skip(first - 1).take(2).find_map(|(index, written)| {
        let indentation = written.chars().take_while(|c| c.is_whitespace());
        let column = indentation.collect::<Vec<_>>().iter().position(|c| *c == '\t')?;
        (!written.trim().is_empty()).then_some((index + 1, column + 1))
    })
}
