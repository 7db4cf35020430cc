//! From text to tree, within bounds. Built from the parser's events, so that nothing nests on our stack and
//! every bound is checked before memory is spent.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, StrInput, Tag};

use super::{
    Document, Entry, Node, Place, Scalar, Style, Tree,
    size::{Size, size_of},
    syntax,
};
use crate::problem::{Problem, Problems, quoted};

/// The longest text taken. Modules and data do not belong into a job file; certificates fit thousands of times.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// How deep lists and maps may nest. A job needs eight levels.
pub const MAX_DEPTH: usize = 64;
/// How many values a document may have, copies made by aliases included.
pub const MAX_NODES: usize = 200_000;

/// Parses the text of a document; `map` gives the place in the job file for a place in this text.
pub(super) fn parse(text: &str, map: &dyn Fn(Place) -> Place) -> Result<Document, Problems> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > MAX_BYTES {
        let message = format!("the document has {} bytes, and {MAX_BYTES} is the most", text.len());
        return Err(Problem::new("", message).into());
    }
    let mut builder = Builder {
        text,
        map,
        open: Vec::new(),
        anchors: BTreeMap::new(),
        budget: Size { nodes: MAX_NODES, bytes: MAX_BYTES, depth: MAX_DEPTH },
        root: None,
        documents: 0,
        duplicates: Vec::new(),
    };
    let mut parser = Parser::new_from_str(text);
    let stopped = builder.run(&mut parser).err();
    let Builder { root, mut duplicates, .. } = builder;
    match (stopped, root) {
        (Some(problem), _) => {
            duplicates.push(problem);
            Err(Problems::new(duplicates).unwrap_or_else(|| nothing().into()))
        }
        (None, _) if !duplicates.is_empty() => {
            Err(Problems::new(duplicates).unwrap_or_else(|| nothing().into()))
        }
        (None, Some(root)) => Ok(Document { root }),
        (None, None) => Err(nothing().into()),
    }
}

fn nothing() -> Problem {
    Problem::new("", "the document is empty").hint("a job file has at least `Type` and `Tasks`")
}

/// At most this many duplicate keys are reported.
const DUPLICATES_MAX: usize = 20;

struct Builder<'text> {
    text: &'text str,
    map: &'text dyn Fn(Place) -> Place,
    open: Vec<Open>,
    anchors: BTreeMap<usize, (Node, Size)>,
    budget: Size,
    root: Option<Node>,
    documents: usize,
    duplicates: Vec<Problem>,
}

/// A list or map whose end has not been seen.
struct Open {
    at: Place,
    anchor: Option<Anchor>,
    content: Content,
}

/// `&name` before a value.
struct Anchor {
    id: usize,
    name: String,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, seen: BTreeMap<String, Place>, key: Option<(Scalar, Place)> },
}

impl<'text> Builder<'text> {
    fn run(&mut self, parser: &mut Parser<'text, StrInput<'text>>) -> Result<(), Problem> {
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| syntax::explain(&error, self.text, self.map))?;
            self.event(event, span)?;
        }
        Ok(())
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let written: Place = (span.start.line(), span.start.col() + 1);
        let at = (self.map)(written);
        let anchored =
            |id: usize| (id != 0).then(|| Anchor { id, name: syntax::word_at(self.text, written) });
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents == 1 {
                    return Ok(());
                }
                Err(Problem::new("", "there is more than one document in the file")
                    .at(Some(at))
                    .hint("write one job per file; a line `---` starts another document"))
            }
            Event::Scalar(text, style, anchor, tag) => {
                let anchor = anchored(anchor);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                let style = tagged(tag.as_deref(), style, at)?;
                let scalar = Scalar { text: text.into_owned(), style };
                self.spend(Size::of_scalar(&scalar), at, None)?;
                self.close(Node { at: Some(at), tree: Tree::Scalar(scalar) }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                let anchor = anchored(anchor);
                tagged(tag.as_deref(), Style::Plain, at)?;
                self.open(at, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let anchor = anchored(anchor);
                tagged(tag.as_deref(), Style::Plain, at)?;
                self.open(at, anchor, Content::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { at, anchor, content }) => {
                    let tree = match content {
                        Content::List(items) => Tree::List(items),
                        Content::Map { entries, .. } => Tree::Map(entries),
                    };
                    self.close(Node { at: Some(at), tree }, anchor)
                }
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let name = syntax::word_at(self.text, written);
                let Some((node, size)) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(
                        "",
                        format!("the alias {} is inside its own anchor", quoted(&name)),
                    )
                    .at(Some(at)));
                };
                self.spend(size, at, Some(&name))?;
                self.close(Node { at: Some(at), tree: node.tree }, None)
            }
        }
    }

    fn open(&mut self, at: Place, anchor: Option<Anchor>, content: Content) -> Result<(), Problem> {
        if let Some(Open { content: Content::Map { key: None, .. }, .. }) = self.open.last() {
            return Err(Problem::new("", "a list or map cannot be a key")
                .at(Some(at))
                .hint("a value that starts with `[`, `{` or `? ` needs quotes to be a text"));
        }
        self.spend(Size { nodes: 1, bytes: 0, depth: 1 }, at, None)?;
        self.open.push(Open { at, anchor, content });
        Ok(())
    }

    /// Puts a finished value where it belongs.
    fn close(&mut self, node: Node, anchor: Option<Anchor>) -> Result<(), Problem> {
        if let Some(Anchor { id, name }) = anchor {
            let size = size_of(&node);
            self.spend(Size { depth: 0, ..size }, node.at.unwrap_or((1, 1)), Some(&name))?;
            self.anchors.insert(id, (node.clone(), size));
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => {
                self.root = Some(node);
                Ok(())
            }
            Some(Content::List(items)) => {
                items.push(node);
                Ok(())
            }
            Some(Content::Map { entries, seen, key }) => match key.take() {
                Some((name, at)) => {
                    entries.push(Entry { at: Some(at), key: name, value: node });
                    Ok(())
                }
                None => {
                    let (scalar, at) = as_key(node)?;
                    match seen.get(&scalar.text) {
                        None => {
                            seen.insert(scalar.text.clone(), at);
                        }
                        Some(first) if self.duplicates.len() < DUPLICATES_MAX => {
                            let name = quoted(&scalar.text);
                            self.duplicates.push(
                                Problem::new(
                                    "",
                                    format!(
                                        "the key {name} is there twice: on line {} and on line {}",
                                        first.0, at.0
                                    ),
                                )
                                .at(Some(at))
                                .hint("keep one of them"),
                            );
                        }
                        Some(_) => {}
                    }
                    *key = Some((scalar, at));
                    Ok(())
                }
            },
        }
    }

    /// Takes from the budget; an alias is named if it is to blame.
    fn spend(&mut self, size: Size, at: Place, alias: Option<&str>) -> Result<(), Problem> {
        let blame = |what: String| match alias {
            Some(name) => {
                Problem::new("", format!("the anchor {} makes the document too large: {what}", quoted(name)))
                    .at(Some(at))
                    .hint("aliases copy what they name; write out what you need")
            }
            None => Problem::new("", format!("the document is too large: {what}")).at(Some(at)),
        };
        if self.open.len() + size.depth > MAX_DEPTH {
            return Err(blame(format!("more than {MAX_DEPTH} levels of lists and maps")));
        }
        match self.budget.less(size) {
            Some(left) => self.budget = left,
            None => return Err(blame(format!("more than {MAX_NODES} values or {MAX_BYTES} bytes"))),
        }
        Ok(())
    }
}

fn as_key(node: Node) -> Result<(Scalar, Place), Problem> {
    let at = node.at.unwrap_or((1, 1));
    match node.tree {
        Tree::Scalar(scalar) if scalar.text == "<<" && scalar.style == Style::Plain => {
            Err(Problem::new("", "merge keys (`<<`) are not part of YAML 1.2")
                .at(Some(at))
                .hint("repeat the keys, or use an alias for a whole value"))
        }
        Tree::Scalar(scalar) if scalar.text.is_empty() && scalar.style == Style::Plain => {
            Err(Problem::new("", "there is a `:` without a key before it").at(Some(at)))
        }
        Tree::Scalar(scalar) => Ok((scalar, at)),
        Tree::List(_) | Tree::Map(_) => Err(Problem::new("", "a list or map cannot be a key").at(Some(at))),
    }
}

/// The style a tag asks for. Tags of the core schema only.
fn tagged(tag: Option<&Tag>, style: Style, at: Place) -> Result<Style, Problem> {
    let Some(tag) = tag else { return Ok(style) };
    match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
        (true, "str") => Ok(if style == Style::Plain { Style::Quoted } else { style }),
        (true, "int" | "float" | "bool" | "null") => Ok(Style::Plain),
        (true, "seq" | "map") => Ok(style),
        (core, suffix) => Err(Problem::new(
            "",
            format!(
                "the tag {} is not known",
                quoted(&if core { format!("!!{suffix}") } else { tag.to_string() })
            ),
        )
        .at(Some(at))
        .hint("remove it; put quotes around a text that starts with `!`")),
    }
}
