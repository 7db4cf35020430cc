//! The attribute `main` of `skrei-sdk`.
//!
//! It is written on plain tokens: a parser for all of Rust would take longer to compile than most guests.

use proc_macro::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};

/// Makes a function with typed parameters the program's `main`.
///
/// Each parameter `name: T` is taken from an argument `--name=VALUE` or `--name VALUE`, or else from the variable
/// `NAME`, and read as a `T` (see `skrei_sdk::Parameter`). A function that gives an error makes the program say it on
/// standard error and exit with 1; a parameter that is missing or wrong, with 2 before the function is called.
///
/// The crate is to be known as `skrei`: `skrei = { package = "skrei-sdk", ... }`.
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, function: TokenStream) -> TokenStream {
    if !arguments.is_empty() {
        return refuse("`#[skrei::main]` takes nothing in parentheses", Span::call_site());
    }
    match expand(function) {
        Ok(expanded) => expanded,
        Err((problem, at)) => refuse(problem, at),
    }
}

type Problem = (&'static str, Span);

fn expand(function: TokenStream) -> Result<TokenStream, Problem> {
    let tokens: Vec<TokenTree> = function.clone().into_iter().collect();
    let is_fn = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word.to_string() == "fn");
    let keyword =
        tokens.iter().position(is_fn).ok_or(("`#[skrei::main]` belongs on a function", Span::call_site()))?;
    if let Some(word) = tokens[..keyword].iter().find(|token| token.to_string() == "async") {
        return Err(("a guest has no executor: write a plain `fn`", word.span()));
    }
    let Some(TokenTree::Ident(name)) = tokens.get(keyword + 1) else {
        return Err(("a function needs a name", tokens[keyword].span()));
    };
    let parameters = match tokens.get(keyword + 2) {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => names(group)?,
        _ => return Err(("a program's function has no type parameters", name.span())),
    };
    let reads: String =
        parameters.iter().map(|name| format!("::skrei::parameter({:?})?,", plain(name))).collect();
    let known: String = parameters.iter().map(|name| format!("{:?},", plain(name))).collect();
    let code = format!(
        "fn main() -> ::std::process::ExitCode {{ __FUNCTION__ \
         ::skrei::start(&[{known}], || ::std::result::Result::Ok({name}({reads}))) }}"
    );
    let code: TokenStream = code.parse().map_err(|_| ("the function's name cannot be used", name.span()))?;
    Ok(put_in(code, &function))
}

/// The tokens with the function in the place that was kept for it.
fn put_in(code: TokenStream, function: &TokenStream) -> TokenStream {
    let place = |token: TokenTree| match token {
        TokenTree::Ident(word) if word.to_string() == "__FUNCTION__" => function.clone(),
        TokenTree::Group(group) => {
            let inner = Group::new(group.delimiter(), put_in(group.stream(), function));
            TokenTree::Group(inner).into()
        }
        other => other.into(),
    };
    code.into_iter().flat_map(place).collect()
}

/// The names of parameters written `name: Type`, separated by commas outside of angle brackets.
fn names(list: &Group) -> Result<Vec<Ident>, Problem> {
    let mut names = Vec::new();
    let (mut depth, mut at_start) = (0_i32, true);
    let mut last_was_dash = false;
    for token in list.stream() {
        if at_start {
            match &token {
                TokenTree::Ident(word) if word.to_string() != "mut" => {
                    names.push(word.clone());
                    at_start = false;
                }
                TokenTree::Ident(_) => {}
                other => return Err(("a parameter is written `name: Type`", other.span())),
            }
            continue;
        }
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => depth += 1,
                // Not the end of `->`.
                '>' if !last_was_dash => depth -= 1,
                ',' if depth == 0 => at_start = true,
                _ => {}
            }
            last_was_dash = punct.as_char() == '-' && punct.spacing() == Spacing::Joint;
        }
    }
    Ok(names)
}

/// A name without the `r#` that lets a keyword be one.
fn plain(name: &Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

fn refuse(problem: &str, at: Span) -> TokenStream {
    let error: TokenStream = format!("::core::compile_error!{{{problem:?}}}").parse().unwrap_or_default();
    error
        .into_iter()
        .map(|mut token| {
            token.set_span(at);
            token
        })
        .collect()
}
