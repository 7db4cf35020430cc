//! JavaScript, as a component: one file by esbuild, and a component of it by jco, both of the project's own packages.

use std::ffi::OsString;

use crate::{
    error::Error,
    guest::{
        project::Project,
        tool::{self, Tool},
    },
};

const BUNDLER: &str = "node_modules/esbuild/bin/esbuild";
const MAKER: &str = "node_modules/@bytecodealliance/jco/src/jco.js";

/// Everything in one file, beside the component.
const BUNDLE: &str = "build/bundle.js";

pub(super) fn build(project: &Project) -> Result<(), Error> {
    let node =
        Tool::on_path("node").ok_or_else(|| tool::missing("Node.js", "install it: https://nodejs.org"))?;
    let bundler = Tool::at(&project.directory.join(BUNDLER));
    let (Some(_), true) = (bundler, project.directory.join(MAKER).is_file()) else {
        let here = project.directory.display();
        return Err(tool::missing(
            "what makes components of JavaScript",
            &format!("npm install --prefix {here}"),
        ));
    };
    let outfile = format!("--outfile={BUNDLE}");
    let bundle = ["app.js", "--bundle", "--format=esm", "--external:wasi:*", "--log-level=warning", &outfile];
    Tool::relative(BUNDLER).run(&project.directory, bundle, &[])?;
    // Without both, the component wants a network for what it never calls.
    let disabled = ["--disable", "http", "--disable", "fetch-event"];
    let mut arguments: Vec<OsString> = ["componentize", BUNDLE, "--wit", "wit", "--world-name", "program"]
        .into_iter()
        .chain(disabled)
        .map(OsString::from)
        .collect();
    arguments.extend(["-o".into(), project.module.clone().into()]);
    node.with(MAKER).run(&project.directory, arguments, &[])
}
