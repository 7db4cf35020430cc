//! What the versions of WASI say alike, once for all of them: each has generated types of its own, with the same names.

/// Between the words of `wasi:filesystem` and those of `fs`, for the `types` in scope. `unknown` is what a thing is called
/// that is nothing else, `time` makes a moment of nanoseconds, and errors that are not called alike are said in the end.
macro_rules! filesystem_words {
    (unknown: $unknown:expr, time: $time:path, $($errno:pat => $code:expr,)*) => {
        impl From<Errno> for types::ErrorCode {
            fn from(errno: Errno) -> types::ErrorCode {
                use types::ErrorCode;
                match errno {
                    $($errno => $code,)*
                    Errno::Access => ErrorCode::Access,
                    Errno::BadF => ErrorCode::BadDescriptor,
                    Errno::Busy => ErrorCode::Busy,
                    Errno::DeadLk => ErrorCode::Deadlock,
                    Errno::DQuot => ErrorCode::Quota,
                    Errno::Exist => ErrorCode::Exist,
                    Errno::FBig => ErrorCode::FileTooLarge,
                    Errno::IlSeq => ErrorCode::IllegalByteSequence,
                    Errno::Intr => ErrorCode::Interrupted,
                    Errno::Inval | Errno::Fault => ErrorCode::Invalid,
                    Errno::IsDir => ErrorCode::IsDirectory,
                    Errno::Loop => ErrorCode::Loop,
                    Errno::MLink => ErrorCode::TooManyLinks,
                    Errno::NameTooLong => ErrorCode::NameTooLong,
                    Errno::NoEnt => ErrorCode::NoEntry,
                    Errno::NoMem => ErrorCode::InsufficientMemory,
                    Errno::NoSpc => ErrorCode::InsufficientSpace,
                    Errno::NotDir => ErrorCode::NotDirectory,
                    Errno::NotEmpty => ErrorCode::NotEmpty,
                    Errno::NotSup | Errno::NotSock => ErrorCode::Unsupported,
                    Errno::NxIo => ErrorCode::NoSuchDevice,
                    Errno::Overflow => ErrorCode::Overflow,
                    Errno::Perm => ErrorCode::NotPermitted,
                    Errno::Rofs => ErrorCode::ReadOnly,
                    Errno::SPipe => ErrorCode::InvalidSeek,
                    Errno::TxtBsy => ErrorCode::TextFileBusy,
                    Errno::XDev => ErrorCode::CrossDevice,
                    Errno::Io | Errno::Stale | Errno::TimedOut => ErrorCode::Io,
                }
            }
        }

        impl From<Kind> for types::DescriptorType {
            fn from(kind: Kind) -> types::DescriptorType {
                match kind {
                    Kind::Unknown => $unknown,
                    Kind::BlockDevice => types::DescriptorType::BlockDevice,
                    Kind::CharDevice => types::DescriptorType::CharacterDevice,
                    Kind::Directory => types::DescriptorType::Directory,
                    Kind::Regular => types::DescriptorType::RegularFile,
                    Kind::Socket => types::DescriptorType::Socket,
                    Kind::Symlink => types::DescriptorType::SymbolicLink,
                    Kind::Fifo => types::DescriptorType::Fifo,
                }
            }
        }

        impl From<Stat> for types::DescriptorStat {
            fn from(stat: Stat) -> types::DescriptorStat {
                types::DescriptorStat {
                    type_: stat.kind.into(),
                    link_count: stat.links,
                    size: stat.size_bytes,
                    data_access_timestamp: Some($time(stat.accessed)),
                    data_modification_timestamp: Some($time(stat.modified)),
                    status_change_timestamp: Some($time(stat.changed)),
                }
            }
        }

        impl From<Abilities> for types::DescriptorFlags {
            fn from(abilities: Abilities) -> types::DescriptorFlags {
                use types::DescriptorFlags as Flags;
                let Abilities { read, write, sync, data_sync, mutate_directory } = abilities;
                let flags = [
                    (read, Flags::READ),
                    (write, Flags::WRITE),
                    (sync, Flags::FILE_INTEGRITY_SYNC),
                    (data_sync, Flags::DATA_INTEGRITY_SYNC),
                    (mutate_directory, Flags::MUTATE_DIRECTORY),
                ];
                let set = flags.into_iter().filter(|(is_set, _)| *is_set);
                set.fold(Flags::empty(), |all, (_, flag)| all | flag)
            }
        }

        /// What a guest asks for when it opens a path.
        pub(super) fn open(
            path: types::PathFlags,
            open: types::OpenFlags,
            flags: types::DescriptorFlags,
        ) -> Open {
            use types::{DescriptorFlags as Flags, OpenFlags};
            Open {
                read: flags.contains(Flags::READ),
                write: flags.contains(Flags::WRITE),
                append: false,
                create: open.contains(OpenFlags::CREATE),
                exclusive: open.contains(OpenFlags::EXCLUSIVE),
                truncate: open.contains(OpenFlags::TRUNCATE),
                directory: open.contains(OpenFlags::DIRECTORY),
                follow: follows(path),
                sync: flags.intersects(Flags::FILE_INTEGRITY_SYNC | Flags::REQUESTED_WRITE_SYNC),
                data_sync: flags.contains(Flags::DATA_INTEGRITY_SYNC),
            }
        }

        /// Whether a symbolic link at the end of the path is followed.
        pub(super) fn follows(path: types::PathFlags) -> bool {
            path.contains(types::PathFlags::SYMLINK_FOLLOW)
        }

        pub(super) fn advice(advice: types::Advice) -> Advice {
            match advice {
                types::Advice::Normal => Advice::Normal,
                types::Advice::Sequential => Advice::Sequential,
                types::Advice::Random => Advice::Random,
                types::Advice::WillNeed => Advice::WillNeed,
                types::Advice::DontNeed => Advice::DontNeed,
                types::Advice::NoReuse => Advice::NoReuse,
            }
        }
    };
}

/// Arguments, environment variables, ending, and terminals; for the interfaces in scope. Named
/// are what asks for the working directory, and what terminals are.
macro_rules! cli_words {
    (cwd: $cwd:ident, terminals: $input:path, $output:path) => {
        impl environment::Host for Guest {
            fn get_environment(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
                Ok(self.env_pairs())
            }

            fn get_arguments(&mut self) -> wasmtime::Result<Vec<String>> {
                Ok(self.args.clone())
            }

            fn $cwd(&mut self) -> wasmtime::Result<Option<String>> {
                Ok(None)
            }
        }

        impl exit::Host for Guest {
            fn exit(&mut self, status: Result<(), ()>) -> wasmtime::Result<()> {
                Err(Exit(if status.is_ok() { 0 } else { 1 }).into_error(&self.quiet))
            }

            fn exit_with_code(&mut self, code: u8) -> wasmtime::Result<()> {
                Err(Exit(code.into()).into_error(&self.quiet))
            }
        }

        impl terminal_input::Host for Guest {}

        impl terminal_input::HostTerminalInput for Guest {
            fn drop(&mut self, terminal: Resource<$input>) -> wasmtime::Result<()> {
                self.holdings.resources.delete(terminal)?;
                Ok(())
            }
        }

        impl terminal_output::Host for Guest {}

        impl terminal_output::HostTerminalOutput for Guest {
            fn drop(&mut self, terminal: Resource<$output>) -> wasmtime::Result<()> {
                self.holdings.resources.delete(terminal)?;
                Ok(())
            }
        }

        impl terminal_stdin::Host for Guest {
            fn get_terminal_stdin(&mut self) -> wasmtime::Result<Option<Resource<$input>>> {
                let is_terminal = self.terminals.stdin;
                Ok(is_terminal.then(|| self.holdings.resources.push($input)).transpose()?)
            }
        }

        impl terminal_stdout::Host for Guest {
            fn get_terminal_stdout(&mut self) -> wasmtime::Result<Option<Resource<$output>>> {
                let is_terminal = self.terminals.stdout;
                Ok(is_terminal.then(|| self.holdings.resources.push($output)).transpose()?)
            }
        }

        impl terminal_stderr::Host for Guest {
            fn get_terminal_stderr(&mut self) -> wasmtime::Result<Option<Resource<$output>>> {
                let is_terminal = self.terminals.stderr;
                Ok(is_terminal.then(|| self.holdings.resources.push($output)).transpose()?)
            }
        }
    };
}

/// What a request is told word by word, in place of wasmtime's own functions: those take words of any length, and the host keeps
/// them with the request. For the `Method` in scope; named are the instance, and what a request is called there and here.
macro_rules! request_words {
    (instance: $instance:literal, resource: $resource:literal, request: $request:ty) => {
        fn bounded(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
            linker.allow_shadowing(true);
            let mut types = linker.instance($instance)?;
            types.func_wrap(
                concat!("[method]", $resource, ".set-method"),
                |mut store, (request, method): (Resource<$request>, Method)| {
                    let guest: &mut Guest = store.data_mut();
                    Ok((match &method {
                        Method::Other(word) if word.len() > WORD_BYTES_MAX => Err(()),
                        _ => guest.http().set_method(request, method)?,
                    },))
                },
            )?;
            types.func_wrap(
                concat!("[method]", $resource, ".set-authority"),
                |mut store, (request, authority): (Resource<$request>, Option<String>)| {
                    let guest: &mut Guest = store.data_mut();
                    Ok((match &authority {
                        Some(word) if word.len() > WORD_BYTES_MAX => Err(()),
                        _ => guest.http().set_authority(request, authority)?,
                    },))
                },
            )?;
            linker.allow_shadowing(false);
            Ok(())
        }
    };
}

pub(crate) use {cli_words, filesystem_words, request_words};
