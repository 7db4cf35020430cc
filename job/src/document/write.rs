//! From tree to YAML: what is read back is the same tree, byte for byte.

use super::{Document, Meaning, Node, Scalar, Style, Tree};

impl Document {
    /// The document as YAML text, in block style, with a line feed at the end.
    pub fn to_yaml(&self) -> String {
        let mut text = String::new();
        match &self.root.tree {
            // A document without a value has no text at all; the line says that there is one.
            Tree::Scalar(scalar) if scalar.is_null() && scalar.text.is_empty() => text.push_str("---\n"),
            Tree::Scalar(scalar) => {
                write_scalar(&mut text, scalar, 0);
                text.push('\n');
            }
            _ => write_block(&mut text, &self.root, 0, true),
        }
        text
    }
}

const INDENT: usize = 2;
/// Longer keys need the `? ` form (YAML 1.2, 7.4.2 allows 1024 characters).
const PLAIN_KEY_CHARS: usize = 200;

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n(' ', depth * INDENT));
}

/// Writes a list or map, one line per element. `fresh` says that the cursor is at the start of a line.
fn write_block(text: &mut String, node: &Node, depth: usize, fresh: bool) {
    let mut fresh = fresh;
    let mut start = |text: &mut String| {
        if std::mem::replace(&mut fresh, true) {
            indent(text, depth);
        }
    };
    match &node.tree {
        Tree::Scalar(_) => write_value(text, node, depth),
        Tree::List(items) if items.is_empty() => {
            start(text);
            text.push_str("[]\n");
        }
        Tree::Map(entries) if entries.is_empty() => {
            start(text);
            text.push_str("{}\n");
        }
        Tree::List(items) => {
            for item in items {
                start(text);
                text.push('-');
                match &item.tree {
                    Tree::Scalar(_) => write_value(text, item, depth),
                    _ => {
                        text.push(' ');
                        write_block(text, item, depth + 1, false);
                    }
                }
            }
        }
        Tree::Map(entries) => {
            for entry in entries {
                start(text);
                write_key(text, &entry.key, depth);
                text.push(':');
                write_value(text, &entry.value, depth);
            }
        }
    }
}

/// Writes what follows `key:`, or a scalar that follows `-`.
fn write_value(text: &mut String, node: &Node, depth: usize) {
    match &node.tree {
        Tree::Scalar(scalar) if scalar.is_null() && scalar.text.is_empty() => text.push('\n'),
        Tree::Scalar(scalar) => {
            text.push(' ');
            write_scalar(text, scalar, depth + 1);
            text.push('\n');
        }
        Tree::List(items) if items.is_empty() => text.push_str(" []\n"),
        Tree::Map(entries) if entries.is_empty() => text.push_str(" {}\n"),
        _ => {
            text.push('\n');
            write_block(text, node, depth + 1, true);
        }
    }
}

fn write_key(text: &mut String, key: &Scalar, depth: usize) {
    let mut written = String::new();
    if key.text.contains('\n') || key.text.is_empty() {
        write_quoted(&mut written, &key.text);
    } else {
        write_inline(&mut written, key);
    }
    if written.chars().count() > PLAIN_KEY_CHARS {
        text.push_str("? ");
        text.push_str(&written);
        text.push('\n');
        indent(text, depth);
    } else {
        text.push_str(&written);
    }
}

fn write_scalar(text: &mut String, scalar: &Scalar, depth: usize) {
    if fits_literal(&scalar.text) {
        write_literal(text, &scalar.text, depth.max(1));
    } else {
        write_inline(text, scalar);
    }
}

/// On one line: without quotes if it means the same, else in double quotes.
fn write_inline(text: &mut String, scalar: &Scalar) {
    let as_written = scalar.style == Style::Plain && scalar.meaning() != Meaning::Text;
    if as_written || is_safe_plain(&scalar.text) {
        text.push_str(&scalar.text);
    } else {
        write_quoted(text, &scalar.text);
    }
}

/// Whether a text can do without quotes, for readers of YAML 1.1 and 1.2 alike.
fn is_safe_plain(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/' | '$'))
        || text.starts_with(|c: char| c.is_ascii_digit()) && !looks_like_a_number(text);
    starts_well
        && text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || (!c.is_ascii() && c.is_alphanumeric()))
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_word_of_yaml(text)
}

/// Numbers, dates, times and base-60 numbers of any YAML version.
fn looks_like_a_number(text: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_hexdigit() || matches!(c, '.' | '_' | '-' | '+' | ':' | 'x' | 'o' | 'T' | 'Z' | ' ')
    };
    text.chars().all(allowed)
}

fn is_word_of_yaml(text: &str) -> bool {
    const WORDS: &[&str] = &["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn write_quoted(text: &mut String, content: &str) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            c if is_printable(c) => text.push(c),
            c if u32::from(c) <= 0xff => text.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) <= 0xffff => text.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => text.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    text.push('"');
}

/// Characters that stand for themselves in any style. Line separators and the byte order mark do not.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// Whether a text can be a block after `|`: several lines, nothing that needs escapes, and indentation that
/// cannot be mistaken.
fn fits_literal(text: &str) -> bool {
    text.contains('\n')
        && !text.starts_with([' ', '\t', '\n'])
        && text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
        && text.split('\n').all(|line| line.is_empty() || !line.trim_matches([' ', '\t']).is_empty())
}

fn write_literal(text: &mut String, content: &str, depth: usize) {
    let body = content.trim_end_matches('\n');
    let feeds = content.len() - body.len();
    text.push('|');
    match feeds {
        0 => text.push('-'),
        1 => {}
        _ => text.push('+'),
    }
    for line in body.split('\n') {
        text.push('\n');
        if !line.is_empty() {
            indent(text, depth);
            text.push_str(line);
        }
    }
    // The caller ends the last line.
    text.extend(std::iter::repeat_n('\n', feeds.saturating_sub(1)));
}
