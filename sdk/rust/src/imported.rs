//! The functions of `skrei:job` as a module imports them, with neither the standard library nor an allocator.
//!
//! They are those of `sdk/wit/job.wit`, by the component model's canonical ABI. A program that calls one of them runs where
//! they are: in skrei, as a module. One with the standard library does better with the functions beside this module, which
//! need nothing to be there; one that makes a component uses bindings made from the WIT file.
//!
//! A program with a `_start` of its own is built for `wasm32-wasip1` with `-Clink-self-contained=no`, which leaves the C
//! library's out; one that says a line and how far it is has less than 1 kB.

use core::{fmt, marker::PhantomData};

/// The host did not take what it was told: it was out of bounds, or not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the host did not take it")
    }
}

impl core::error::Error for Refused {}

/// A file of a set that is installed: its name in the directory, and what is to be in it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    name: *const u8,
    name_len: usize,
    content: *const u8,
    content_len: usize,
    of: PhantomData<&'a [u8]>,
}

impl<'a> File<'a> {
    /// One file.
    pub const fn new(name: &'a str, content: &'a [u8]) -> File<'a> {
        File {
            name: name.as_ptr(),
            name_len: name.len(),
            content: content.as_ptr(),
            content_len: content.len(),
            of: PhantomData,
        }
    }
}

/// How much a message of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks for a mistake.
    Debug,
    /// What happens.
    Info,
    /// What should be looked at.
    Warn,
    /// What went wrong.
    Error,
}

/// `result<_, string>`. The words of an error need room that a program without an allocator does not make.
#[repr(C, align(4))]
struct Told {
    is_error: u8,
    words: [u32; 2],
}

impl Told {
    fn by(call: impl FnOnce(*mut Told)) -> Result<(), Refused> {
        let mut told = Told { is_error: 0, words: [0; 2] };
        call(&raw mut told);
        if told.is_error == 0 { Ok(()) } else { Err(Refused) }
    }
}

#[link(wasm_import_module = "skrei:job/progress@0.1.0")]
#[expect(unsafe_code, reason = "an import is outside of what the compiler sees")]
unsafe extern "C" {
    fn report(fraction: f64, message: *const u8, message_len: usize, told: *mut Told);
}

#[link(wasm_import_module = "skrei:job/results@0.1.0")]
#[expect(unsafe_code, reason = "an import is outside of what the compiler sees")]
unsafe extern "C" {
    fn set(key: *const u8, key_len: usize, json: *const u8, json_len: usize, told: *mut Told);
}

#[link(wasm_import_module = "skrei:job/files@0.1.0")]
#[expect(unsafe_code, reason = "an import is outside of what the compiler sees")]
unsafe extern "C" {
    #[link_name = "install"]
    fn install_files(
        directory: *const u8,
        directory_len: usize,
        files: *const File<'_>,
        files_len: usize,
        told: *mut Told,
    );
}

#[link(wasm_import_module = "skrei:job/log@0.1.0")]
#[expect(unsafe_code, reason = "an import is outside of what the compiler sees")]
unsafe extern "C" {
    fn debug(message: *const u8, message_len: usize, fields: *const u32, fields_len: usize);
    fn info(message: *const u8, message_len: usize, fields: *const u32, fields_len: usize);
    fn warn(message: *const u8, message_len: usize, fields: *const u32, fields_len: usize);
    fn error(message: *const u8, message_len: usize, fields: *const u32, fields_len: usize);
}

#[link(wasm_import_module = "skrei:job/metadata@0.1.0")]
#[expect(unsafe_code, reason = "an import is outside of what the compiler sees")]
unsafe extern "C" {
    #[link_name = "partition-index"]
    safe fn index_of_partition() -> u32;
    #[link_name = "partition-count"]
    safe fn count_of_partitions() -> u32;
}

/// Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing.
///
/// # Errors
/// The share is none.
#[expect(
    unsafe_code,
    reason = "the host reads the message and writes what it made of it, both while they are there"
)]
pub fn progress(fraction: f64, message: &str) -> Result<(), Refused> {
    Told::by(|told| unsafe { report(fraction, message.as_ptr(), message.len(), told) })
}

/// Reports a value, in JSON, under a key.
///
/// # Errors
/// It is no JSON, or there is no room for it.
#[expect(
    unsafe_code,
    reason = "the host reads both and writes what it made of them, all while they are there"
)]
pub fn value_json(key: &str, json: &str) -> Result<(), Refused> {
    Told::by(|told| unsafe { set(key.as_ptr(), key.len(), json.as_ptr(), json.len(), told) })
}

/// Replaces files of a directory, or makes them: all of them or none.
///
/// # Errors
/// Something is in the way; every file is as it was.
#[expect(
    unsafe_code,
    reason = "the host reads the files and writes what it made of them, all while they are there"
)]
pub fn install(directory: &str, files: &[File<'_>]) -> Result<(), Refused> {
    Told::by(|told| unsafe {
        install_files(directory.as_ptr(), directory.len(), files.as_ptr(), files.len(), told);
    })
}

/// Says one message of the log.
#[expect(unsafe_code, reason = "the host reads the message while it is there")]
pub fn log(level: Level, message: &str) {
    let (at, len, none) = (message.as_ptr(), message.len(), [0_u32; 0]);
    unsafe {
        match level {
            Level::Debug => debug(at, len, none.as_ptr(), 0),
            Level::Info => info(at, len, none.as_ptr(), 0),
            Level::Warn => warn(at, len, none.as_ptr(), 0),
            Level::Error => error(at, len, none.as_ptr(), 0),
        }
    }
}

/// Which part of a batch this is, from 0, and how many there are.
pub fn partition() -> (u32, u32) {
    (index_of_partition(), count_of_partitions())
}
