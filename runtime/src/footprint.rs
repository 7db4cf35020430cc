//! What an instance takes of the host's memory beside the guest's own.

use wasmparser::{ElementItems, ElementKind, Parser, Payload, SectionLimited};

/// Bytes of the host's memory that all instances of one guest may take, beside their memories and tables: those have
/// limits of their own. What compilers make needs less than one hundredth of it.
pub(crate) const INSTANCES_BYTES_MAX: u64 = 64 << 20;

/// What the engine has in an instance for each function, global, import, tag and data segment, at most.
const ITEM_BYTES: u64 = 32;

/// What it has there for each element of a segment that is kept for later.
const ELEMENT_BYTES: u64 = 16;

/// About how many bytes one instance of a module takes beside its memories and tables, at most; of a component, one of
/// its largest module.
///
/// The engine has a bound for those in its pool alone. A module within [`Config::module_bytes_max`] could otherwise
/// have a hundred megabytes in each instance, and a component a hundred instances.
///
/// [`Config::module_bytes_max`]: crate::Config::module_bytes_max
pub(crate) fn instance_bytes(wasm: &[u8]) -> u64 {
    let (mut largest, mut open) = (0, Vec::new());
    // What does not parse is for the compiler to tell.
    for payload in Parser::new(0).parse_all(wasm).map_while(Result::ok) {
        let items = match payload {
            Payload::Version { .. } => {
                open.push(0_u64);
                continue;
            }
            Payload::End(_) => {
                largest = largest.max(open.pop().unwrap_or(0));
                continue;
            }
            Payload::ImportSection(section) => {
                section.into_imports().map_while(Result::ok).count() as u64 * ITEM_BYTES
            }
            Payload::FunctionSection(section) => items(&section) * ITEM_BYTES,
            Payload::GlobalSection(section) => items(&section) * ITEM_BYTES,
            Payload::TagSection(section) => items(&section) * ITEM_BYTES,
            Payload::DataSection(section) => items(&section) * ITEM_BYTES,
            Payload::ElementSection(section) => {
                let segments = section.into_iter().map_while(Result::ok);
                segments.filter(|segment| matches!(segment.kind, ElementKind::Passive)).map(kept).sum()
            }
            _ => 0,
        };
        if let Some(bytes) = open.last_mut() {
            *bytes += items;
        }
    }
    // One that is cut off has no end.
    open.into_iter().fold(largest, u64::max)
}

/// How many instances, none larger than this, one guest may have.
pub(crate) fn instances_max(instance_bytes: u64) -> usize {
    usize::try_from(INSTANCES_BYTES_MAX / instance_bytes.max(1)).unwrap_or(usize::MAX)
}

/// As many as a section says it has, and has bytes for.
fn items<T>(section: &SectionLimited<'_, T>) -> u64 {
    u64::from(section.count()).min(section.range().len() as u64)
}

fn kept(segment: wasmparser::Element<'_>) -> u64 {
    let elements = match segment.items {
        ElementItems::Functions(functions) => functions.count(),
        ElementItems::Expressions(_, expressions) => expressions.count(),
    };
    ITEM_BYTES + u64::from(elements) * ELEMENT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> u64 {
        instance_bytes(&wat::parse_str(text).unwrap())
    }

    #[test]
    fn what_an_instance_has_is_counted_and_what_the_code_has_is_not() {
        assert_eq!(bytes("(module)"), 0);
        let items =
            r#"(module (import "a" "b" (func)) (global i32 (i32.const 0)) (func) (memory 1) (data "x"))"#;
        assert_eq!(bytes(items), 4 * ITEM_BYTES);
        assert_eq!(bytes("(module (func $f) (elem func $f $f $f))"), 2 * ITEM_BYTES + 3 * ELEMENT_BYTES);
        assert_eq!(bytes("(module (type (func)) (export \"a\" (func $f)) (func $f))"), ITEM_BYTES);
    }

    #[test]
    fn of_a_component_the_largest_module_counts_however_deep_it_lies() {
        let component =
            "(component (core module (func)) (component (core module (func) (func))) (core module))";
        assert_eq!(bytes(component), 2 * ITEM_BYTES);
        assert_eq!(instances_max(0), INSTANCES_BYTES_MAX as usize);
        assert_eq!(instances_max(INSTANCES_BYTES_MAX / 3), 3);
        assert_eq!(instances_max(INSTANCES_BYTES_MAX + 1), 0);
    }
}
