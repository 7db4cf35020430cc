//! `wasi:filesystem`: each call finds its descriptors, and `fs` does the rest.

use tokio::sync::oneshot;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, StreamReader};

use super::bindings::filesystem::preopens;
use super::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Host, HostDescriptor,
    HostDescriptorWithStore, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use super::file_stream::{Ending, FileReader, FileWriter};
use super::listing::Lister;
use super::pace::Pace;
use super::{Own, convert};
use crate::component::{Descriptor, EntryStream, Failure, identity_hash};
use crate::fs::{Errno, Result as Done};
use crate::guest::Guest;

type Result<T = ()> = std::result::Result<T, Failure>;
type Ended = FutureReader<std::result::Result<(), ErrorCode>>;
type Fd = Resource<Descriptor>;

impl preopens::Host for Guest {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        self.holdings.preopens()
    }
}

impl Host for Guest {
    fn convert_error_code(&mut self, failure: Failure) -> wasmtime::Result<ErrorCode> {
        match failure {
            Failure::Told(errno) => Ok(errno.into()),
            Failure::Trap(error) => Err(error),
        }
    }
}

impl HostDescriptor for Guest {
    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.holdings.resources.delete(fd)?;
        Ok(())
    }
}

/// What a descriptor does, at once: nothing in a filesystem waits for anybody.
fn at<U, T>(store: &Accessor<U, Own>, fd: &Fd, operation: impl FnOnce(&Descriptor) -> Done<T>) -> Result<T> {
    let descriptor = store.with(|mut store| store.get().holdings.descriptor(fd)).map_err(Failure::Trap)?;
    Ok(operation(&descriptor)?)
}

/// What two descriptors do.
fn between<U, T>(
    store: &Accessor<U, Own>,
    (fd, other): (&Fd, &Fd),
    operation: impl FnOnce(&Descriptor, &Descriptor) -> Done<T>,
) -> Result<T> {
    let other = store.with(|mut store| store.get().holdings.descriptor(other)).map_err(Failure::Trap)?;
    at(store, fd, |descriptor| operation(descriptor, &other))
}

/// Takes what a guest writes into a file, from `offset` or at its end.
fn write<U>(
    mut store: Access<'_, U, Own>,
    fd: &Fd,
    mut data: StreamReader<u8>,
    offset: Option<u64>,
) -> wasmtime::Result<Ended> {
    let (sender, ended) = oneshot::channel();
    let mut ending = Ending::new(sender);
    let descriptor = store.get().holdings.descriptor(fd)?;
    match descriptor.writable() {
        Ok(file) => {
            let file = file.clone();
            data.pipe(&mut store, FileWriter { file, offset, ending, pace: Pace::default() })?;
        }
        Err(errno) => {
            data.close(&mut store)?;
            ending.say(Err(errno));
        }
    }
    FutureReader::new(&mut store, ended)
}

impl<U> HostDescriptorWithStore<U> for Own {
    fn read_via_stream(
        mut store: Access<'_, U, Self>,
        fd: Fd,
        offset: u64,
    ) -> wasmtime::Result<(StreamReader<u8>, Ended)> {
        let (sender, ended) = oneshot::channel();
        let mut ending = Ending::new(sender);
        let descriptor = store.get().holdings.descriptor(&fd)?;
        let stream = match descriptor.readable() {
            Ok(file) => {
                let file = file.clone();
                StreamReader::new(&mut store, FileReader { file, offset, ending, pace: Pace::default() })?
            }
            Err(errno) => {
                ending.say(Err(errno));
                StreamReader::new(&mut store, std::iter::empty())?
            }
        };
        Ok((stream, FutureReader::new(&mut store, ended)?))
    }

    fn write_via_stream(
        store: Access<'_, U, Self>,
        fd: Fd,
        data: StreamReader<u8>,
        offset: u64,
    ) -> wasmtime::Result<Ended> {
        write(store, &fd, data, Some(offset))
    }

    fn append_via_stream(
        store: Access<'_, U, Self>,
        fd: Fd,
        data: StreamReader<u8>,
    ) -> wasmtime::Result<Ended> {
        write(store, &fd, data, None)
    }

    fn read_directory(
        mut store: Access<'_, U, Self>,
        fd: Fd,
    ) -> wasmtime::Result<(StreamReader<DirectoryEntry>, Ended)> {
        let (sender, ended) = oneshot::channel();
        let mut ending = Ending::new(sender);
        let holdings = &mut store.get().holdings;
        let descriptor = holdings.descriptor(&fd)?;
        let entries = holdings.room().and_then(|permit| EntryStream::new(&descriptor, permit));
        let stream = match entries {
            Ok(entries) => StreamReader::new(&mut store, Lister { entries, ending })?,
            Err(errno) => {
                ending.say(Err(errno));
                StreamReader::new(&mut store, std::iter::empty())?
            }
        };
        Ok((stream, FutureReader::new(&mut store, ended)?))
    }

    async fn advise(store: &Accessor<U, Self>, fd: Fd, offset: u64, bytes: u64, advice: Advice) -> Result {
        at(store, &fd, |fd| fd.advise(offset, bytes, convert::advice(advice)))
    }

    async fn sync_data(store: &Accessor<U, Self>, fd: Fd) -> Result {
        at(store, &fd, Descriptor::sync_data)
    }

    async fn sync(store: &Accessor<U, Self>, fd: Fd) -> Result {
        at(store, &fd, Descriptor::sync)
    }

    async fn get_flags(store: &Accessor<U, Self>, fd: Fd) -> Result<DescriptorFlags> {
        at(store, &fd, |fd| Ok(fd.abilities().into()))
    }

    async fn get_type(store: &Accessor<U, Self>, fd: Fd) -> Result<DescriptorType> {
        at(store, &fd, |fd| {
            Ok(match fd {
                Descriptor::Dir(_) => DescriptorType::Directory,
                Descriptor::File(_) => DescriptorType::RegularFile,
            })
        })
    }

    async fn set_size(store: &Accessor<U, Self>, fd: Fd, bytes: u64) -> Result {
        at(store, &fd, |fd| fd.file(Errno::BadF)?.set_size(bytes))
    }

    async fn set_times(
        store: &Accessor<U, Self>,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result {
        at(store, &fd, |fd| fd.set_times(convert::times(accessed, modified)?))
    }

    async fn stat(store: &Accessor<U, Self>, fd: Fd) -> Result<DescriptorStat> {
        at(store, &fd, |fd| Ok(fd.stat()?.into()))
    }

    async fn is_same_object(store: &Accessor<U, Self>, fd: Fd, other: Fd) -> wasmtime::Result<bool> {
        match between(store, (&fd, &other), Descriptor::is_same) {
            Ok(same) => Ok(same),
            Err(Failure::Told(_)) => Ok(false),
            Err(Failure::Trap(error)) => Err(error),
        }
    }

    async fn metadata_hash(store: &Accessor<U, Self>, fd: Fd) -> Result<MetadataHashValue> {
        let (lower, upper) = at(store, &fd, |fd| Ok(identity_hash(&fd.stat()?)))?;
        Ok(MetadataHashValue { lower, upper })
    }

    async fn metadata_hash_at(
        store: &Accessor<U, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> Result<MetadataHashValue> {
        let (lower, upper) =
            at(store, &fd, |fd| Ok(identity_hash(&fd.dir()?.stat_at(&path, convert::follows(flags))?)))?;
        Ok(MetadataHashValue { lower, upper })
    }

    async fn create_directory_at(store: &Accessor<U, Self>, fd: Fd, path: String) -> Result {
        at(store, &fd, |fd| fd.dir()?.create_dir(&path))
    }

    async fn stat_at(
        store: &Accessor<U, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> Result<DescriptorStat> {
        at(store, &fd, |fd| Ok(fd.dir()?.stat_at(&path, convert::follows(flags))?.into()))
    }

    async fn set_times_at(
        store: &Accessor<U, Self>,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result {
        at(store, &fd, |fd| {
            let times = convert::times(accessed, modified)?;
            fd.dir()?.set_times_at(&path, convert::follows(flags), times)
        })
    }

    async fn link_at(
        store: &Accessor<U, Self>,
        fd: Fd,
        flags: PathFlags,
        old: String,
        to: Fd,
        new: String,
    ) -> Result {
        // Following is optional in POSIX, and no C library asks for it.
        if convert::follows(flags) {
            return Err(Errno::Inval.into());
        }
        between(store, (&fd, &to), |fd, to| fd.dir()?.link(&old, to.dir()?, &new))
    }

    async fn open_at(
        store: &Accessor<U, Self>,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Fd> {
        let open = convert::open(path_flags, open_flags, flags);
        store.with(|mut store| {
            let holdings = &mut store.get().holdings;
            let dir = holdings.descriptor(&fd).map_err(Failure::Trap)?;
            let opened = dir.open_at(&path, &open, holdings.room()?)?;
            Ok(holdings.resources.push(opened)?)
        })
    }

    async fn readlink_at(store: &Accessor<U, Self>, fd: Fd, path: String) -> Result<String> {
        at(store, &fd, |fd| fd.dir()?.read_link(&path))
    }

    async fn remove_directory_at(store: &Accessor<U, Self>, fd: Fd, path: String) -> Result {
        at(store, &fd, |fd| fd.dir()?.remove_dir(&path))
    }

    async fn rename_at(store: &Accessor<U, Self>, fd: Fd, old: String, to: Fd, new: String) -> Result {
        between(store, (&fd, &to), |fd, to| fd.dir()?.rename(&old, to.dir()?, &new))
    }

    async fn symlink_at(store: &Accessor<U, Self>, fd: Fd, target: String, path: String) -> Result {
        at(store, &fd, |fd| fd.dir()?.symlink(&target, &path))
    }

    async fn unlink_file_at(store: &Accessor<U, Self>, fd: Fd, path: String) -> Result {
        at(store, &fd, |fd| fd.dir()?.remove_file(&path))
    }
}
