use bytes::Bytes;
use tempfile::TempDir;

use super::*;

struct Folder {
    directory: TempDir,
    room: Room,
    incoming: Incoming,
}

impl Folder {
    fn new(bytes_max: u64) -> Self {
        let (directory, room) = (tempfile::tempdir().unwrap(), Room::new(bytes_max));
        let incoming = Incoming::open(directory.path().join("incoming"), room.clone()).unwrap();
        Self { directory, room, incoming }
    }

    /// Offers a piece of a content; how much there is then.
    async fn offer(&self, slot: &str, whole: &[u8], offset: u64, piece: &'static [u8]) -> u64 {
        let (digest, size) = (Digest::of(whole), whole.len() as u64);
        let whole = Whole { slot: slot.to_owned(), digest, size };
        match self.incoming.next(whole, offset).unwrap() {
            Next::At(received) => received,
            Next::Piece(turn) => {
                turn.promise(self.room.reserve(turn.lacks()).unwrap());
                turn.add(Bytes::from_static(piece)).await.unwrap().received()
            }
        }
    }

    fn files(&self) -> usize {
        fs::read_dir(self.directory.path().join("incoming")).unwrap().count()
    }
}

#[tokio::test]
async fn a_slot_has_one_content_on_its_way_and_pays_for_the_whole_before_the_first_byte() {
    let folder = Folder::new(100);
    assert_eq!(folder.offer("e-1", b"0123456789", 0, b"012").await, 3);
    assert_eq!((folder.files(), folder.room.used()), (1, 10));
    assert_eq!(folder.offer("e-1", b"0123456789", 1, b"12").await, 3, "not the next piece");
    assert_eq!(folder.offer("e-1", b"abcdef", 3, b"def").await, 0, "other content begins at its beginning");
    assert_eq!((folder.files(), folder.room.used()), (1, 10), "and was not begun");
    assert_eq!(folder.offer("e-1", b"abcdef", 0, b"abc").await, 3);
    assert_eq!((folder.files(), folder.room.used()), (1, 6), "in the place of the other");
    assert_eq!(folder.offer("e-2", b"xy", 1, b"y").await, 0);
    assert_eq!((folder.files(), folder.incoming.received("e-2")), (1, 0));
}

#[tokio::test]
async fn what_is_whole_is_checked_and_what_is_wrong_leaves_nothing() {
    let folder = Folder::new(100);
    let place = folder.directory.path().join("whole");
    for (content, is_right) in [(b"abc", true), (b"abx", false)] {
        let whole = Whole { slot: "e-1".to_owned(), digest: Digest::of(b"abc"), size: 3 };
        let Next::Piece(turn) = folder.incoming.next(whole, 0).unwrap() else { panic!("the first piece") };
        turn.promise(folder.room.reserve(turn.lacks()).unwrap());
        let finished = turn.add(Bytes::from_static(content)).await.unwrap().finish(place.clone()).await;
        assert_eq!(finished.is_ok(), is_right, "{finished:?}");
        assert_eq!((folder.files(), folder.room.used()), (0, 3), "what is whole is held");
    }
    assert_eq!(fs::read(place).unwrap(), b"abc");
}

#[tokio::test]
async fn what_does_not_grow_any_more_is_removed_while_the_orchestrator_runs() {
    let folder = Folder::new(100);
    folder.offer("e-1", b"0123456789", 0, b"012").await;
    let later = |time| SystemTime::now() + time;
    assert_eq!(folder.incoming.expire(later(UNFINISHED_KEPT / 2)).await, 0);
    assert_eq!(folder.incoming.spare().await, 0, "it has just grown");
    assert_eq!(folder.incoming.expire(later(UNFINISHED_KEPT * 2)).await, 1);
    assert_eq!((folder.files(), folder.room.used()), (0, 0));
}

#[tokio::test]
async fn what_was_on_its_way_goes_on_after_a_restart_and_has_its_place() {
    let mut folder = Folder::new(100);
    folder.offer("e-1", b"0123456789", 0, b"012").await;
    fs::write(folder.directory.path().join("incoming/odd"), b"?").unwrap();
    folder.room = Room::new(100);
    folder.incoming = Incoming::open(folder.directory.path().join("incoming"), folder.room.clone()).unwrap();
    assert_eq!((folder.files(), folder.room.used()), (1, 3));
    assert_eq!(folder.offer("e-1", b"0123456789", 3, b"345").await, 6);
    assert_eq!(folder.room.used(), 10);
}

#[tokio::test]
async fn one_at_a_time_changes_what_has_come_in() {
    let folder = Folder::new(100);
    let whole = Whole { slot: "e-1".to_owned(), digest: Digest::of(b"abc"), size: 3 };
    let turn = folder.incoming.next(whole.clone(), 0).unwrap();
    assert!(matches!(folder.incoming.next(whole.clone(), 0), Err(Error::Busy)));
    assert_eq!(folder.incoming.expire(SystemTime::now() + UNFINISHED_KEPT * 2).await, 0);
    drop(turn);
    assert!(matches!(folder.incoming.next(whole, 0), Ok(Next::Piece(_))));
}
