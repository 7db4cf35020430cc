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
    let (Some(interface), name) = (names.next(), names.next()) else {
        return load::Error::ImportType { message };
    };
    // What is imported by itself and not in an interface has no items.
    let import = component.component_type();
    let is_interface = import
        .get_import(engine, &interface)
        .is_some_and(|import| matches!(import.ty, ComponentItem::ComponentInstance(_)));
    load::Error::UnknownInterface { interface, name: name.filter(|_| is_interface) }
}

/// What stands between the first two backticks.
fn quoted(message: &str) -> Option<&str> {
    message.split('`').nth(1)
}
