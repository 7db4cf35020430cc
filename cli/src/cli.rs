//! The command line as a tree: noun, then verb.

use std::ffi::OsString;

use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        agent, audit, auth, backup, build, cert, completion, config, demo, devstack, job, new, node, profile,
        run, schema, secret, serve, version, wasm,
    },
    config::{Argument, Flags, profile::Chosen},
    error::Error,
};

/// Runs sandboxed WASM jobs on a fleet: exactly the host paths each machine's owner allowed, and nothing else.
#[derive(Debug, Parser)]
#[command(
    name = "skrei",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    /// Flags that every command has.
    #[command(flatten)]
    pub(crate) globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command has.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Set a configuration key, or read a configuration file; repeatable
    #[arg(short = 'c', long = "config", global = true, value_name = "KEY=VALUE|FILE")]
    pub(crate) arguments: Vec<Argument>,
    /// Where the orchestrator's API is [default: 127.0.0.1; key: API.Host]
    #[arg(long, global = true, value_name = "HOST")]
    pub(crate) api_host: Option<String>,
    /// Port of the orchestrator's API [default: 1234; key: API.Port]
    #[arg(long, global = true, value_name = "PORT")]
    pub(crate) api_port: Option<u16>,
    /// Call the API by HTTPS [key: API.TLS.UseTLS]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) tls: bool,
    /// Trust this authority instead of the system's, and call the API by HTTPS [key: API.TLS.CAFile]
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(crate) cacert: Option<String>,
    /// Call the API by HTTPS and trust any server: anybody on the way can read and change everything [key: API.TLS.Insecure]
    #[arg(long, global = true, hide_short_help = true)]
    pub(crate) insecure: bool,
    /// Talk to the server of this profile (`skrei profile save`) [env: SKREI_PROFILE; default: the selected one]
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Where servers keep their state [default: ~/.skrei; key: DataDir]
    #[arg(long, alias = "repo", global = true, hide_short_help = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
}

impl Globals {
    /// These flags for a server, which no profile is about.
    ///
    /// # Errors
    /// A profile is named all the same.
    pub(crate) fn server_flags(&self) -> Result<Flags, Error> {
        match &self.profile {
            None => Ok(Flags { profile: Chosen::None, ..self.flags() }),
            Some(name) => Err(Error::usage(format!("profile `{name}` is for commands, not for a server"))
                .hint("leave out --profile; a server is configured with -c FILE.yaml")),
        }
    }

    /// These flags as a source of configuration.
    pub(crate) fn flags(&self) -> Flags {
        Flags {
            data_dir: self.data_dir.clone(),
            api_host: self.api_host.clone(),
            api_port: self.api_port,
            tls: self.tls,
            ca_file: self.cacert.clone(),
            insecure: self.insecure,
            profile: self.profile.clone().map_or(Chosen::Usual, Chosen::Named),
            ..Flags::default()
        }
    }
}

/// The command line with every `-c` at its end, in their order.
///
/// They may stand anywhere, as in `skrei -c A=1 serve -c B=2`; of a flag given at two levels the parser would
/// drop the outer ones without a word.
pub(crate) fn settings_last(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments = arguments.into_iter();
    let (mut others, mut settings, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        if text == "--" {
            rest.push(argument);
            rest.extend(arguments.by_ref());
        } else if text == "-c" || text == "--config" {
            settings.push(argument);
            settings.extend(arguments.next());
        } else if text.starts_with("--config=") || (text.starts_with("-c") && text.len() > 2) {
            settings.push(argument);
        } else {
            others.push(argument);
        }
    }
    others.into_iter().chain(settings).chain(rest).collect()
}

/// Every noun, and the verbs that need none.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// See it work: a certificate deployed to three nodes on this machine
    Demo(demo::Demo),
    /// Submit, watch and stop jobs
    #[command(subcommand)]
    Job(job::Command),
    /// Run one module on the fleet, without a job file
    #[command(subcommand)]
    Wasm(wasm::Command),
    /// Look at the fleet, and say who belongs to it
    #[command(subcommand)]
    Node(node::Command),
    /// Keep secrets that jobs may have by name
    #[command(subcommand)]
    Secret(secret::Command),
    /// Start a project for a guest, in any of several languages
    New(new::New),
    /// Build a guest's project with its language's own tools
    Build(build::Build),
    /// Run one module or job here, without any server
    Run(run::Run),
    /// Be an orchestrator, a compute node, or both
    Serve(serve::Serve),
    /// A whole fleet in one process, to try things out
    Devstack(devstack::Devstack),
    /// Look at the server that commands talk to
    #[command(subcommand)]
    Agent(agent::Command),
    /// Say who may call an orchestrator, and who you are
    #[command(subcommand)]
    Auth(auth::Command),
    /// See who changed what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Servers under names: where, whom to trust, what to show
    #[command(subcommand)]
    Profile(profile::Command),
    /// Certificates of the local authority that `--self-signed` makes
    #[command(subcommand)]
    Cert(cert::Command),
    /// Copy an orchestrator's store while it is at work
    Backup(backup::Backup),
    /// Look at the configuration, and change it
    #[command(subcommand)]
    Config(config::Command),
    /// The JSON Schema of job files or configuration files, for editors
    Schema(schema::Schema),
    /// Versions of this program and of the orchestrator
    Version(version::Version),
    /// A script that completes commands in a shell
    Completion(completion::Completion),
    /// Write manual pages, one for each command
    #[command(hide = true)]
    Man(completion::Man),
    /// Compile the module on standard input, for another process of this program
    #[command(hide = true, name = crate::sandbox::COMPILE)]
    CompileModule,
    /// Anything else: names of older versions, and slips
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_tree_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn settings_count_wherever_they_stand_and_a_guest_keeps_its_own() {
        let gathered = |line: &str| {
            let line = settings_last(line.split(' ').map(OsString::from));
            line.join(std::ffi::OsStr::new(" ")).into_string().unwrap()
        };
        assert_eq!(
            gathered("skrei -c A=1 serve --config B=2 --compute"),
            "skrei serve --compute -c A=1 --config B=2"
        );
        assert_eq!(gathered("skrei run x.wasm -cA=1 -- -c x"), "skrei run x.wasm -cA=1 -- -c x");
        assert_eq!(gathered("skrei job --config=A=1 list -c"), "skrei job list --config=A=1 -c");
    }

    /// What is said by one command line of a transcript.
    struct Scene {
        page: String,
        line: String,
        fails: bool,
    }

    fn scenes() -> Vec<Scene> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/transcripts");
        let mut scenes: Vec<Scene> = Vec::new();
        for page in std::fs::read_dir(folder).unwrap() {
            let path = page.unwrap().path();
            let page = path.file_name().unwrap().to_str().unwrap().to_owned();
            for line in std::fs::read_to_string(&path).unwrap().lines() {
                match (line.strip_prefix("$ "), scenes.last_mut()) {
                    (Some(line), _) => {
                        scenes.push(Scene { page: page.clone(), line: line.to_owned(), fails: false });
                    }
                    (None, Some(scene)) => scene.fails |= line.starts_with("[exit code"),
                    (None, None) => {}
                }
            }
        }
        scenes
    }

    fn is_of(scene: &Scene, path: &str) -> bool {
        scene.line.split_once(path).is_some_and(|(_, rest)| rest.is_empty() || rest.starts_with(' '))
    }

    #[test]
    fn every_command_is_shown_to_do_well_and_to_fail_and_has_help() {
        fn leaves(command: &clap::Command, path: &str, found: &mut Vec<String>) {
            let shown = |sub: &&clap::Command| sub.get_name() != "help" && !sub.is_hide_set();
            let subs: Vec<_> = command.get_subcommands().filter(shown).collect();
            if subs.is_empty() {
                found.push(path.to_owned());
            }
            for sub in subs {
                leaves(sub, &format!("{path} {}", sub.get_name()), found);
            }
        }
        let mut command = Cli::command();
        command.build();
        let mut paths = Vec::new();
        leaves(&command, "skrei", &mut paths);
        let scenes = scenes();
        for path in &paths {
            let fails: Vec<bool> =
                scenes.iter().filter(|scene| is_of(scene, path)).map(|scene| scene.fails).collect();
            assert!(fails.contains(&true), "no transcript shows how `{path}` fails");
            assert!(fails.contains(&false), "no transcript shows how `{path}` does well");
            let words = path.split(' ').chain(["--help"]);
            let asked = Cli::command().try_get_matches_from(words).unwrap_err();
            assert_eq!(asked.kind(), clap::error::ErrorKind::DisplayHelp, "{path}");
        }
        assert!(paths.len() > 60, "{paths:?}");
    }

    /// The page that shows a command most often.
    fn page_of(path: &str) -> Option<String> {
        let mut pages: BTreeMap<String, usize> = BTreeMap::new();
        for scene in scenes().into_iter().filter(|scene| is_of(scene, path)) {
            *pages.entry(scene.page).or_default() += 1;
        }
        pages.into_iter().rev().max_by_key(|(_, times)| *times).map(|(page, _)| page)
    }

    /// One section per command, made from what `--help` knows.
    fn describe(command: &clap::Command, path: &str, page: &mut String) {
        let shown = |sub: &&clap::Command| sub.get_name() != "help" && !sub.is_hide_set();
        let nouns: Vec<_> = command.get_subcommands().filter(shown).collect();
        if nouns.is_empty() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            page.push_str(&format!("\n## `{path}`\n\n{about}.\n"));
            if let Some(more) = command.get_after_help() {
                page.push_str(&format!("\n{more}\n"));
            }
            if let Some(transcript) = page_of(path) {
                page.push_str(&format!("\n[Transcript](transcripts/{transcript})\n"));
            }
            let shown = |flag: &&clap::Arg| !flag.is_global_set() && !flag.is_hide_set();
            let rows: String = command.get_arguments().filter(shown).map(row).collect();
            if !rows.is_empty() {
                page.push_str(&format!("\n| Argument | Meaning |\n|---|---|\n{rows}"));
            }
        }
        for noun in nouns {
            describe(noun, &format!("{path} {}", noun.get_name()), page);
        }
    }

    fn row(flag: &clap::Arg) -> String {
        let mut names: Vec<String> = Vec::new();
        names.extend(flag.get_short().map(|short| format!("-{short}")));
        names.extend(flag.get_long().map(|long| format!("--{long}")));
        let values = flag.get_value_names().unwrap_or_default().join(" ");
        let takes_value = flag.get_action().takes_values();
        let shown = match (names.is_empty(), takes_value) {
            (true, _) => values,
            (false, true) => format!("{} {values}", names.join(", ")),
            (false, false) => names.join(", "),
        };
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        let defaults: Vec<_> =
            flag.get_default_values().iter().map(|value| value.display().to_string()).collect();
        let default = if defaults.is_empty() || !takes_value || flag.is_hide_default_value_set() {
            String::new()
        } else {
            format!(" (default `{}`)", defaults.join(","))
        };
        format!("| `{}` | {}{default} |\n", shown.replace('|', "\\|"), help.replace('|', "\\|"))
    }

    #[test]
    fn the_reference_page_lists_every_command() {
        let mut page = "# Commands\n\nData goes to standard output, everything else to standard error. Colours are left out when \
            `NO_COLOR` is set or nobody watches. What a command ends with is in [exit-codes.md](exit-codes.md), and what \
            `-c` can set in [configuration.md](configuration.md).\n"
            .to_owned();
        let mut command = Cli::command();
        command.build();
        page.push_str("\n## Every command\n\n| Argument | Meaning |\n|---|---|\n");
        page.extend(command.get_arguments().filter(|flag| flag.is_global_set()).map(row));
        describe(&command, "skrei", &mut page);
        crate::terminal::page::check("cli.md", &page);
    }
}
