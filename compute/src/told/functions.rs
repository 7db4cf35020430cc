//! The functions of `skrei:job`, which guests may import (`sdk/wit/job.wit`).
//!
//! Components import them by interface, modules by the same names; there is one implementation of each. What a guest asks
//! for and cannot have is told to it, and ends nothing.

use skrei_runtime::{HostError, HostFunctions, InterfaceCall, Stream};

use super::{Listener, parameter};

/// The longest line of a log, in bytes; what is longer is cut off.
const LOG_LINE_BYTES_MAX: usize = 16 << 10;

/// What every function comes to: what the guest is told, unless it called in a way that ends it.
type Told<T> = Result<T, HostError>;

/// The functions of `skrei:job`. Guests are listened to where a [`Listener`] does; elsewhere they tell nobody.
pub fn host_functions() -> HostFunctions {
    let mut functions = HostFunctions::new()
        .add_to_interface(interface("progress"), "report", report)
        .add_to_interface(interface("results"), "set", set)
        .add_to_interface(interface("files"), "install", install)
        .add_to_interface(interface("files"), "write", write)
        .add_to_interface(interface("metadata"), "partition-index", partition_index)
        .add_to_interface(interface("metadata"), "partition-count", partition_count)
        .add_to_interface(interface("metadata"), "parameter", parameter_of);
    for (name, level) in [("debug", "DEBUG"), ("info", "INFO"), ("warn", "WARN"), ("error", "ERROR")] {
        let log = move |call: &mut InterfaceCall<'_>, message: String, fields: Vec<(String, String)>| {
            call.write(Stream::Stderr, line(level, &message, &fields).as_bytes());
            Ok(())
        };
        functions = functions.add_to_interface(interface("log"), name, log);
    }
    for (name, variable) in [
        ("job-id", "SKREI_JOB_ID"),
        ("job-type", "SKREI_JOB_TYPE"),
        ("execution-id", "SKREI_EXECUTION_ID"),
        ("node", "SKREI_NODE_ID"),
    ] {
        let said = move |call: &mut InterfaceCall<'_>| Ok(call.variable(variable).map(str::to_owned));
        functions = functions.add_to_interface(interface("metadata"), name, said);
    }
    functions
}

fn interface(name: &str) -> String {
    format!("skrei:job/{name}@0.1.0")
}

fn report(call: &mut InterfaceCall<'_>, fraction: f64, message: String) -> Told<Result<(), String>> {
    Ok(told(call, |listener| listener.progress(fraction, &message)))
}

fn set(call: &mut InterfaceCall<'_>, key: String, json: String) -> Told<Result<(), String>> {
    Ok(told(call, |listener| listener.value(&key, &json)))
}

/// Tells whoever listens to the guest.
fn told<E: std::error::Error>(
    call: &InterfaceCall<'_>,
    tell: impl FnOnce(&Listener) -> Result<(), E>,
) -> Result<(), String> {
    call.data::<Listener>().map_or(Ok(()), tell).map_err(|unsound| unsound.to_string())
}

fn install(
    call: &mut InterfaceCall<'_>,
    directory: String,
    files: Vec<(String, Vec<u8>)>,
) -> Told<Result<(), String>> {
    Ok(call.install(&directory, &files).map_err(|error| error.to_string()))
}

fn write(call: &mut InterfaceCall<'_>, path: String, content: Vec<u8>) -> Told<Result<(), String>> {
    let (directory, name) = match path.rsplit_once('/') {
        Some(("", name)) => ("/", name),
        Some((directory, name)) => (directory, name),
        None => (".", path.as_str()),
    };
    let files = [(name.to_owned(), content)];
    Ok(call.install(directory, &files).map_err(|error| error.to_string()))
}

fn partition_index(call: &mut InterfaceCall<'_>) -> Told<u32> {
    Ok(number(call, "SKREI_PARTITION_INDEX").unwrap_or(0))
}

fn partition_count(call: &mut InterfaceCall<'_>) -> Told<u32> {
    Ok(number(call, "SKREI_PARTITION_COUNT").unwrap_or(1))
}

fn number(call: &InterfaceCall<'_>, variable: &str) -> Option<u32> {
    call.variable(variable)?.parse().ok()
}

fn parameter_of(call: &mut InterfaceCall<'_>, name: String) -> Told<Option<String>> {
    let argument = parameter::argument(call.arguments(), &name);
    let variable = || call.variable(&parameter::variable(&name));
    Ok(argument.or_else(variable).map(str::to_owned))
}

/// One line for people: `LEVEL message name=value ...`.
fn line(level: &str, message: &str, fields: &[(String, String)]) -> String {
    let mut line = format!("{level} {}", message.replace(char::is_control, " "));
    for (name, value) in fields {
        let is_plain = !value.is_empty() && !value.contains(|c: char| c.is_control() || " \"=".contains(c));
        let value = if is_plain { value.clone() } else { format!("{value:?}") };
        line.push_str(&format!(" {}={value}", name.replace(char::is_control, " ")));
    }
    line.truncate(line.floor_char_boundary(LOG_LINE_BYTES_MAX));
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_s_message_is_one_line_whatever_is_in_it() {
        let fields = [("n".to_owned(), "3".to_owned()), ("path".to_owned(), "/a b\n".to_owned())];
        assert_eq!(line("WARN", "two\nlines", &fields), "WARN two lines n=3 path=\"/a b\\n\"\n");
        let long = line("INFO", &"ä".repeat(LOG_LINE_BYTES_MAX), &[]);
        assert!(long.len() <= LOG_LINE_BYTES_MAX + 1 && long.ends_with("ä\n"), "{}", long.len());
    }
}
