//! The room that a component's sockets take.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak};

use super::{OpenFiles, Permit};
use crate::fs::Result;
use crate::share::Share;

/// Room for a socket and what comes of it: there as long as anybody has it. A handle alone would not do, which a guest may
/// drop and keep the streams of its connection.
pub(crate) type Room = Arc<Place>;

/// What a socket takes of what its guest may have open.
pub(crate) struct Place {
    _socket: Permit,
    /// Of a socket that others call: for the next of them, whom the host has before the guest does.
    next: OnceLock<Permit>,
}

/// The room that a component's sockets take.
#[derive(Default)]
pub(super) struct Sockets {
    /// That of each, by its handle.
    rooms: HashMap<u32, Room>,
    callers: Callers,
    /// Sockets that are called through a stream of callers. Some are gone.
    called: Vec<Weak<Place>>,
}

/// Room for those who called and were let in through a stream, and of whose sockets nothing was heard since.
#[derive(Clone, Default)]
struct Callers(Share<Vec<Permit>>);

/// Lets callers of one socket in. Part of the socket itself, of the stream of its callers, and of those it let in, and so is its
/// room: a listener counts as long as any of them is there.
#[derive(Clone)]
pub(super) struct Doorkeeper {
    open: OpenFiles,
    callers: Callers,
    _room: Room,
}

impl Sockets {
    /// One is there, with this handle.
    pub(super) fn made(&mut self, handle: u32, room: Room) {
        self.rooms.insert(handle, room);
    }

    /// Its handle is no more.
    pub(super) fn dropped(&mut self, handle: u32) {
        self.rooms.remove(&handle);
    }

    pub(super) fn room(&self, handle: u32) -> Option<Room> {
        self.rooms.get(&handle).map(Arc::clone)
    }

    /// The room of a socket that came in through a stream and is heard of for the first time.
    pub(super) fn came_in(&mut self, handle: u32) -> Option<Room> {
        let permit = self.callers.0.lock().pop()?;
        let room = room(permit);
        self.rooms.insert(handle, Arc::clone(&room));
        Some(room)
    }

    /// What lets callers in to a socket with this room.
    pub(super) fn doorkeeper(&self, room: &Room, open: &OpenFiles) -> Doorkeeper {
        Doorkeeper { open: open.clone(), callers: self.callers.clone(), _room: Arc::clone(room) }
    }

    /// A socket is going to be called. `EMFILE` or `ENFILE` if there is no room for the first who calls.
    pub(super) fn is_called(&mut self, handle: u32, open: &OpenFiles) -> Result<()> {
        let Some(room) = self.rooms.get(&handle) else { return Ok(()) };
        if room.next.get().is_none() {
            // Nobody else sets it.
            let _ = room.next.set(open.take_connection()?);
            self.called.retain(|room| room.strong_count() > 0);
            self.called.push(Arc::downgrade(room));
        }
        Ok(())
    }

    /// Gives back the room of callers whom nobody heard of before the stream with them was dropped. So many sockets are
    /// there.
    pub(super) fn forget_lost(&mut self, there: usize) {
        self.called.retain(|room| room.strong_count() > 0);
        // Each stream may have one more caller in hand.
        let most = there.saturating_sub(self.rooms.len()).saturating_add(self.called.len());
        self.callers.0.lock().truncate(most);
    }
}

impl Doorkeeper {
    /// Lets a caller in as soon as there is room for the next. Those after it wait with the host's network, as they do for
    /// every server that does not accept them.
    pub(super) async fn lets_in(self) -> bool {
        let Ok(permit) = self.open.wait_for_connection().await else { return false };
        self.callers.0.lock().push(permit);
        true
    }
}

/// Room for one socket.
pub(super) fn room(permit: Permit) -> Room {
    Arc::new(Place { _socket: permit, next: OnceLock::new() })
}
