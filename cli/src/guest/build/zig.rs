//! Zig.

use std::ffi::OsString;

use crate::{
    error::Error,
    guest::{
        language::sources,
        project::Project,
        tool::{self, Tool},
    },
};

/// The Python package that carries it.
pub(super) const PACKAGE: &str = "ziglang==0.17.1";

/// Zig itself, or the Python package that carries it.
pub(super) fn zig(project: &Project) -> Option<Tool> {
    Tool::on_path("zig").or_else(|| Tool::python_module(&project.directory, "ziglang"))
}

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let install = || tool::pip_install(&project.directory, PACKAGE);
    let zig = zig(project).ok_or_else(|| tool::missing("Zig", &install()))?;
    let main = project.directory.join("main.zig");
    let main =
        if main.is_file() { Some(main) } else { sources(&project.directory, "zig").into_iter().next() };
    let main = main.as_deref().and_then(|path| path.file_name());
    let main = main.ok_or_else(|| Error::not_found("there is no `main.zig` in the project"))?;
    let mut output = OsString::from("-femit-bin=");
    output.push(&project.module);
    let arguments: [OsString; 7] = [
        "build-exe".into(),
        main.into(),
        "-target".into(),
        "wasm32-wasi".into(),
        "-O".into(),
        "ReleaseSmall".into(),
        output,
    ];
    zig.run(&project.directory, arguments, &[])
}
