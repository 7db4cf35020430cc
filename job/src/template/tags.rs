//! Where the template expressions of a text are, found before Handlebars sees it.

use crate::document::Place;

/// A part of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'text> {
    /// Text that is copied, escapes (`\{{`) and raw blocks included.
    Text(&'text str),
    /// `{{ ... }}`: what is between the braces.
    Tag(&'text str),
    /// `{{{ ... }}}`.
    Triple(&'text str),
    /// A comment with its braces.
    Comment(&'text str),
    /// `{{` that is never closed, and the rest of the text.
    Unclosed(&'text str),
}

/// Cuts a template into pieces, each with the byte where it starts.
pub(super) fn pieces(text: &str) -> Vec<(usize, Piece<'_>)> {
    let mut pieces = Vec::new();
    let mut text_from = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let open = at + found;
        let backslashes = text[text_from..open].bytes().rev().take_while(|byte| *byte == b'\\').count();
        let rest = &text[open..];
        if backslashes == 1 {
            // Escaped: the braces are text, and so is what follows up to the next ones.
            at = open + if rest.starts_with("{{{{") { 4 } else { 2 };
            continue;
        }
        let raw = rest.starts_with("{{{{").then(|| raw_block(rest));
        if let Some(Some(length)) = raw {
            at = open + length;
            continue;
        }
        let (piece, length) = if raw.is_some() { (Piece::Unclosed(rest), rest.len()) } else { tag(rest) };
        if text_from < open {
            pieces.push((text_from, Piece::Text(&text[text_from..open])));
        }
        pieces.push((open, piece));
        at = open + length;
        text_from = at;
    }
    if text_from < text.len() {
        pieces.push((text_from, Piece::Text(&text[text_from..])));
    }
    pieces
}

/// The length of `{{{{name}}}} ... {{{{/name}}}}`.
fn raw_block(rest: &str) -> Option<usize> {
    let close = rest.find("{{{{/")?;
    Some(close + rest[close..].find("}}}}")? + 4)
}

/// The tag at the start of this text, and its length.
fn tag(rest: &str) -> (Piece<'_>, usize) {
    let unclosed = (Piece::Unclosed(rest), rest.len());
    if rest.starts_with("{{!") {
        let end = if rest.starts_with("{{!--") { "--}}" } else { "}}" };
        return match rest.find(end) {
            Some(close) => {
                let length = close + end.len();
                (Piece::Comment(&rest[..length]), length)
            }
            None => unclosed,
        };
    }
    if rest.starts_with("{{{") {
        return match rest.find("}}}") {
            Some(close) => (Piece::Triple(&rest[3..close]), close + 3),
            None => unclosed,
        };
    }
    match end_of_tag(&rest[2..]) {
        Some(close) => (Piece::Tag(&rest[2..2 + close]), close + 4),
        None => unclosed,
    }
}

/// Where `}}` is, outside of string literals.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if text[at..].starts_with("}}") => return Some(at),
            None if matches!(character, '"' | '\'') => quote = Some(character),
            None => {}
        }
    }
    // A quote that is never closed: the braces count all the same, and Handlebars says what is wrong.
    if quote.is_some() { text.find("}}") } else { None }
}

/// Turns bytes of a text into places, forwards only.
pub(super) struct Cursor<'text> {
    text: &'text str,
    at: usize,
    place: Place,
}

impl<'text> Cursor<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self { text, at: 0, place: (1, 1) }
    }

    /// The place of a byte not before the last one asked for.
    pub(super) fn place(&mut self, at: usize) -> Place {
        let between = self.text.get(self.at..at).unwrap_or("");
        self.place = advance(self.place, between);
        self.at = at.max(self.at);
        self.place
    }
}

/// The place after some more text.
pub(super) fn advance((line, column): Place, text: &str) -> Place {
    match text.rsplit_once('\n') {
        Some((before, last)) => (line + before.matches('\n').count() + 1, last.chars().count() + 1),
        None => (line, column + text.chars().count()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_from_text() {
        let found = |text| pieces(text).into_iter().map(|(_, piece)| piece).collect::<Vec<_>>();
        assert_eq!(found("a{{b}}c"), [Piece::Text("a"), Piece::Tag("b"), Piece::Text("c")]);
        assert_eq!(found(r#"{{f "}}"}}"#), [Piece::Tag(r#"f "}}""#)]);
        assert_eq!(found(r"\{{a}} {{b}}"), [Piece::Text(r"\{{a}} "), Piece::Tag("b")]);
        assert_eq!(found(r"\\{{a}}"), [Piece::Text(r"\\"), Piece::Tag("a")]);
        assert_eq!(found("{{!-- }} --}}"), [Piece::Comment("{{!-- }} --}}")]);
        assert_eq!(found("{{{a}}}"), [Piece::Triple("a")]);
        assert_eq!(found("{{{{raw}}}} {{x}} {{{{/raw}}}}").len(), 1);
        assert_eq!(found("x {{a"), [Piece::Text("x "), Piece::Unclosed("{{a")]);
        assert_eq!(found("{{{{raw}}}} x"), [Piece::Unclosed("{{{{raw}}}} x")]);
        assert_eq!(found("{ {").len(), 1);
    }
}
