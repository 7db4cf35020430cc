//! What others say, made harmless: a server, a node or a guest must not steer the terminal that shows its words.
//!
//! A terminal obeys control characters: it can be made to hide lines, to forge them, or to type into the shell. So
//! what is not text is shown as what it is: `^[` for escape, `<U+202E>` for what turns the direction of writing.

use std::borrow::Cow;

/// Text of others in one line: line breaks and tabs are spaces.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    written(text, |letter| matches!(letter, '\n' | '\r' | '\t').then_some(' '))
}

/// Text of others over several lines. A return without a line feed, which would write over the line, begins a new one.
pub(crate) fn lines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        return Cow::Owned(
            written(&text, |letter| matches!(letter, '\n' | '\t').then_some(letter)).into_owned(),
        );
    }
    written(text, |letter| matches!(letter, '\n' | '\t').then_some(letter))
}

/// Text of ours that may hold words of others: as [`lines`], but colours stay.
pub(crate) fn coloured(text: &str) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\x1b') {
        shown.push_str(&lines(&rest[..at]));
        rest = &rest[at..];
        let end = colour(rest).unwrap_or(1);
        if end > 1 {
            shown.push_str(&rest[..end]);
        } else {
            shown.push_str("^[");
        }
        rest = &rest[end..];
    }
    shown.push_str(&lines(rest));
    Cow::Owned(shown)
}

/// Keeps what is text, and what `kept` turns into some; leaves out colours; shows the rest as what it is.
fn written(text: &str, kept: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if !text.contains(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if let Some(end) = colour(rest) {
            rest = &rest[end..];
            continue;
        }
        rest = &rest[letter.len_utf8()..];
        match kept(letter) {
            Some(kept) => shown.push(kept),
            None if !is_harmful(letter) => shown.push(letter),
            None if letter.is_ascii() => {
                shown.push('^');
                // As terminals name them: ^@ is 0, ^[ is escape, ^? is delete.
                shown.push(char::from(letter as u8 ^ 0x40));
            }
            None => shown.push_str(&format!("<U+{:04X}>", u32::from(letter))),
        }
    }
    Cow::Owned(shown)
}

/// Whether a terminal does something else with it than to show it.
fn is_harmful(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Where a sequence that only sets colours (`ESC [ 1;31 m`) at the beginning of a text ends.
fn colour(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("\x1b[")?;
    let end = rest.find(|letter: char| !(letter.is_ascii_digit() || matches!(letter, ';' | ':')))?;
    rest[end..].starts_with('m').then_some("\x1b[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_text_stays_as_it_is() {
        for text in ["", "plain", "Grüße, 世界 🐟", "tabs\tand\nlines\n"] {
            assert!(matches!(lines(text), Cow::Borrowed(same) if same == text) || lines(text) == text);
            assert_eq!(coloured(text), text);
        }
    }

    #[test]
    fn nothing_that_steers_a_terminal_is_left() {
        let attacks = [
            "\x1b[2J\x1b[H",
            "\x1b]0;title\x07",
            "\x1b]52;c;cm0gLXJmIC8=\x07",
            "\x1bP+q544e\x1b\\",
            "\u{9b}2J",
            "a\x08b\x7f",
            "\x1b[",
            "\x1b[31",
            "\u{202e}gpj.exe",
            "one\u{2028}two",
            "over\rwritten",
        ];
        for attack in attacks {
            for shown in [line(attack), lines(attack), coloured(attack)] {
                let left: Vec<char> =
                    shown.chars().filter(|letter| is_harmful(*letter) && *letter != '\n').collect();
                assert!(left.is_empty(), "{attack:?} became {shown:?}");
            }
            assert!(!line(attack).contains('\n'), "{attack:?}");
        }
    }

    #[test]
    fn it_is_said_what_was_there() {
        assert_eq!(line("a\x1b[2Jb\u{202e}c\nd"), "a^[[2Jb<U+202E>c d");
        assert_eq!(lines("a\r\nb\rc"), "a\nb\nc");
    }

    #[test]
    fn colours_of_others_are_left_out_and_those_of_ours_stay() {
        assert_eq!(lines("\x1b[1;31mred\x1b[0m"), "red");
        assert_eq!(coloured("\x1b[1;31mred\x1b[0m \x1b[2J"), "\x1b[1;31mred\x1b[0m ^[[2J");
    }
}
