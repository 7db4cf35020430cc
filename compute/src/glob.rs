//! One glob over a text without separators: a step of a path, or the name of a variable.

use std::fmt;

/// A glob: `*` any characters, `?` one, `[ab]`, `[a-z]`, `[^a]` and `[!a]` one of or none of a class, `\` takes
/// the next character as it is. It matches the whole text or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glob(Vec<Token>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    One,
    Run,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// What is wrong with a glob, as the end of a sentence that names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mistake(pub(crate) &'static str);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Glob {
    /// Reads a glob. Braces are not known here; see [`alternatives`].
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let mut tokens = Vec::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let token = match character {
                '*' => Token::Run,
                '?' => Token::One,
                '[' => class(&mut characters)?,
                '\\' => Token::Char(escaped(&mut characters)?),
                other => Token::Char(other),
            };
            if token != Token::Run || tokens.last() != Some(&Token::Run) {
                tokens.push(token);
            }
        }
        Ok(Self(tokens))
    }

    /// The glob without wildcards that matches this text alone.
    pub(crate) fn exactly(text: &str) -> Self {
        Self(text.chars().map(Token::Char).collect())
    }

    /// Whether all of `text` fits.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let tokens = &self.0;
        let text: Vec<char> = text.chars().collect();
        let (mut token, mut at) = (0, 0);
        // Where to go on when what follows the last `*` does not fit: that `*` takes one character more.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match tokens.get(token) {
                Some(Token::Run) => {
                    retry = Some((token + 1, at));
                    token += 1;
                }
                Some(single) if single.fits(text[at]) => {
                    token += 1;
                    at += 1;
                }
                _ => match &mut retry {
                    Some((after, from)) => {
                        *from += 1;
                        (token, at) = (*after, *from);
                    }
                    None => return false,
                },
            }
        }
        tokens[token..].iter().all(|rest| *rest == Token::Run)
    }

    /// The one text it matches, if it has no wildcard.
    pub(crate) fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|token| if let Token::Char(character) = token { Some(*character) } else { None })
            .collect()
    }
}

impl Token {
    fn fits(&self, character: char) -> bool {
        match self {
            Self::Char(expected) => *expected == character,
            Self::One => true,
            Self::Run => false,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(first, last)| (*first..=*last).contains(&character)) != *negated
            }
        }
    }
}

fn class(characters: &mut std::str::Chars<'_>) -> Result<Token, Mistake> {
    const OPEN: Mistake = Mistake("has a `[` without its `]`");
    let negated = matches!(characters.as_str().chars().next(), Some('^' | '!'));
    if negated {
        characters.next();
    }
    let mut ranges = Vec::new();
    loop {
        let first = match characters.next().ok_or(OPEN)? {
            ']' if ranges.is_empty() => return Err(Mistake("has an empty class `[]`")),
            ']' => return Ok(Token::Class { negated, ranges }),
            '\\' => escaped(characters)?,
            other => other,
        };
        let rest = characters.as_str();
        let last = if rest.starts_with('-') && !rest.starts_with("-]") {
            characters.next();
            match characters.next().ok_or(OPEN)? {
                '\\' => escaped(characters)?,
                other => other,
            }
        } else {
            first
        };
        if last < first {
            return Err(Mistake("has a range in a class that runs backwards"));
        }
        ranges.push((first, last));
    }
}

fn escaped(characters: &mut std::str::Chars<'_>) -> Result<char, Mistake> {
    characters.next().ok_or(Mistake("ends with a `\\` that escapes nothing"))
}

/// Alternatives one text may expand to; `{a,b}` eight times over is 256.
const ALTERNATIVES_MAX: usize = 256;

/// Every text that `{a,b}` stands for, braces within braces included. Everything else is left as it is.
pub(crate) fn alternatives(text: &str) -> Result<Vec<String>, Mistake> {
    let mut open = vec![text.to_owned()];
    let mut done = Vec::new();
    while let Some(text) = open.pop() {
        match braces(&text)? {
            None => done.push(text),
            Some(Braces { before, choices, after }) => {
                open.extend(choices.iter().rev().map(|choice| format!("{before}{choice}{after}")));
            }
        }
        if open.len() + done.len() > ALTERNATIVES_MAX {
            return Err(Mistake("stands for more than 256 patterns"));
        }
    }
    Ok(done)
}

/// A `{…}`, its choices, and what is around it.
struct Braces<'t> {
    before: &'t str,
    choices: Vec<&'t str>,
    after: &'t str,
}

/// The first `{…}` of a text.
fn braces(text: &str) -> Result<Option<Braces<'_>>, Mistake> {
    let (mut depth, mut in_class, mut escaped) = (0_usize, false, false);
    let (mut start, mut choice, mut choices) = (0, 0, Vec::new());
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => in_class = false,
            '[' => in_class = true,
            _ if in_class => {}
            '{' => {
                if depth == 0 {
                    (start, choice) = (at, at + 1);
                }
                depth += 1;
            }
            ',' if depth == 1 => {
                choices.push(&text[choice..at]);
                choice = at + 1;
            }
            '}' if depth == 0 => return Err(Mistake("has a `}` without its `{`")),
            '}' => {
                depth -= 1;
                if depth == 0 {
                    choices.push(&text[choice..at]);
                    return Ok(Some(Braces { before: &text[..start], choices, after: &text[at + 1..] }));
                }
            }
            _ => {}
        }
    }
    if depth > 0 { Err(Mistake("has a `{` without its `}`")) } else { Ok(None) }
}

/// The glob that matches exactly this text.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, character| {
        if matches!(character, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | ':') {
            escaped.push('\\');
        }
        escaped.push(character);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_the_whole_text_or_nothing() {
        for (glob, text, expected) in [
            ("*", "", true),
            ("*", ".hidden", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*a*b", "xaxbxb", true),
            ("?", "é", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[^a]", "a", false),
            ("[!a]", "b", true),
            ("[a-]", "-", true),
            ("[]", "]", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("LC_*", "XLC_ALL", false),
        ] {
            let found = Glob::parse(glob).is_ok_and(|parsed| parsed.matches(text));
            assert_eq!(found, expected, "{glob} on {text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for glob in ["[", "[a", "[]", "[z-a]", "a\\", "[a-"] {
            assert!(Glob::parse(glob).is_err(), "{glob}");
        }
        for glob in ["{", "{a", "}", "a}", "{a,{b}"] {
            assert!(alternatives(glob).is_err(), "{glob}");
        }
        assert!(alternatives(&"{a,b}".repeat(9)).is_err());
    }

    #[test]
    fn braces_stand_for_every_choice_in_order() {
        assert_eq!(alternatives("/{a,b{1,2}}/x").unwrap(), ["/a/x", "/b1/x", "/b2/x"]);
        assert_eq!(alternatives("[{]\\{x").unwrap(), ["[{]\\{x"]);
        assert_eq!(alternatives("{a,}b").unwrap(), ["ab", "b"]);
    }

    #[test]
    fn an_escaped_text_matches_itself() {
        let text = "a*b?[c]{d}\\e:f";
        assert_eq!(Glob::parse(&escape(text)).unwrap().literal().as_deref(), Some(text));
    }
}
