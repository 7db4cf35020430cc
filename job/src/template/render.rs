//! Rendering with tokens in the place of values.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use handlebars::Handlebars;

use super::{
    explain, helpers,
    marks::{Mark, Places, Tracked, split},
    prepare::Prepared,
    variables::Variables,
};
use crate::{
    document::MAX_BYTES,
    problem::{Problem, Problems},
};

/// A document in which tokens stand for values.
pub(super) struct Rendered {
    /// The text, tokens in it.
    pub(super) text: String,
    /// What a token starts with; it is nowhere else in the text.
    pub(super) token: String,
    /// The values, in the order of the tokens' numbers.
    pub(super) values: Vec<String>,
    /// Where the text was in the template.
    pub(super) places: Places,
}

impl Rendered {
    /// The last character of every token.
    pub(super) const TOKEN_END: char = 'z';
}

/// How much text a template may make, marks included. The document itself is bounded again when it is parsed.
const OUTPUT_BYTES_MAX: usize = 4 * MAX_BYTES;

pub(super) fn render(prepared: &Prepared, variables: &Variables) -> Result<Rendered, Problems> {
    let values = Arc::new(Mutex::new(Values::default()));
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.set_prevent_indent(true);
    helpers::register(&mut handlebars, variables);
    let mark = prepared.mark;
    let seen = Arc::clone(&values);
    handlebars.register_escape_fn(move |value| {
        Mark::Value(seen.lock().unwrap_or_else(PoisonError::into_inner).add(value)).write(mark)
    });
    let mut output = Bounded::default();
    let result = handlebars.render_template_to_write(&prepared.text, &variables.all(), &mut output);
    // The closure above has the other half.
    drop(handlebars);
    let Values { texts, bytes } = std::mem::take(&mut *values.lock().unwrap_or_else(PoisonError::into_inner));
    if output.is_full || bytes > MAX_BYTES {
        return Err(Problem::new("", format!("the template makes more than {MAX_BYTES} bytes")).into());
    }
    result.map_err(|error| explain::explain(&error, prepared, variables))?;
    let text = String::from_utf8(output.bytes)
        .map_err(|_| Problem::new("", "the template makes something that is not UTF-8 text"))?;
    Ok(tokens(&text, prepared, texts))
}

/// Takes the marks out and puts tokens in.
fn tokens(text: &str, prepared: &Prepared, values: Vec<String>) -> Rendered {
    let parts = split(text, prepared.mark);
    let token = (0_u64..)
        .map(|salt| format!("Qskrei{salt}x"))
        .find(|token| !parts.iter().any(|(_, text)| text.contains(token.as_str())))
        .unwrap_or_default();
    let mut document = Tracked::default();
    let mut places = Places::default();
    for (mark, text) in parts {
        match mark {
            Some(Mark::Place(index)) => {
                if let Some(source) = prepared.places.get(index) {
                    places.record(document.end(), *source);
                }
            }
            Some(Mark::Value(index)) => document.push(&format!("{token}{index}{}", Rendered::TOKEN_END)),
            None => {}
        }
        document.push(text);
    }
    Rendered { text: document.text, token, values, places }
}

#[derive(Default)]
struct Values {
    texts: Vec<String>,
    bytes: usize,
}

impl Values {
    fn add(&mut self, value: &str) -> usize {
        self.bytes = self.bytes.saturating_add(value.len());
        // Past the bound rendering fails; until it ends there is no need to keep more.
        self.texts.push(if self.bytes > MAX_BYTES { String::new() } else { value.to_owned() });
        self.texts.len() - 1
    }
}

#[derive(Default)]
struct Bounded {
    bytes: Vec<u8>,
    is_full: bool,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > OUTPUT_BYTES_MAX {
            self.is_full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
