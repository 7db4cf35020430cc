//! Rendering with tokens in the place of values.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use handlebars::Handlebars;

use super::{
    explain,
    helpers::{self, Secret},
    marks::{Mark, Places, Tracked, split},
    prepare::Prepared,
    variables::Variables,
};
use crate::{
    document::MAX_BYTES,
    problem::{Problem, Problems},
    secret,
};

/// A document in which tokens stand for values.
pub(super) struct Rendered {
    /// The text, tokens in it.
    pub(super) text: String,
    /// What a token starts with; it is nowhere else in the text.
    pub(super) token: String,
    /// The values, in the order of the tokens' numbers.
    pub(super) values: Vec<Value>,
    /// Where the text was in the template.
    pub(super) places: Places,
}

impl Rendered {
    /// The last character of every token.
    pub(super) const TOKEN_END: char = 'z';

    /// Whether there are two tokens in a text.
    pub(super) fn is_more_than_one(&self, text: &str) -> bool {
        text.matches(&self.token).count() > 1
    }
}

/// How much text a template may make, marks included. The document itself is bounded again when it is parsed.
const OUTPUT_BYTES_MAX: usize = 4 * MAX_BYTES;

pub(super) fn render(prepared: &Prepared, variables: &Variables) -> Result<Rendered, Problems> {
    let values = SharedValues::default();
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.set_prevent_indent(true);
    helpers::register(&mut handlebars, variables);
    let mark = prepared.mark;
    handlebars.register_helper("secret", Box::new(Secret { values: values.clone(), mark }));
    let seen = values.clone();
    handlebars
        .register_escape_fn(move |value| Mark::Value(seen.add(Value::Text(value.to_owned()))).write(mark));
    let mut output = Bounded::default();
    let result = handlebars.render_template_to_write(&prepared.text, &variables.all(), &mut output);
    // The closure above has the other half.
    drop(handlebars);
    let Values { all, bytes } = values.take();
    if output.is_full || bytes > MAX_BYTES {
        return Err(Problem::new("", format!("the template makes more than {MAX_BYTES} bytes")).into());
    }
    result.map_err(|error| explain::explain(&error, prepared, variables))?;
    let text = String::from_utf8(output.bytes)
        .map_err(|_| Problem::new("", "the template makes something that is not UTF-8 text"))?;
    Ok(tokens(&text, prepared, all))
}

/// Takes the marks out and puts tokens in.
fn tokens(text: &str, prepared: &Prepared, values: Vec<Value>) -> Rendered {
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

/// What goes into the place of a token.
pub(super) enum Value {
    /// The value of a variable, or what a helper made of it.
    Text(String),
    /// A reference to a secret.
    Secret(secret::Name),
}

/// Values as the template meets them.
#[derive(Clone, Default)]
pub(super) struct SharedValues(Arc<Mutex<Values>>);

#[derive(Default)]
struct Values {
    all: Vec<Value>,
    bytes: usize,
}

impl SharedValues {
    /// Adds one; its number.
    pub(super) fn add(&self, value: Value) -> usize {
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        values.bytes = values.bytes.saturating_add(value.len());
        // Past the bound rendering fails; until it ends there is no need to keep more.
        let is_full = values.bytes > MAX_BYTES;
        values.all.push(if is_full { Value::Text(String::new()) } else { value });
        values.all.len() - 1
    }

    fn take(&self) -> Values {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Value {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Secret(name) => name.as_str().len(),
        }
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
