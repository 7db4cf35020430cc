//! A file that is renamed to a name with a mode of its own.

use std::fs;

use cap_std::fs::{Dir as HostDir, PermissionsExt as _};

use super::ownership::{self, Permissions};
use super::removal::hold;
use super::terms::Terms;
use super::{Errno, Kind, Result, Stat};

/// A file on its way to a name that has a mode. Until it is there it has nothing that either name would not give
/// it, so that it is never open to more than one of them says.
pub(super) struct Landing {
    file: fs::File,
    mode: Permissions,
}

impl Landing {
    /// None if renaming changes no mode here: nothing is said of single names, or it is no file.
    pub(super) fn prepare(dir: &HostDir, old: &str, name: &str, terms: &Terms) -> Result<Option<Landing>> {
        if terms.ownership.named.is_empty() {
            return Ok(None);
        }
        let Some(mode) = terms.ownership.file_mode(name) else { return Ok(None) };
        let metadata = dir.symlink_metadata(old)?;
        let stat = Stat::from(&metadata);
        let now = metadata.permissions().mode() & 0o777;
        if stat.kind != Kind::Regular || now == mode.bits() {
            return Ok(None);
        }
        let file = hold(dir, old, stat.identity()).ok_or(Errno::Access)?;
        let both = Permissions::new(now & mode.bits()).ok_or(Errno::Inval)?;
        ownership::set_mode(&file, both)?;
        Ok(Some(Landing { file, mode }))
    }

    /// It is there.
    pub(super) fn done(self) -> Result<()> {
        ownership::set_mode(&self.file, self.mode)
    }
}
