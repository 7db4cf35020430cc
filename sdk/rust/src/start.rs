//! From a function to a program: how errors become exit codes.

use std::{error, fmt, process::ExitCode};

use crate::{BadParameter, log, parameter};

/// Any error, as a program's function gives it.
pub type Error = Box<dyn error::Error>;

/// What a program's function gives: nothing, or any error.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;

/// Exit code for parameters that are missing or wrong.
const USAGE: u8 = 2;

/// An error with an exit code of its own; any other error is 1.
///
/// ```
/// # use skrei_sdk as skrei;
/// fn check(certificates: usize) -> skrei::Result {
///     if certificates == 0 {
///         return Err(skrei::Exit::new(3, "the file holds no certificate").into());
///     }
///     Ok(())
/// }
/// # assert!(check(0).is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    code: u8,
    message: String,
}

impl Exit {
    /// An error that ends the program with this code, 1 to 125.
    pub fn new(code: u8, message: impl Into<String>) -> Exit {
        Exit { code, message: message.into() }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl error::Error for Exit {}

/// What a program's function may give.
pub trait Failure {
    /// The error, if it is one.
    fn failure(self) -> std::result::Result<(), Error>;
}

impl Failure for () {
    fn failure(self) -> std::result::Result<(), Error> {
        Ok(())
    }
}

impl<E: Into<Error>> Failure for std::result::Result<(), E> {
    fn failure(self) -> std::result::Result<(), Error> {
        self.map_err(Into::into)
    }
}

/// Runs a program: what [`main`](crate::main) calls. `known` are the names of its parameters.
pub fn start<F: Failure>(
    known: &[&str],
    program: impl FnOnce() -> std::result::Result<F, BadParameter>,
) -> ExitCode {
    if let Some(strange) = parameter::strange(known, std::env::args().skip(1)) {
        let known: Vec<_> = known.iter().map(|name| format!("--{}", name.replace('_', "-"))).collect();
        log::line(&format!("error: there is no parameter {strange}; known are: {}", known.join(", ")));
        return ExitCode::from(USAGE);
    }
    match program().map(Failure::failure) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            log::line(&format!("error: {}", with_causes(&*error)));
            ExitCode::from(error.downcast_ref::<Exit>().map_or(1, |exit| exit.code))
        }
        Err(wrong) => {
            log::line(&format!("error: {wrong}"));
            ExitCode::from(USAGE)
        }
    }
}

fn with_causes(error: &dyn error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(&format!(": {next}"));
        cause = next.source();
    }
    text
}
