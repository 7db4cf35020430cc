//! What a guest asks for when it opens a path, and what it gets.

use super::{Dir, Errno, File, Kind, Mode, Result};

/// What a guest asks for when it opens a path.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Open {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    /// Make the file if it is missing (`O_CREAT`).
    pub(crate) create: bool,
    /// With `create`: fail if it is there (`O_EXCL`).
    pub(crate) exclusive: bool,
    /// Empty the file (`O_TRUNC`).
    pub(crate) truncate: bool,
    /// Fail unless it is a directory (`O_DIRECTORY`).
    pub(crate) directory: bool,
    /// Follow a symbolic link at the end of the path.
    pub(crate) follow: bool,
    /// Each write reaches the disk before it returns, metadata too (`O_SYNC`).
    pub(crate) sync: bool,
    /// Each write reaches the disk before it returns (`O_DSYNC`).
    pub(crate) data_sync: bool,
}

/// What opening a path gave.
pub(crate) enum Opened {
    Dir(Dir),
    File(File),
}

impl Open {
    /// Judges the request against what is at the path now (`None`: nothing). The order of the checks is
    /// Linux's, so that a guest sees the same answer as a program on a filesystem mounted in that mode.
    pub(crate) fn permit(&self, found: Option<Kind>, mode: Mode) -> Result<()> {
        let read_only = mode == Mode::ReadOnly;
        let Some(kind) = found else {
            return match (self.create, read_only) {
                (false, _) => Err(Errno::NoEnt),
                (true, _) if self.directory => Err(Errno::Inval),
                (true, true) => Err(Errno::Rofs),
                (true, false) => Ok(()),
            };
        };
        if self.create && self.exclusive {
            return Err(Errno::Exist);
        }
        match kind {
            Kind::Symlink => Err(if self.directory { Errno::NotDir } else { Errno::Loop }),
            Kind::Directory if self.changes() || self.create => Err(Errno::IsDir),
            Kind::Directory => Ok(()),
            _ if self.directory => Err(Errno::NotDir),
            Kind::Regular if self.changes() && read_only => Err(Errno::Rofs),
            Kind::Regular => Ok(()),
            // Opening these can wait for a peer or act on hardware; no grant of files means that.
            _ => Err(Errno::Access),
        }
    }

    fn changes(&self) -> bool {
        self.write || self.truncate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Open = Open {
        read: true,
        write: false,
        append: false,
        create: false,
        exclusive: false,
        truncate: false,
        directory: false,
        follow: true,
        sync: false,
        data_sync: false,
    };

    #[test]
    fn truncating_needs_a_writable_mount_even_when_opened_for_reading() {
        let open = Open { truncate: true, ..READ };
        assert_eq!(open.permit(Some(Kind::Regular), Mode::ReadOnly), Err(Errno::Rofs));
        assert_eq!(open.permit(Some(Kind::Regular), Mode::ReadWrite), Ok(()));
    }

    #[test]
    fn creating_what_is_there_reads_it_in_a_read_only_mount() {
        let open = Open { create: true, ..READ };
        assert_eq!(open.permit(Some(Kind::Regular), Mode::ReadOnly), Ok(()));
        assert_eq!(open.permit(None, Mode::ReadOnly), Err(Errno::Rofs));
    }

    #[test]
    fn only_regular_files_and_directories_are_opened() {
        for kind in [Kind::Fifo, Kind::CharDevice, Kind::BlockDevice, Kind::Socket, Kind::Unknown] {
            assert_eq!(READ.permit(Some(kind), Mode::ReadWrite), Err(Errno::Access), "{kind:?}");
        }
    }
}
