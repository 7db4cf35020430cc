//! Building a project with its language's own tools, one file a family of languages.

mod assemblyscript;
mod c;
mod go;
mod javascript;
mod python;
mod rust;
mod size;
mod wat;
mod zig;

use super::{language::Language, project::Project};
use crate::error::Error;

/// Makes the project's module.
///
/// # Errors
/// A tool is missing, with how to get it, or the project does not build.
pub(crate) fn build(project: &Project) -> Result<(), Error> {
    if let Some(parent) = project.module_path().parent() {
        std::fs::create_dir_all(parent).map_err(|error| {
            Error::refused(format!("the directory `{}` cannot be made: {error}", parent.display()))
        })?;
    }
    match project.language {
        Language::Rust | Language::RustComponent => rust::build(project),
        Language::C => c::build(project, c::Dialect::C),
        Language::Cpp => c::build(project, c::Dialect::Cpp),
        Language::Zig => zig::build(project),
        Language::Go => go::build(project),
        Language::Python => python::build(project),
        Language::Javascript => javascript::build(project),
        Language::Assemblyscript => assemblyscript::build(project),
        Language::Wat => wat::build(project),
    }?;
    if !project.module_path().is_file() {
        return Err(Error::refused(format!(
            "the project was built, but not to `{}`, which its job file names",
            project.module_path().display()
        ))
        .hint("correct `EntryModule` in the job file"));
    }
    size::optimise(project);
    Ok(())
}
