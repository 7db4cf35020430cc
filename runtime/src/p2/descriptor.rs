//! `wasi:filesystem`: each call finds its descriptors, and `fs` does the rest.

use wasmtime::component::Resource;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::bindings::filesystem::preopens;
use super::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode, Host, HostDescriptor,
    HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use super::convert;
use super::file_stream::{BYTES_MAX, FileReader, FileWriter};
use crate::component::{Descriptor, EntryStream, Failure, identity_hash};
use crate::fs::Errno;
use crate::guest::Guest;

type Result<T = ()> = std::result::Result<T, Failure>;
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

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime_wasi_io::streams::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        let error = self.holdings.resources.get(&error)?;
        Ok(error.downcast_ref::<Errno>().map(|errno| (*errno).into()))
    }
}

impl Guest {
    fn descriptor(&self, fd: &Fd) -> Result<Descriptor> {
        self.holdings.descriptor(fd).map_err(Failure::Trap)
    }

    fn writer(&mut self, writer: FileWriter) -> Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(writer);
        Ok(self.holdings.resources.push(stream)?)
    }
}

impl HostDescriptor for Guest {
    fn read_via_stream(&mut self, fd: Fd, offset: u64) -> Result<Resource<DynInputStream>> {
        let file = self.descriptor(&fd)?.readable()?.clone();
        let stream: DynInputStream = Box::new(FileReader::new(file, offset));
        Ok(self.holdings.resources.push(stream)?)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: u64) -> Result<Resource<DynOutputStream>> {
        let file = self.descriptor(&fd)?.writable()?.clone();
        self.writer(FileWriter::at(file, offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> Result<Resource<DynOutputStream>> {
        let file = self.descriptor(&fd)?.writable()?.clone();
        self.writer(FileWriter::at_end(file))
    }

    fn read(&mut self, fd: Fd, bytes: u64, offset: u64) -> Result<(Vec<u8>, bool)> {
        let descriptor = self.descriptor(&fd)?;
        let mut buffer = vec![0; usize::try_from(bytes).unwrap_or(usize::MAX).min(BYTES_MAX)];
        let read = descriptor.file(Errno::IsDir)?.read_at(&mut buffer, offset)?;
        buffer.truncate(read);
        Ok((buffer, read == 0 && bytes > 0))
    }

    fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: u64) -> Result<u64> {
        let descriptor = self.descriptor(&fd)?;
        let most = bytes.len().min(BYTES_MAX);
        Ok(descriptor.file(Errno::BadF)?.write_at(&bytes[..most], offset)? as u64)
    }

    fn advise(&mut self, fd: Fd, offset: u64, bytes: u64, advice: Advice) -> Result {
        Ok(self.descriptor(&fd)?.advise(offset, bytes, convert::advice(advice))?)
    }

    fn sync_data(&mut self, fd: Fd) -> Result {
        Ok(self.descriptor(&fd)?.sync_data()?)
    }

    fn sync(&mut self, fd: Fd) -> Result {
        Ok(self.descriptor(&fd)?.sync()?)
    }

    fn get_flags(&mut self, fd: Fd) -> Result<DescriptorFlags> {
        Ok(self.descriptor(&fd)?.abilities().into())
    }

    fn get_type(&mut self, fd: Fd) -> Result<DescriptorType> {
        Ok(match self.descriptor(&fd)? {
            Descriptor::Dir(_) => DescriptorType::Directory,
            Descriptor::File(_) => DescriptorType::RegularFile,
        })
    }

    fn set_size(&mut self, fd: Fd, bytes: u64) -> Result {
        Ok(self.descriptor(&fd)?.file(Errno::BadF)?.set_size(bytes)?)
    }

    fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> Result {
        Ok(self.descriptor(&fd)?.set_times(convert::times(accessed, modified)?)?)
    }

    fn stat(&mut self, fd: Fd) -> Result<DescriptorStat> {
        Ok(self.descriptor(&fd)?.stat()?.into())
    }

    fn is_same_object(&mut self, fd: Fd, other: Fd) -> wasmtime::Result<bool> {
        let (mine, theirs) = (self.holdings.descriptor(&fd)?, self.holdings.descriptor(&other)?);
        Ok(mine.is_same(&theirs).unwrap_or(false))
    }

    fn metadata_hash(&mut self, fd: Fd) -> Result<MetadataHashValue> {
        let (lower, upper) = identity_hash(&self.descriptor(&fd)?.stat()?);
        Ok(MetadataHashValue { lower, upper })
    }

    fn read_directory(&mut self, fd: Fd) -> Result<Resource<EntryStream>> {
        let stream = EntryStream::new(&self.descriptor(&fd)?, self.holdings.room()?)?;
        Ok(self.holdings.resources.push(stream)?)
    }

    fn create_directory_at(&mut self, fd: Fd, path: String) -> Result {
        Ok(self.descriptor(&fd)?.dir()?.create_dir(&path)?)
    }

    fn stat_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> Result<DescriptorStat> {
        Ok(self.descriptor(&fd)?.dir()?.stat_at(&path, convert::follows(flags))?.into())
    }

    fn metadata_hash_at(&mut self, fd: Fd, flags: PathFlags, path: String) -> Result<MetadataHashValue> {
        let stat = self.descriptor(&fd)?.dir()?.stat_at(&path, convert::follows(flags))?;
        let (lower, upper) = identity_hash(&stat);
        Ok(MetadataHashValue { lower, upper })
    }

    fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> Result {
        let times = convert::times(accessed, modified)?;
        Ok(self.descriptor(&fd)?.dir()?.set_times_at(&path, convert::follows(flags), times)?)
    }

    fn link_at(&mut self, fd: Fd, flags: PathFlags, old: String, to: Fd, new: String) -> Result {
        // Following is optional in POSIX, and no C library asks for it.
        if convert::follows(flags) {
            return Err(Errno::Inval.into());
        }
        let (dir, to) = (self.descriptor(&fd)?, self.descriptor(&to)?);
        Ok(dir.dir()?.link(&old, to.dir()?, &new)?)
    }

    fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Fd> {
        let open = convert::open(path_flags, open_flags, flags);
        let opened = self.descriptor(&fd)?.open_at(&path, &open, self.holdings.room()?)?;
        Ok(self.holdings.resources.push(opened)?)
    }

    fn readlink_at(&mut self, fd: Fd, path: String) -> Result<String> {
        Ok(self.descriptor(&fd)?.dir()?.read_link(&path)?)
    }

    fn remove_directory_at(&mut self, fd: Fd, path: String) -> Result {
        Ok(self.descriptor(&fd)?.dir()?.remove_dir(&path)?)
    }

    fn rename_at(&mut self, fd: Fd, old: String, to: Fd, new: String) -> Result {
        let (dir, to) = (self.descriptor(&fd)?, self.descriptor(&to)?);
        Ok(dir.dir()?.rename(&old, to.dir()?, &new)?)
    }

    fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> Result {
        Ok(self.descriptor(&fd)?.dir()?.symlink(&target, &path)?)
    }

    fn unlink_file_at(&mut self, fd: Fd, path: String) -> Result {
        Ok(self.descriptor(&fd)?.dir()?.remove_file(&path)?)
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.holdings.resources.delete(fd)?;
        Ok(())
    }
}

impl HostDirectoryEntryStream for Guest {
    fn read_directory_entry(&mut self, stream: Resource<EntryStream>) -> Result<Option<DirectoryEntry>> {
        let entry = self.holdings.resources.get_mut(&stream)?.next()?;
        Ok(entry.map(|(name, kind)| DirectoryEntry { type_: kind.into(), name }))
    }

    fn drop(&mut self, stream: Resource<EntryStream>) -> wasmtime::Result<()> {
        self.holdings.resources.delete(stream)?;
        Ok(())
    }
}
