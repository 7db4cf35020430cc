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
