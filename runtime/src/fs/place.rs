//! Where the guest finds its mounts.

use super::{Mount, MountError, path};

/// Where the guest finds a mount: a preopened directory, or one entry in one.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) preopen: String,
    pub(super) entry: Option<String>,
}

/// A mount that was judged, and where the guest finds it.
#[derive(Debug)]
pub(crate) struct Granted {
    pub(crate) mount: Mount,
    pub(super) place: Place,
}

impl Place {
    /// That of a mount, judged by itself and beside those granted before it.
    pub(crate) fn beside(mount: &Mount, earlier: &[Granted]) -> Result<Place, MountError> {
        let place = mount.place()?;
        match earlier.iter().find(|other| other.place.collides(&place)) {
            Some(other) => {
                let (first, second) = (other.mount.guest_path.clone(), mount.guest_path.clone());
                Err(MountError::Collision { first, second })
            }
            None => Ok(place),
        }
    }

    /// Whether a guest could not tell the two apart.
    fn collides(&self, other: &Place) -> bool {
        path::without_root(&self.preopen) == path::without_root(&other.preopen)
            && match (&self.entry, &other.entry) {
                (Some(mine), Some(theirs)) => mine == theirs,
                _ => true,
            }
    }
}

impl Granted {
    /// Grants a mount beside those granted before it.
    pub(crate) fn beside(mount: Mount, earlier: &[Granted]) -> Result<Granted, MountError> {
        let place = Place::beside(&mount, earlier)?;
        Ok(Granted { mount, place })
    }
}
