//! `skrei`: the command line, and the servers it starts.
//!
//! A command is parsed by [`cli`], carried out by one file of [`commands`], and ends in one of the codes of
//! [`exit`]. What a person writes is read by [`config`] and [`job_file`]; what runs is started by [`start`] and
//! watched by [`follow`], what it leaves is fetched by [`results`]; everything shown goes through [`terminal`]. Data goes to standard output, all else to
//! standard error.

mod cli;
mod commands;
mod config;
mod credentials;
mod demo;
mod error;
mod exit;
mod follow;
mod given_secret;
mod guest;
mod job_file;
mod logins;
mod results;
mod sandbox;
mod sealing;
mod secret;
mod start;
mod terminal;

use std::process::ExitCode;

use clap::{
    Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{cli::Cli, error::Error};

/// musl's own asks the system for nearly everything, one thread at a time.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse_from(cli::settings_last(std::env::args_os())) {
        Ok(cli) => cli,
        Err(wrong) => {
            let Some(older) = older_flag(&wrong) else { wrong.exit() };
            older.show();
            return ExitCode::from(older.code());
        }
    };
    let ended = executor().and_then(|executor| {
        let ended = executor.block_on(commands::run(cli));
        // A read of standard input that nobody answers must not keep the process.
        executor.shutdown_background();
        ended
    });
    ExitCode::from(ended.unwrap_or_else(|error| {
        error.show();
        error.code()
    }))
}

/// The answer to a flag that Bacalhau has, and no command here.
fn older_flag(wrong: &clap::Error) -> Option<Error> {
    match wrong.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if wrong.kind() == ErrorKind::UnknownArgument => {
            commands::older::flag(flag)
        }
        _ => None,
    }
}

fn executor() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::internal(format!("start the executor: {error}")))
}
