//! Mode and owner of what a guest makes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use skrei_runtime::{Mode, Mount, Owner, Ownership, Permissions, Sandbox};

use crate::escape::Swapper;
use crate::grounds::{Grounds, attempt, check, in_each_world};

in_each_world! {
    what_is_made_has_the_mounts_mode_and_what_was_there_keeps_its_own
    a_file_that_nobody_may_write_can_be_written_by_the_one_that_makes_it
    a_file_moved_into_place_lands_with_the_mode_of_its_name
    what_is_made_has_the_mounts_owner_before_the_guest_has_it_or_is_not_made
    a_swapped_directory_gives_nothing_outside_a_mode_or_an_owner
}

fn sandbox(grounds: &Grounds, ownership: Ownership) -> Sandbox {
    let mount = Mount::open(grounds.host("rw"), "/rw", Mode::ReadWrite).unwrap();
    Sandbox::new().mount(mount.ownership(ownership)).unwrap()
}

fn mode(mode: u32) -> Option<Permissions> {
    Some(Permissions::new(mode).unwrap())
}

fn mode_of(grounds: &Grounds, path: &str) -> u32 {
    fs::metadata(grounds.host(path)).unwrap().permissions().mode() & 0o7777
}

fn what_is_made_has_the_mounts_mode_and_what_was_there_keeps_its_own() {
    let grounds = Grounds::new();
    let before = mode_of(&grounds, "rw/file.txt");
    let ownership = Ownership { file: mode(0o640), dir: mode(0o2750 & 0o777), ..Ownership::default() };
    check(
        sandbox(&grounds, ownership),
        &[
            ("write /rw:new.txt text", "ok"),
            ("open-create-new /rw:exclusive", "ok"),
            ("open-create-read /rw:read", "ok"),
            ("open-create /rw:dangling", "ok"),
            ("mkdir /rw:made", "ok"),
            ("write /rw:made/inner text", "ok"),
            ("write /rw:file.txt text", "ok"),
        ],
    );
    for made in ["rw/new.txt", "rw/exclusive", "rw/read", "rw/nowhere", "rw/made/inner"] {
        assert_eq!(mode_of(&grounds, made), 0o640, "{made}");
    }
    assert_eq!(mode_of(&grounds, "rw/made"), 0o750);
    assert_eq!(mode_of(&grounds, "rw/file.txt"), before);
}

fn a_file_that_nobody_may_write_can_be_written_by_the_one_that_makes_it() {
    let grounds = Grounds::new();
    let ownership = Ownership { file: mode(0o400), ..Ownership::default() };
    check(sandbox(&grounds, ownership), &[("write /rw:key secret", "ok")]);
    assert_eq!(mode_of(&grounds, "rw/key"), 0o400);
    assert_eq!(fs::read(grounds.host("rw/key")).unwrap(), b"secret");
}

fn a_file_moved_into_place_lands_with_the_mode_of_its_name() {
    let grounds = Grounds::new();
    let named = BTreeMap::from([("cert.pem".to_owned(), Permissions::new(0o644).unwrap())]);
    let ownership = Ownership { file: mode(0o600), named, ..Ownership::default() };
    check(
        sandbox(&grounds, ownership),
        &[
            ("write /rw:.cert.pem.tmp certificate", "ok"),
            ("rename /rw:.cert.pem.tmp /rw:cert.pem", "ok"),
            ("write /rw:.key.pem.tmp key", "ok"),
            ("rename /rw:.key.pem.tmp /rw:key.pem", "ok"),
            // What was a certificate is none under another name.
            ("write /rw:dir/cert.pem certificate", "ok"),
            ("rename /rw:dir/cert.pem /rw:dir/other.pem", "ok"),
            ("rename /rw:dir /rw:moved", "ok"),
        ],
    );
    assert_eq!(mode_of(&grounds, "rw/cert.pem"), 0o644);
    assert_eq!(mode_of(&grounds, "rw/key.pem"), 0o600);
    assert_eq!(mode_of(&grounds, "rw/moved/other.pem"), 0o600);
}

fn what_is_made_has_the_mounts_owner_before_the_guest_has_it_or_is_not_made() {
    let grounds = Grounds::new();
    let root = rustix::process::geteuid().is_root();
    let owner = Some(Owner { uid: 4321, gid: 8765 });
    let ownership = Ownership { owner, file: mode(0o600), ..Ownership::default() };
    let made = if root { "ok" } else { "PERM" };
    check(sandbox(&grounds, ownership), &[("write /rw:file text", made), ("mkdir /rw:made", made)]);
    for path in ["rw/file", "rw/made"] {
        match fs::metadata(grounds.host(path)) {
            Ok(metadata) => assert_eq!((metadata.uid(), metadata.gid()), (4321, 8765), "{path}"),
            Err(error) => assert!(!root && error.kind() == std::io::ErrorKind::NotFound, "{path}: {error}"),
        }
    }
}

#[test]
fn set_user_id_set_group_id_and_sticky_are_no_permissions() {
    for bits in [0o4755, 0o2755, 0o1777, 0o10000] {
        assert_eq!(Permissions::new(bits), None, "{bits:o}");
    }
}

/// The host swaps a directory for a link that leads out while the guest makes things there.
fn a_swapped_directory_gives_nothing_outside_a_mode_or_an_owner() {
    let grounds = Grounds::new();
    fs::set_permissions(grounds.host("outside"), fs::Permissions::from_mode(0o711)).unwrap();
    fs::write(grounds.host("outside/key"), "theirs").unwrap();
    fs::set_permissions(grounds.host("outside/key"), fs::Permissions::from_mode(0o444)).unwrap();
    let outside = grounds.everything_but(&["rw"]);
    let named = BTreeMap::from([("key".to_owned(), Permissions::new(0o666).unwrap())]);
    let ownership = Ownership { file: mode(0o600), dir: mode(0o700), named, ..Ownership::default() };
    let swapper = Swapper::start(&grounds);
    let seen = swapper.until_swapped(50, || {
        attempt(
            sandbox(&grounds, ownership.clone()),
            [
                "hammer-write /rw:dir/key 150",
                "hammer-mkdir /rw:dir/planted 150",
                "hammer-rename /rw:dir/key /rw:dir/key2 150",
            ]
            .into_iter(),
        )
    });
    assert!(!seen.iter().all(|line| line.ends_with(" 0 successes")), "{seen:?}");
    assert_eq!(mode_of(&grounds, "outside"), 0o711);
    assert_eq!(mode_of(&grounds, "outside/key"), 0o444);
    assert_eq!(grounds.everything_but(&["rw"]), outside);
}
