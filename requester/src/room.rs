//! Room on the disk for content of one kind: for what is held, and for what is on its way and was promised a place.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// So many bytes and no more. Cheap to clone; all clones are the same room.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    used: Arc<AtomicU64>,
    bytes_max: u64,
}

impl Room {
    /// One that is empty.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { used: Arc::default(), bytes_max }
    }

    /// The most that fits.
    pub(crate) fn bytes_max(&self) -> u64 {
        self.bytes_max
    }

    /// A place of this size, if there is one. There is always one for nothing, also where more is held than may be.
    pub(crate) fn reserve(&self, bytes: u64) -> Option<Place> {
        let fits = |used: u64| used.checked_add(bytes).filter(|used| bytes == 0 || *used <= self.bytes_max);
        let reserved = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        reserved.ok().map(|_| Place { room: self.clone(), bytes })
    }

    /// The place of what is on the disk already, whether it fits or not.
    pub(crate) fn occupied(&self, bytes: u64) -> Place {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Place { room: self.clone(), bytes }
    }

    /// What was held is gone.
    pub(crate) fn free(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}

/// A place that is kept free; given back when this is dropped, unless something is held there.
#[derive(Debug)]
pub(crate) struct Place {
    room: Room,
    bytes: u64,
}

impl Place {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Both places as one.
    pub(crate) fn join(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Something is held there from now on, until [`Room::free`].
    pub(crate) fn hold(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.free(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_unless_something_is_held_there() {
        let room = Room::new(10);
        let mut place = room.reserve(6).unwrap();
        assert!(room.reserve(5).is_none() && room.reserve(u64::MAX).is_none());
        place.join(room.reserve(4).unwrap());
        assert_eq!((place.bytes(), room.used()), (10, 10));
        drop(place);
        room.reserve(7).unwrap().hold();
        assert_eq!(room.used(), 7);
        room.free(7);
        assert_eq!(room.used(), 0);
        let over = room.occupied(12);
        assert!(room.reserve(1).is_none() && room.reserve(0).is_some());
        drop(over);
        assert!(room.reserve(10).is_some());
    }
}
