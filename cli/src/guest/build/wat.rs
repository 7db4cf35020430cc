//! WebAssembly's text format, by ourselves.

use crate::{
    error::Error,
    guest::{language::sources, project::Project},
};

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let source = sources(&project.directory, "wat").into_iter().next();
    let source =
        source.ok_or_else(|| Error::not_found("there is no file that ends in `.wat` in the project"))?;
    let wasm =
        wat::parse_file(&source).map_err(|error| Error::refused(error.to_string().trim().to_owned()))?;
    let module = project.module_path();
    std::fs::write(&module, wasm)
        .map_err(|error| Error::refused(format!("`{}` cannot be written: {error}", module.display())))
}
