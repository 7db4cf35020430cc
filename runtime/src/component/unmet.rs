//! What a component needs and does not get.

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::ComponentItem;

use crate::load;

/// Says which import could not be resolved, and whether it is missing or of another type.
///
/// The engine says so in a chain of messages, each with one name: the import's, that of an item in it, and so on; the
/// last says what is wrong.
pub(super) fn error(engine: &Engine, component: &Component, error: &wasmtime::Error) -> load::Error {
    let message = format!("{error:#}");
    let mut names = error.chain().filter_map(|cause| quoted(&cause.to_string()).map(str::to_owned));
    if !error.root_cause().to_string().ends_with("implementation is missing") {
        return load::Error::ImportType { message };
    }
    let (Some(module), item) = (names.next(), names.next()) else {
        return load::Error::ImportType { message };
    };
    // A function or a resource that is imported by itself and not in an interface.
    let is_interface = component
        .component_type()
        .get_import(engine, &module)
        .is_some_and(|import| matches!(import.ty, ComponentItem::ComponentInstance(_)));
    match item {
        Some(name) if is_interface => load::Error::UnknownImport { module, name },
        _ => load::Error::UnknownImport { module: "the component itself".to_owned(), name: module },
    }
}

/// What stands between the first two backticks.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
