//! C and C++, by Zig's compiler or a clang that knows WASI.

use std::{ffi::OsString, path::PathBuf};

use super::zig;
use crate::{
    error::Error,
    guest::{
        language::sources,
        project::Project,
        tool::{self, Tool},
    },
};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    C,
    Cpp,
}

/// Where a WASI SDK is, by its own convention.
const SDK: &str = "WASI_SDK_PATH";

pub(super) fn build(project: &Project, dialect: Dialect) -> Result<(), Error> {
    let compiler = compiler(project, dialect).ok_or_else(|| {
        let zig = tool::pip_install(&project.directory, zig::PACKAGE);
        let how = format!("{zig}\n(Zig's compiler, with a libc for WASI), or set {SDK} to a WASI SDK");
        tool::missing("a C compiler for WASI", &how)
    })?;
    let mut arguments: Vec<OsString> =
        ["--target=wasm32-wasi", "-Os", "-s", "-Wall", "-I."].map(OsString::from).into();
    if dialect == Dialect::Cpp {
        arguments.extend(["-std=c++20", "-fno-exceptions"].map(OsString::from));
    }
    let endings: &[&str] = if dialect == Dialect::C { &["c"] } else { &["cpp", "cc", "c"] };
    arguments.extend(endings.iter().flat_map(|ending| sources(&project.directory, ending)).filter_map(name));
    arguments.extend(["-o".into(), project.module.clone().into()]);
    compiler.run(&project.directory, arguments, &[])
}

fn name(path: PathBuf) -> Option<OsString> {
    path.file_name().map(OsString::from)
}

fn compiler(project: &Project, dialect: Dialect) -> Option<Tool> {
    let (clang, zig_command) = match dialect {
        Dialect::C => ("clang", "cc"),
        Dialect::Cpp => ("clang++", "c++"),
    };
    let of_sdk = std::env::var_os(SDK).and_then(|sdk| Tool::at(&PathBuf::from(sdk).join("bin").join(clang)));
    of_sdk.or_else(|| Some(zig::zig(project)?.with(zig_command)))
}
