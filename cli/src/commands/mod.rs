//! Every command, one file each.

pub(crate) mod agent;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod backup;
pub(crate) mod build;
pub(crate) mod cert;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod devstack;
pub(crate) mod job;
pub(crate) mod new;
pub(crate) mod node;
pub(crate) mod older;
pub(crate) mod profile;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod version;
pub(crate) mod wasm;

use skrei_protocol::client::Client;

use crate::{
    cli::{Cli, Command, Globals},
    config::{self as configuration, Config},
    credentials,
    error::Error,
    exit,
};

/// Carries a command out; the exit code if it got to its end.
pub(crate) async fn run(cli: Cli) -> Result<u8, Error> {
    let globals = cli.globals;
    match cli.command {
        Command::Demo(demo) => demo.run(&globals).await,
        Command::Job(command) => command.run(&globals).await,
        Command::Wasm(command) => command.run(&globals).await,
        Command::Node(command) => command.run(&globals).await,
        Command::New(new) => new.run(),
        Command::Build(build) => build.run(),
        Command::Run(run) => run.run().await,
        Command::Secret(command) => command.run(&globals).await,
        Command::Serve(serve) => serve.run(&globals).await,
        Command::Devstack(devstack) => devstack.run(&globals).await,
        Command::Agent(command) => command.run(&globals).await,
        Command::Auth(command) => command.run(&globals).await,
        Command::Audit(command) => command.run(&globals).await,
        Command::Profile(command) => command.run(&globals),
        Command::Cert(command) => command.run(&globals),
        Command::Backup(backup) => backup.run(&globals),
        Command::Config(command) => command.run(&globals),
        Command::Schema(schema) => schema.run(),
        Command::Version(version) => version.run(&globals).await,
        Command::Completion(completion) => completion.run(),
        Command::Man(man) => man.run(),
        Command::CompileModule => skrei_runtime::serve_compiler()
            .map(|()| exit::SUCCESS)
            .map_err(|error| Error::internal(format!("compile a module: {error}"))),
        Command::Other(words) => Err(older::answer(&words)),
    }
}

/// The configuration as commands need it.
fn config(globals: &Globals) -> Result<Config, Error> {
    Ok(configuration::load(&globals.arguments, globals.flags())?.0)
}

/// A client for the orchestrator that the configuration names.
fn client(globals: &Globals) -> Result<Client, Error> {
    credentials::client(&config(globals)?)
}
