//! Python, as a component, by componentize-py.

use std::ffi::OsString;

use crate::{
    error::Error,
    guest::{
        project::Project,
        tool::{self, Tool},
    },
};

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let tool = Tool::python_program(&project.directory, "componentize-py").ok_or_else(|| {
        tool::missing("componentize-py", &tool::pip_install(&project.directory, "componentize-py==0.25.1"))
    })?;
    let arguments: [OsString; 9] = [
        "--quiet".into(),
        "-d".into(),
        "wit".into(),
        "-w".into(),
        "program".into(),
        "componentize".into(),
        "app".into(),
        "-o".into(),
        project.module.clone().into(),
    ];
    tool.run(&project.directory, arguments, &[])
}
