//! What a module says of itself before anything runs: its kind, its size, and what it wants from its host.

use std::{collections::BTreeMap, fs, io::Read as _, path::Path};

use wasmparser::{Parser, Payload};

use crate::error::Error;

/// What there is to know about a module's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    /// In bytes.
    pub(crate) size: u64,
    /// Whether it is a component.
    pub(crate) is_component: bool,
    /// How many things it imports from each module or interface.
    pub(crate) imports: BTreeMap<String, usize>,
}

impl About {
    /// Reads a module.
    ///
    /// # Errors
    /// The file cannot be read, or is no WebAssembly.
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let bytes = fs::read(path)
            .map_err(|error| Error::not_found(format!("module `{shown}` cannot be read: {error}")))?;
        Self::of(&bytes).map_err(|error| Error::refused(format!("`{shown}` is no WebAssembly: {error}")))
    }

    fn of(bytes: &[u8]) -> wasmparser::Result<Self> {
        let is_component = Parser::is_component(bytes);
        let mut imports = BTreeMap::new();
        let mut depth = 0;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) if depth > 0 => depth -= 1,
                // What is inside a component gets its imports from the component.
                Payload::ImportSection(section) if depth == 0 => {
                    for import in section.into_imports() {
                        *imports.entry(import?.module.to_owned()).or_default() += 1;
                    }
                }
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        *imports.entry(import?.name.name.to_owned()).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
        Ok(Self { size: bytes.len() as u64, is_component, imports })
    }

    /// What kind of WebAssembly it is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match (self.is_component, self.imports.contains_key("wasi_snapshot_preview1")) {
            (true, _) => "component",
            (false, true) => "module for WASI preview 1",
            (false, false) => "module",
        }
    }
}

/// Whether a file is a module and no component.
pub(crate) fn is_module(path: &Path) -> bool {
    let mut head = [0; 8];
    let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head.starts_with(b"\0asm") && !Parser::is_component(&head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_counted_by_where_they_are_from() {
        let module = wat::parse_str(
            r#"(module (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
                (import "wasi_snapshot_preview1" "proc_exit" (func (param i32))) (func (export "_start")))"#,
        );
        let about = About::of(&module.unwrap()).unwrap();
        assert_eq!(about.imports, BTreeMap::from([("wasi_snapshot_preview1".to_owned(), 2)]));
        assert_eq!(about.kind(), "module for WASI preview 1");
    }

    #[test]
    fn a_component_s_own_imports_count_and_not_those_of_what_is_inside() {
        let component = wat::parse_str(
            r#"(component (import "a:b/c" (instance)) (core module (import "inner" "f" (func))))"#,
        );
        let about = About::of(&component.unwrap()).unwrap();
        assert_eq!(about.imports.into_keys().collect::<Vec<_>>(), ["a:b/c"]);
        assert!(about.is_component);
    }
}
