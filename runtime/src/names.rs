//! Names that a guest brings along, where people get to read them. Whoever made the guest chose them: any length, any
//! character.

/// Bytes of one name that are shown.
const SHOWN_BYTES_MAX: usize = 256;

/// Bytes of a mangled name that is still taken apart. What comes of it is shorter as a rule.
const MANGLED_BYTES_MAX: usize = 4096;

/// Names of a list that are shown.
const LISTED_MAX: usize = 16;

/// A name as far as it is shown.
pub(crate) fn shown(name: &str) -> String {
    cut(name, SHOWN_BYTES_MAX)
}

/// A longer text with names in it, as far as it is shown.
pub(crate) fn message(text: &str) -> String {
    cut(text, MANGLED_BYTES_MAX)
}

/// A function's name as its author wrote it, as far as it is shown.
pub(crate) fn function(name: &str) -> String {
    if name.len() > MANGLED_BYTES_MAX {
        return shown(name);
    }
    shown(&rustc_demangle::demangle(name).to_string())
}

/// The first of several names, each in backticks, and how many there are beside them.
pub(crate) fn list(names: &[String]) -> String {
    let listed = names.iter().take(LISTED_MAX).map(|name| format!("`{}`", shown(name)));
    let listed = listed.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED_MAX) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// Line breaks are part of a message; what else steers a terminal is not.
fn cut(text: &str, bytes_max: usize) -> String {
    let kept = &text[..text.floor_char_boundary(bytes_max)];
    let mut shown: String = kept
        .chars()
        .map(|char| if char.is_control() && char != '\n' { char::REPLACEMENT_CHARACTER } else { char })
        .collect();
    if kept.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_far_as_it_is_harmless() {
        assert_eq!(shown("plain::name"), "plain::name");
        assert_eq!(shown("a\u{1b}[2Jb"), "a\u{fffd}[2Jb");
        let long = shown(&"ä".repeat(1 << 20));
        assert!(long.len() <= SHOWN_BYTES_MAX + 3 && long.ends_with("ä…"), "{}", long.len());
    }

    #[test]
    fn a_mangled_name_is_taken_apart_unless_it_is_absurd() {
        assert_eq!(
            function("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE"),
            "core::fmt::Write::write_fmt::h0123456789abcdef"
        );
        assert!(function(&format!("_ZN{}", "4core".repeat(1 << 16))).starts_with("_ZN4core"));
    }

    #[test]
    fn of_many_names_the_first_are_listed_and_the_rest_is_counted() {
        let names: Vec<String> = (0..100).map(|number| format!("f{number}")).collect();
        assert_eq!(list(&names[..2]), "`f0`, `f1`");
        assert!(list(&names).ends_with("`f15` and 84 more"), "{}", list(&names));
    }
}
