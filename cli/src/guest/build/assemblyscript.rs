//! AssemblyScript, by the compiler that the project's own packages have.

use std::ffi::OsString;

use crate::{
    error::Error,
    guest::{
        project::Project,
        tool::{self, Tool},
    },
};

const COMPILER: &str = "node_modules/assemblyscript/bin/asc.js";

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let node =
        Tool::on_path("node").ok_or_else(|| tool::missing("Node.js", "install it: https://nodejs.org"))?;
    if !project.directory.join(COMPILER).is_file() {
        let here = project.directory.display();
        return Err(tool::missing("the project's AssemblyScript", &format!("npm install --prefix {here}")));
    }
    let arguments: [OsString; 11] = [
        "assembly/index.ts".into(),
        "--config".into(),
        "node_modules/@assemblyscript/wasi-shim/asconfig.json".into(),
        "-O3".into(),
        "--shrinkLevel".into(),
        "2".into(),
        "--runtime".into(),
        "minimal".into(),
        "--noAssert".into(),
        "-o".into(),
        project.module.clone().into(),
    ];
    node.with(COMPILER).run(&project.directory, arguments, &[])
}
