//! `skrei build`.

use std::path::{Path, PathBuf};

use clap::Args;
use skrei_job::{
    Spec,
    spec::{Network, Source},
};

use crate::{
    error::Error,
    exit,
    guest::{
        build,
        language::Language,
        module::About,
        project::{JOB_FILE, Project},
    },
    job_file,
    terminal::{self, style},
};

/// Build a guest's project with its language's own tools.
#[derive(Debug, Args)]
#[command(
    after_help = "The module is made where the job file says that it is (EntryModule). A tool that is missing is named \
    with how to get it; nothing is fetched but what a project's own package manager fetches. With `wasm-opt` installed, \
    modules are made smaller."
)]
pub(crate) struct Build {
    /// The project's directory
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// The language, if the files do not tell
    #[arg(long, value_enum, value_name = "ID")]
    lang: Option<Language>,
    /// The job file, relative to the directory
    #[arg(long, value_name = "FILE", default_value = JOB_FILE)]
    job: PathBuf,
    /// A template variable of the job file, for showing what it asks of a node; repeatable
    #[arg(short = 'V', long, value_name = "NAME=VALUE")]
    template_vars: Vec<String>,
}

impl Build {
    pub(super) fn run(self) -> Result<u8, Error> {
        let project = Project::open(&self.dir, self.lang, &self.job)?;
        build::build(&project)?;
        let module = project.module_path();
        let about = About::read(&module)?;
        let line = |name: &str, text: &str| {
            terminal::data(&format!("{}  {text}", style::stdout().bold(&format!("{name:<8}"))))
        };
        line("Module", &module.display().to_string())?;
        line("Kind", about.kind())?;
        line("Size", &amount(about.size))?;
        let imports = about.imports.iter().map(|(from, count)| match about.is_component {
            true => from.clone(),
            false => format!("{from} ({count} {})", if *count == 1 { "function" } else { "functions" }),
        });
        let imports: Vec<_> = imports.collect();
        line(
            "Imports",
            if imports.is_empty() { "nothing".to_owned() } else { imports.join("\n          ") }.as_str(),
        )?;
        if let Some(job_file) = &project.job_file {
            line("Grants", &grants(job_file, self.template_vars).join("\n          "))?;
        }
        Ok(exit::SUCCESS)
    }
}

/// What the owner of a node must allow for the job to run there, one line each.
fn grants(job_file: &Path, template_vars: Vec<String>) -> Vec<String> {
    let checked = job_file::Args::new(job_file, template_vars).read().and_then(|written| written.check());
    match checked {
        Ok(checked) => wanted(&checked.spec),
        // What is wrong with a job file is for `job validate` to say: the module is built all the same.
        Err(_) => vec![format!(
            "not known: see `skrei job validate {}` (variables are given with -V)",
            job_file.display()
        )],
    }
}

fn wanted(spec: &Spec) -> Vec<String> {
    let task = spec.task();
    let mut wanted = Vec::new();
    for input in &task.inputs {
        if let Source::HostPath(path) = &input.source {
            let (host, mode) = (&path.path, path.mode.as_str());
            wanted
                .push(format!("{} ({mode})    -c Compute.AllowListedLocalPaths={host}:{mode}", input.target));
        }
    }
    for value in task.env.values() {
        if let Some(name) = value.strip_prefix("env:") {
            wanted.push(format!("the node's variable {name}    -c Compute.Env.AllowList={name}"));
        }
    }
    match &task.network {
        Network::None => {}
        Network::Http { domains } => wanted.push(format!("HTTP to {}", domains.join(", "))),
        Network::Full => wanted.push("any connection".to_owned()),
    }
    for address in &task.ports {
        wanted.push(format!("listening on {address}    -c Compute.Network.Ports={address}"));
    }
    if wanted.is_empty() {
        wanted.push("none: any node runs it".to_owned());
    }
    wanted
}

/// A number of bytes for people.
fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_for_people() {
        assert_eq!([amount(201), amount(83_123), amount(2_700_000)], ["201 bytes", "83.1 kB", "2.7 MB"]);
    }
}
