//! Arguments, environment variables, ending, and terminals.

use wasmtime::component::Resource;
use wasmtime_wasi::p3::bindings::cli::{
    environment, exit, terminal_input, terminal_output, terminal_stderr, terminal_stdin, terminal_stdout,
};
use wasmtime_wasi::p3::cli::{TerminalInput, TerminalOutput};

use crate::component::cli_words;
use crate::guest::Guest;
use crate::run::Exit;

cli_words!(cwd: get_initial_cwd, terminals: TerminalInput, TerminalOutput);
