//! Text fitted to columns of a terminal. A letter may take two columns, or none.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    text.width()
}

/// The text in at most so many columns, with `…` at its end if something is cut off.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = beginning(text, width.saturating_sub(1)).to_owned();
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// The text, filled up with spaces or cut to exactly so many columns.
pub(crate) fn exactly(text: &str, width: usize) -> String {
    let cut = cut(text, width);
    let missing = width.saturating_sub(columns(&cut));
    cut + &" ".repeat(missing)
}

/// Breaks a text at spaces; words that are too long are cut.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest = word;
        while !rest.is_empty() {
            let Some(line) = lines.last_mut() else { break };
            let (taken, gap) = (columns(line), usize::from(!line.is_empty()));
            if taken > 0 && taken + gap + columns(rest) > width {
                lines.push(String::new());
                continue;
            }
            let part = beginning(rest, width - taken - gap);
            if gap > 0 {
                line.push(' ');
            }
            line.push_str(part);
            rest = &rest[part.len()..];
        }
    }
    lines
}

/// Lines that fit, of a text whose first line begins after `indent` columns: those that are too long are broken at spaces and
/// go on after as many. What stands in backticks is to be copied, and stays whole; the terminal breaks it if it must.
pub(crate) fn fill(text: &str, width: usize, indent: usize) -> String {
    let broken = |line: &str| {
        if columns(line) + indent <= width {
            return line.to_owned();
        }
        let mut filled = String::new();
        let mut taken = indent;
        for word in words(line) {
            if taken > indent && taken + columns(word.trim_end()) > width {
                filled.truncate(filled.trim_end().len());
                filled.push('\n');
                filled.push_str(&" ".repeat(indent));
                taken = indent;
            }
            filled.push_str(word);
            taken += columns(word);
        }
        filled
    };
    text.split('\n').map(broken).collect::<Vec<_>>().join("\n")
}

/// A line in pieces that each end with the spaces after a word, or after something in backticks.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let (mut quoted, mut spaced) = (false, false);
        let end = rest.char_indices().find(|(_, letter)| {
            quoted ^= *letter == '`';
            let begins_next = spaced && *letter != ' ';
            spaced |= *letter == ' ' && !quoted;
            begins_next
        });
        let (word, next) = rest.split_at(end.map_or(rest.len(), |(at, _)| at));
        rest = next;
        (!word.is_empty()).then_some(word)
    })
}

/// The longest beginning of a text that fits.
fn beginning(text: &str, width: usize) -> &str {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, letter)| {
        taken += letter.width().unwrap_or(0);
        taken > width
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_by_columns_and_not_by_letters() {
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
        assert_eq!(cut("世界世界", 5), "世界…");
        assert_eq!(cut("世界世界", 4), "世…");
        assert_eq!(exactly("ab", 4), "ab  ");
        assert_eq!(columns(&exactly("世界世界", 4)), 4);
        assert_eq!(cut("abc", 0), "");
    }

    #[test]
    fn long_lines_go_on_below_and_what_is_to_be_copied_stays_whole() {
        let hint = "to have it made, set `CreateAs: dir` or `CreateAs: file` in the input source\nshort";
        let filled = "to have it made, set `CreateAs: dir`\n      or `CreateAs: file` in the input\n      source\nshort";
        assert_eq!(fill(hint, 42, 6), filled);
        let command = "see `a command that is longer than the line has room`, all of it";
        assert_eq!(
            fill(command, 20, 2),
            "see\n  `a command that is longer than the line has room`,\n  all of it"
        );
        assert_eq!(fill(" 12 | Name: {{x}}\n    |  ^", 80, 7), " 12 | Name: {{x}}\n    |  ^");
    }

    #[test]
    fn words_go_to_the_next_line_and_long_ones_over_several() {
        assert_eq!(
            wrap("the path `/etc/nginx/ssl/x` is on no entry", 16),
            ["the path", "`/etc/nginx/ssl/", "x` is on no", "entry"]
        );
        assert_eq!(wrap("", 10), [""]);
        assert_eq!(wrap("世界世界", 4), ["世界", "世界"]);
        assert!(wrap("世界", 1).iter().all(|line| columns(line) <= 2));
    }
}
