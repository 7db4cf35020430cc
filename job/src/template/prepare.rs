//! The template as Handlebars gets it: Go's forms rewritten, marks put in, and what would break the promise that
//! values are data refused.

use super::{
    go, helpers,
    marks::{Mark, unused_character},
    tags::{Cursor, Piece, advance, pieces},
    variables::Variables,
};
use crate::{
    document::Place,
    problem::{Problem, Problems, quoted},
};

/// How deep blocks may nest, and brackets within an expression: the parser of expressions is recursive.
const BLOCKS_MAX: usize = 32;
const BRACKETS_MAX: usize = 16;
/// How many branches one block may have: each `else if` is a block within the one before.
const BRANCHES_MAX: usize = 32;
/// Nobody reads more at once.
const PROBLEMS_MAX: usize = 20;

/// A template ready to be rendered.
pub(super) struct Prepared {
    /// What Handlebars gets.
    pub(super) text: String,
    /// The character around marks.
    pub(super) mark: char,
    /// What [`Mark::Place`] counts.
    pub(super) places: Vec<Place>,
    /// Every expression, in order.
    pub(super) tags: Vec<Tag>,
}

/// One expression.
pub(super) struct Tag {
    /// Where it is in [`Prepared::text`].
    pub(super) prepared: Place,
    /// Where it is in the template.
    pub(super) source: Place,
    /// What is between the braces, rewritten.
    pub(super) body: String,
}

pub(super) fn prepare(source: &str, variables: &Variables) -> Result<Prepared, Problems> {
    let Some(mark) = unused_character(source) else {
        return Err(Problem::new("", "the template uses every private character of Unicode").into());
    };
    let mut writer = Writer {
        prepared: Prepared {
            text: String::with_capacity(source.len() * 2),
            mark,
            places: Vec::new(),
            tags: Vec::new(),
        },
        end: (1, 1),
        problems: Vec::new(),
        blocks: Vec::new(),
    };
    let mut cursor = Cursor::new(source);
    for (at, piece) in pieces(source) {
        if writer.problems.len() >= PROBLEMS_MAX {
            break;
        }
        let place = cursor.place(at);
        match piece {
            Piece::Text(text) => writer.text(text, place),
            Piece::Comment(text) => writer.push(text),
            Piece::Tag(body) => writer.tag(body, place, variables),
            Piece::Triple(body) => writer.refuse_unescaped(body, place),
            Piece::Unclosed(_) => writer.problem(
                place,
                "`{{` is never closed".to_owned(),
                "write `\\{{` for braces that are text, or use --no-template",
            ),
        }
    }
    writer.finish()
}

struct Writer {
    prepared: Prepared,
    end: Place,
    problems: Vec<Problem>,
    blocks: Vec<Block>,
}

/// A block whose end has not been seen.
struct Block {
    name: String,
    at: Place,
    branches: usize,
}

impl Writer {
    fn push(&mut self, text: &str) {
        self.end = advance(self.end, text);
        self.prepared.text.push_str(text);
    }

    fn mark(&mut self, place: Place) {
        let mark = Mark::Place(self.prepared.places.len()).write(self.prepared.mark);
        self.prepared.places.push(place);
        self.push(&mark);
    }

    fn problem(&mut self, place: Place, message: String, hint: &str) {
        self.problems.push(Problem::new("", message).at(Some(place)).hint(hint));
    }

    /// Copies text with a mark before the first thing on each line. Lines of white space stay as they are, for
    /// Handlebars removes those around a block.
    fn text(&mut self, text: &str, start: Place) {
        let mut place = start;
        for line in text.split_inclusive('\n') {
            let spaces = line.len() - line.trim_start().len();
            let (space, rest) = line.split_at(spaces);
            self.push(space);
            if !rest.is_empty() {
                self.mark(advance(place, space));
            }
            self.push(rest);
            place = advance(place, line);
        }
    }

    fn tag(&mut self, body: &str, place: Place, variables: &Variables) {
        let bare = body.trim_matches('~').trim();
        let sign = bare.chars().next();
        match sign {
            Some('&') => return self.refuse_unescaped(bare.trim_start_matches('&'), place),
            Some('>' | '*') => return self.refuse_partial(place),
            Some('#') if bare[1..].trim_start().starts_with(['>', '*']) => return self.refuse_partial(place),
            None => {
                return self.problem(
                    place,
                    "`{{}}` names nothing".to_owned(),
                    "write `\\{{` for braces that are text",
                );
            }
            _ => {}
        }
        if let Some((message, hint)) = go::statement(body, variables) {
            return self.problem(place, message, &hint);
        }
        if brackets(bare) > BRACKETS_MAX {
            return self.problem(
                place,
                format!("more than {BRACKETS_MAX} levels of brackets in an expression"),
                "make it simpler",
            );
        }
        let rewritten = go::rewrite(body, variables, helpers::NAMES);
        match sign {
            Some('#') => self.open_block(bare, place),
            Some('/') => self.close_block(bare, place),
            _ => {}
        }
        let is_branch = sign == Some('^') || bare == "else" || bare.starts_with("else ");
        if is_branch {
            self.branch(bare, place);
        }
        let is_block = is_branch || matches!(sign, Some('#' | '/'));
        if !is_block && !rewritten.starts_with('~') {
            self.mark(place);
        }
        self.prepared.tags.push(Tag { prepared: self.end, source: place, body: rewritten.clone() });
        self.push("{{");
        self.push(&rewritten);
        self.push("}}");
    }

    fn open_block(&mut self, bare: &str, place: Place) {
        let name = bare[1..].split_whitespace().next().unwrap_or("").to_owned();
        if self.blocks.len() == BLOCKS_MAX {
            self.problem(place, format!("more than {BLOCKS_MAX} blocks in each other"), "make it simpler");
        }
        self.blocks.push(Block { name, at: place, branches: 0 });
    }

    fn branch(&mut self, bare: &str, place: Place) {
        match self.blocks.last_mut() {
            Some(block) if block.branches < BRANCHES_MAX => block.branches += 1,
            Some(_) => {
                self.problem(
                    place,
                    format!("more than {BRANCHES_MAX} branches in a block"),
                    "make it simpler",
                );
            }
            None => self.problem(
                place,
                format!("{} is in no block", quoted(&format!("{{{{{bare}}}}}"))),
                "remove it, or open the block before",
            ),
        }
    }

    fn close_block(&mut self, bare: &str, place: Place) {
        let name = bare[1..].trim();
        match self.blocks.pop() {
            Some(Block { name: open, .. }) if open == name => {}
            Some(Block { name: open, at: (line, _), .. }) => self.problem(
                place,
                format!(
                    "{} closes the block `{{{{#{open}}}}}` of line {line}",
                    quoted(&format!("{{{{/{name}}}}}"))
                ),
                &format!("write `{{{{/{open}}}}}`"),
            ),
            None => self.problem(
                place,
                format!("{} closes nothing", quoted(&format!("{{{{/{name}}}}}"))),
                "remove it, or open the block before",
            ),
        }
    }

    fn refuse_unescaped(&mut self, body: &str, place: Place) {
        let name = body.trim().trim_start_matches('.');
        self.problem(
            place,
            "values are never escaped, so there is no unescaped form".to_owned(),
            &format!("write `{{{{{name}}}}}`"),
        );
    }

    fn refuse_partial(&mut self, place: Place) {
        self.problem(
            place,
            "a job template cannot include others".to_owned(),
            "write the text where it is used",
        );
    }

    fn finish(mut self) -> Result<Prepared, Problems> {
        if self.problems.is_empty()
            && let Some(Block { name, at: place, .. }) = self.blocks.pop()
        {
            let hint = format!("add `{{{{/{name}}}}}` after it");
            self.problem(place, format!("the block `{{{{#{name}}}}}` is never closed"), &hint);
        }
        Problems::check(self.problems)?;
        Ok(self.prepared)
    }
}

/// How deep brackets nest.
fn brackets(expression: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for character in expression.chars() {
        match character {
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
