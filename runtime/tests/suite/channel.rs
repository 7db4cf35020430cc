//! Files that exist for the guest alone, whose writes the embedder takes.

use std::sync::{Arc, Mutex};

use skrei_runtime::{ChannelSink, Ending, Mode, Mount, MountError, Sandbox};
use skrei_test_guests::{append, probe};

use crate::grounds::{Grounds, run};

#[derive(Default)]
struct Heard(Mutex<Vec<u8>>);

impl ChannelSink for Heard {
    fn write(&self, bytes: &[u8]) {
        self.0.lock().unwrap().extend_from_slice(bytes);
    }
}

impl Heard {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn what_a_guest_appends_to_a_channel_is_given_to_the_embedder() {
    let heard = Arc::new(Heard::default());
    for append in [append(), skrei_test_guests::p2::append(), skrei_test_guests::p3::append()] {
        let sandbox =
            Sandbox::new().arg("/told/here").mount(Mount::channel(heard.clone(), "/told/here")).unwrap();
        assert_eq!(run(append, sandbox).ending, Ending::Exited(0));
    }
    assert_eq!(heard.text(), "ran\nran\nran\n");
}

#[test]
fn a_channel_takes_writes_and_nothing_else() {
    let heard = Arc::new(Heard::default());
    let operations = [
        "write /told:here one",
        "read /told:here",
        "stat /told:here",
        "unlink /told:here",
        "open-create /told:other",
    ];
    let sandbox = Sandbox::new().args(operations).mount(Mount::channel(heard.clone(), "/told/here")).unwrap();
    let said = run(probe(), sandbox).stdout.to_string();
    assert_eq!(heard.text(), "one");
    let errno = |operation: &str| {
        said.lines().find_map(|line| line.strip_prefix(operation)?.strip_prefix(": ")).unwrap_or(&said)
    };
    assert_eq!(errno("stat /told:here"), "ok file");
    assert_eq!(errno("read /told:here"), "ACCES");
    assert_eq!(errno("unlink /told:here"), "BUSY");
    assert_eq!(errno("open-create /told:other"), "ACCES");
}

#[test]
fn a_channel_stands_beside_file_mounts_and_in_the_way_of_none() {
    let grounds = Grounds::new();
    let file = Mount::open(grounds.host("rw/file.txt"), "/told/file.txt", Mode::ReadWrite).unwrap();
    let heard = Arc::new(Heard::default());
    let sandbox = Sandbox::new()
        .args(["write /told:here one", "read /told:file.txt"])
        .mount(file)
        .unwrap()
        .mount(Mount::channel(heard.clone(), "/told/here"))
        .unwrap();
    let taken = Mount::channel(heard.clone(), "/told/file.txt");
    assert!(!sandbox.has_room_for(&taken));
    assert!(matches!(
        Sandbox::new().mount(Mount::channel(heard.clone(), "..")),
        Err(MountError::GuestPath { .. })
    ));
    let said = run(probe(), sandbox).stdout.to_string();
    assert!(said.contains("read /told:file.txt: ok"), "{said}");
    assert_eq!(heard.text(), "one");
}
