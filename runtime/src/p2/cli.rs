//! Arguments, environment variables, ending, and terminals.

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::cli::{
    environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};

use crate::component::cli_words;
use crate::guest::Guest;
use crate::run::Exit;

cli_words!(
    cwd: initial_cwd,
    terminals: terminal_input::TerminalInput, terminal_output::TerminalOutput
);
