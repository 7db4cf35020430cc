//! The guest programs on WASI 0.3: one component, which is told in its bytes which of them it is.

mod files;
mod names;
mod probe;
mod programs;
mod races;
mod requests;
mod sockets;
mod space;
mod streams;

wasip3::cli::command::export!(Program);

/// Which program this is. The build script writes it here, and spaces after it.
#[used]
static NAME: [u8; 32] = *b"@program:                       ";

struct Program;

impl wasip3::exports::cli::run::Guest for Program {
    async fn run() -> Result<(), ()> {
        // Read as it is in the bytes that run, and not in those that were compiled.
        let name = unsafe { std::ptr::read_volatile(&raw const NAME) };
        let name = String::from_utf8_lossy(&name).replacen("@program:", "", 1);
        let arguments: Vec<String> = wasip3::cli::environment::get_arguments().into_iter().skip(1).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        programs::run(name.trim(), &arguments).await
    }
}
