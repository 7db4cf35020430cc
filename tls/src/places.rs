//! How many connections there may be, and of whom.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use crate::Client;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// One client may have this share of all places, and at least one.
const SHARE_OF_ONE: usize = 4;

/// Places for connections. One client alone cannot take them all: it may have a fourth of them.
#[derive(Clone, Debug)]
pub struct Places {
    room: Arc<Semaphore>,
    taken: Arc<Mutex<HashMap<Client, usize>>>,
    of_one: usize,
}

/// Room for one connection, whoever it will be of.
#[derive(Debug)]
pub struct Room {
    _permit: OwnedSemaphorePermit,
}

/// A connection's place; given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    client: Client,
    taken: Arc<Mutex<HashMap<Client, usize>>>,
    _room: Room,
}

impl Places {
    /// So many, at least one.
    pub fn new(count: usize) -> Self {
        let count = count.clamp(1, Semaphore::MAX_PERMITS);
        let of_one = count.div_ceil(SHARE_OF_ONE);
        Self { room: Arc::new(Semaphore::new(count)), taken: Arc::default(), of_one }
    }

    /// Waits until there is room for one more.
    pub async fn room(&self) -> Option<Room> {
        // Never closed.
        Arc::clone(&self.room).acquire_owned().await.ok().map(|permit| Room { _permit: permit })
    }

    /// The place of a client's connection; none if it has as many as it may.
    pub fn place(&self, room: Room, address: IpAddr) -> Option<Place> {
        let client = Client::from(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_client = taken.entry(client).or_default();
        if *of_client >= self.of_one {
            return None;
        }
        *of_client += 1;
        Some(Place { client, taken: Arc::clone(&self.taken), _room: room })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of_client) = taken.get_mut(&self.client) {
            *of_client -= 1;
            if *of_client == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_client_leaves_room_for_others_and_what_is_given_back_can_be_taken_again() {
        let places = Places::new(8);
        let (greedy, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let take = async |address| places.place(places.room().await.unwrap(), address);
        let held = [take(greedy).await.unwrap(), take(greedy).await.unwrap()];
        assert!(take(greedy).await.is_none());
        let others = take(other).await.unwrap();
        drop(held);
        let again = take(greedy).await.unwrap();
        assert_eq!(places.room.available_permits(), 6);
        drop((others, again));
        assert!(places.taken.lock().unwrap().is_empty(), "nobody is remembered who has left");
    }
}
