//! Job templates: Handlebars, strict, and every value is data.
//!
//! A value never changes the structure of the document and arrives byte for byte, whatever is in it. So that
//! this needs no quoting rules, the text is rendered with a token in the place of each value, parsed, and only
//! then are the values put into the scalars of the tree (docs/decisions/0004).

mod explain;
mod fill;
mod go;
mod helpers;
mod marks;
mod prepare;
mod render;
mod tags;
mod variables;

pub use variables::{NotAVariable, Variables};

use crate::{
    document::{Document, utf8},
    problem::Problems,
};

/// Fills a job template in and parses the result. Places in the document are those of the template.
///
/// # Errors
/// What is wrong with the template, the variables it needs, or the document it makes.
pub fn render(text: impl AsRef<[u8]>, variables: &Variables) -> Result<Document, Problems> {
    let prepared = prepare::prepare(utf8(text.as_ref())?, variables)?;
    let rendered = render::render(&prepared, variables)?;
    let mut document = Document::parse_rendered(&rendered.text, &|place| rendered.places.source(place))?;
    fill::fill(&mut document, &rendered)?;
    Ok(document)
}
