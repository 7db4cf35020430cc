//! Commands that Bacalhau had or has, and that are called otherwise here or do not exist.

use std::ffi::OsString;

use clap::CommandFactory;

use crate::{cli::Cli, error::Error};

/// Words that nothing here begins with, and what to type instead (reference cli-config-behaviour 1.2).
const INSTEAD: &[(&str, &str)] = &[
    ("create", "skrei job run FILE"),
    ("list", "skrei job list"),
    ("describe", "skrei job describe JOB"),
    ("cancel", "skrei job stop JOB"),
    ("stop", "skrei job stop JOB"),
    ("logs", "skrei job logs JOB"),
    ("get", "skrei job get JOB"),
    ("validate", "skrei job validate FILE"),
    ("id", "skrei agent node"),
];

/// Words that stand for what does not exist here, and why.
const NOT_HERE: &[(&str, &str, &str)] = &[
    (
        "docker",
        "there is no container engine here: jobs are WebAssembly modules",
        "compile the program for wasm32-wasip1, and run it with `skrei job run FILE`; see docs/guide/guest-toolchain.md",
    ),
    (
        "exec",
        "job types of one's own are not translated here",
        "write a job file, and run it with `skrei job run FILE`",
    ),
    ("license", "skrei needs no licence key", "`skrei version` shows what runs"),
];

/// A distance up to which a word is taken for a slip.
const SLIP_MAX: usize = 2;

/// What a first word that is no command is answered with.
pub(super) fn answer(words: &[OsString]) -> Error {
    let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
    if let Some((_, instead)) = INSTEAD.iter().find(|(older, _)| *older == word) {
        return Error::usage(format!("`skrei {word}` has another name")).hint(format!("type `{instead}`"));
    }
    if let Some((_, why, instead)) = NOT_HERE.iter().find(|(known, ..)| *known == word) {
        return Error::usage(format!("`skrei {word}`: {why}")).hint(*instead);
    }
    let command = Cli::command();
    let names = command.get_subcommands().filter(|known| !known.is_hide_set()).map(clap::Command::get_name);
    let nearest = names.map(|name| (strsim::damerau_levenshtein(name, &word), name)).min();
    let error = Error::usage(format!("there is no command `{word}`"));
    match nearest {
        Some((distance, name)) if distance <= SLIP_MAX => error.hint(format!("did you mean `skrei {name}`?")),
        _ => error.hint("`skrei help` lists the commands"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_older_word_is_a_command_of_ours() {
        let command = Cli::command();
        for word in INSTEAD.iter().map(|(word, _)| word).chain(NOT_HERE.iter().map(|(word, ..)| word)) {
            assert!(command.find_subcommand(word).is_none(), "{word}");
        }
    }

    #[test]
    fn what_is_typed_instead_exists() {
        for (_, instead) in INSTEAD {
            let mut command = Cli::command();
            for word in instead.split(' ').skip(1).take_while(|word| word.chars().all(char::is_lowercase)) {
                command = command.find_subcommand(word).unwrap_or_else(|| panic!("{instead}")).clone();
            }
        }
    }
}
