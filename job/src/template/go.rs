//! Template expressions in Go's form, as Bacalhau has them, turned into those of Handlebars.

use super::variables::Variables;

/// A part of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'text> {
    /// A name, path, number or sign.
    Word(&'text str),
    /// A string literal with its quotes.
    Literal(&'text str),
    /// White space or a bracket.
    Between(&'text str),
}

/// Cuts an expression into tokens.
pub(super) fn tokens(expression: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' | '\'' => literal_length(rest, first),
            c if c.is_whitespace() || matches!(c, '(' | ')' | '|' | '=') => c.len_utf8(),
            '[' => rest.find(']').map_or(rest.len(), |end| end + 1),
            _ => word_length(rest),
        };
        let (token, tail) = rest.split_at(length);
        tokens.push(match first {
            '"' | '\'' => Token::Literal(token),
            c if c.is_whitespace() || matches!(c, '(' | ')' | '|' | '=') => Token::Between(token),
            _ => Token::Word(token),
        });
        rest = tail;
    }
    tokens
}

fn literal_length(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn word_length(text: &str) -> usize {
    let mut in_brackets = false;
    let end = text.find(|c: char| {
        match c {
            '[' => in_brackets = true,
            ']' => in_brackets = false,
            _ => {}
        }
        !in_brackets && (c.is_whitespace() || matches!(c, '(' | ')' | '|' | '=' | '"' | '\''))
    });
    end.unwrap_or(text.len()).max(1)
}

/// The expression between `{{` and `}}` as Handlebars wants it: `.name`, `$.name`, `index . "a-b"` and `- ... -`
/// are rewritten, and a variable whose name is also that of a helper, or no plain word, can be named as it is.
pub(super) fn rewrite(expression: &str, variables: &Variables, helpers: &[&str]) -> String {
    let mut body = expression;
    let mut before = "";
    let mut after = "";
    if let Some(rest) = body.strip_prefix('-').filter(|rest| rest.starts_with(char::is_whitespace)) {
        (before, body) = ("~", rest);
    }
    if let Some(rest) = body.strip_suffix('-').filter(|rest| rest.ends_with(char::is_whitespace)) {
        (after, body) = ("~", rest);
    }
    let known = variables.all();
    let tokens = indexed(tokens(body));
    let is_alone = tokens.iter().filter(|token| !matches!(token.as_ref(), Token::Between(_))).count() == 1;
    let mut written = String::from(before);
    for token in &tokens {
        match token.as_ref() {
            Token::Between(text) | Token::Literal(text) => written.push_str(text),
            Token::Word(word) => {
                let word = undotted(word);
                if is_alone && known.contains_key(word.as_str()) && helpers.contains(&word.as_str()) {
                    written.push_str(&format!("@root.[{word}]"));
                } else if known.contains_key(word.as_str()) && !is_plain(&word) && !word.contains(']') {
                    written.push_str(&format!("[{word}]"));
                } else {
                    written.push_str(&word);
                }
            }
        }
    }
    written.push_str(after);
    written
}

/// A token that was written, or made from several.
enum Made<'text> {
    Written(Token<'text>),
    Path(String),
}

impl Made<'_> {
    fn as_ref(&self) -> Token<'_> {
        match self {
            Self::Written(token) => *token,
            Self::Path(path) => Token::Word(path),
        }
    }
}

/// Makes `index . "a-b"` one path.
fn indexed(tokens: Vec<Token<'_>>) -> Vec<Made<'_>> {
    let mut made = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let [first, tail @ ..] = rest {
        let spaces = |tokens: &[Token<'_>]| {
            tokens.iter().take_while(|t| matches!(t, Token::Between(text) if text.trim().is_empty())).count()
        };
        if *first == Token::Word("index") {
            let root_at = spaces(tail);
            let name_at = root_at + 1 + spaces(tail.get(root_at + 1..).unwrap_or_default());
            if let (Some(Token::Word(root @ ("." | "$"))), Some(Token::Literal(name))) =
                (tail.get(root_at), tail.get(name_at))
                && let Some(name) = unquoted(name)
            {
                let from = if *root == "$" { "@root." } else { "" };
                made.push(Made::Path(format!("{from}[{name}]")));
                rest = &tail[name_at + 1..];
                continue;
            }
        }
        made.push(Made::Written(*first));
        rest = tail;
    }
    made
}

/// What is in a string literal, if it can stand between square brackets.
fn unquoted(literal: &str) -> Option<&str> {
    let inner = literal
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .or_else(|| literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')))?;
    (!inner.is_empty() && !inner.contains([']', '\\'])).then_some(inner)
}

/// `.name` is `name`, `.` is `this`, `$.name` is `@root.name`; `..`, `./` and the rest stay.
fn undotted(word: &str) -> String {
    let starts_a_name = |rest: &str| rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if word == "." {
        return "this".to_owned();
    }
    if let Some(rest) = word.strip_prefix("$.").filter(|rest| starts_a_name(rest)) {
        return format!("@root.{rest}");
    }
    match word.strip_prefix('.').filter(|rest| starts_a_name(rest)) {
        Some(rest) => rest.to_owned(),
        None => word.to_owned(),
    }
}

fn is_plain(word: &str) -> bool {
    word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        && !matches!(word, "true" | "false" | "null" | "this" | "as" | "else")
        && !word.bytes().all(|byte| byte.is_ascii_digit())
}

/// What to write instead of a statement that only Go's templates have.
pub(super) fn statement(expression: &str, variables: &Variables) -> Option<(String, String)> {
    let body = expression.trim_start_matches('-').trim_end_matches('-').trim();
    let (word, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let argument = match rest.trim() {
        "" => "name".to_owned(),
        rest => tokens(rest).first().map_or("name".to_owned(), |token| match token {
            Token::Word(word) => undotted(word),
            Token::Literal(_) | Token::Between(_) => "name".to_owned(),
        }),
    };
    let is_variable = rest.is_empty() && variables.all().contains_key(word);
    let form = match word {
        _ if is_variable => return None,
        "if" => format!("write `{{{{#if {argument}}}}} ... {{{{else}}}} ... {{{{/if}}}}`"),
        "range" => {
            format!("write `{{{{#each (split {argument} \",\")}}}} ... {{{{this}}}} ... {{{{/each}}}}`")
        }
        "with" => format!("write `{{{{#with {argument}}}}} ... {{{{/with}}}}`"),
        "end" => "write `{{/if}}`, `{{/each}}` or `{{/with}}`, whichever was opened".to_owned(),
        "define" | "template" | "block" => "write the text where it is used".to_owned(),
        "printf" | "print" | "println" => "write the text around the variable: `a-{{name}}-b`".to_owned(),
        _ if body.contains(":=") => "use the value where it is needed".to_owned(),
        _ if body.starts_with("/*") => "write `{{!-- a comment --}}`".to_owned(),
        _ if has_pipe(body) => "write a helper before the name: `{{base64 name}}`".to_owned(),
        _ => return None,
    };
    let what = if word.is_empty() || !word.chars().all(char::is_alphabetic) { body } else { word };
    let what: String = what.chars().take(20).collect();
    Some((format!("`{{{{{what}}}}}` is the form of Go templates; these are Handlebars"), form))
}

/// A `|` that is not that of block parameters (`as |item|`).
fn has_pipe(body: &str) -> bool {
    let tokens = tokens(body);
    tokens.contains(&Token::Between("|")) && !tokens.contains(&Token::Word("as"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_go_become_those_of_handlebars() {
        let mut variables = Variables::new();
        for name in ["name", "json", "a.b", "a-b"] {
            variables.set(name, "x").unwrap();
        }
        for (go, handlebars) in [
            (".name", "name"),
            (" .name ", " name "),
            ("- .name -", "~ name ~"),
            ("index . \"a-b\"", "[a-b]"),
            ("index $ 'a b'", "@root.[a b]"),
            ("base64 .name", "base64 name"),
            ("base64 (json .name)", "base64 (json name)"),
            ("json .name", "json name"),
            ("json", "@root.[json]"),
            (".a.b", "[a.b]"),
            (".", "this"),
            ("../name", "../name"),
            ("./name", "./name"),
            ("$.name", "@root.name"),
            ("f \".name\"", "f \".name\""),
            ("eq .name \"a=.b\"", "eq name \"a=.b\""),
            ("[.x y]", "[.x y]"),
        ] {
            assert_eq!(rewrite(go, &variables, &["json", "base64"]), handlebars, "{go}");
        }
    }

    #[test]
    fn statements_of_go_are_answered_with_those_of_handlebars() {
        let variables = Variables::new();
        let hint = |text| statement(text, &variables).map(|(_, hint)| hint);
        assert_eq!(hint("if .tls").unwrap(), "write `{{#if tls}} ... {{else}} ... {{/if}}`");
        assert!(hint("- range .hosts -").unwrap().contains("{{#each (split hosts"));
        assert!(hint("end").is_some() && hint(".a | printf").is_some());
        assert_eq!(hint("else"), None);
        assert_eq!(hint("#each xs as |x|"), None);
        assert_eq!(hint("name"), None);
    }
}
