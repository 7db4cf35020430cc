//! The mounts a guest sees are the ones it was given.

use skrei_runtime::{Mode, Mount, MountError, Sandbox};

use crate::grounds::{Grounds, check, in_each_world};

in_each_world! {
    a_guest_sees_its_mounts_in_their_order_and_nothing_else
    a_mount_within_another_is_a_mount_of_its_own
    a_mount_is_what_was_opened_whatever_becomes_of_the_path
}

fn open(grounds: &Grounds, guest_path: &str) -> Mount {
    Mount::open(grounds.host("ro"), guest_path, Mode::ReadOnly).unwrap()
}

fn a_guest_sees_its_mounts_in_their_order_and_nothing_else() {
    check(Grounds::new().sandbox(), &[("preopens", "ok /ro /rw /rw2")]);
    check(Sandbox::new(), &[("preopens", "ok")]);
}

fn a_mount_within_another_is_a_mount_of_its_own() {
    let grounds = Grounds::new();
    let sandbox = Sandbox::new()
        .mount(open(&grounds, "/"))
        .and_then(|sandbox| sandbox.mount(open(&grounds, "/data/in/")))
        .unwrap();
    check(sandbox, &[("preopens", "ok / /data/in"), ("read /data/in:file.txt", "ok contents")]);
}

#[test]
fn two_mounts_at_one_place_are_refused_with_both_named() {
    let grounds = Grounds::new();
    for (first, second) in [("/data", "/data/"), ("/data", "data"), ("/", "."), ("/a/b", "/a/./b")] {
        let sandbox = Sandbox::new().mount(open(&grounds, first)).unwrap();
        let error = sandbox.mount(open(&grounds, second)).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("mount at `{second}`: it collides with the mount at `{first}`")
        );
    }
}

#[test]
fn a_guest_path_that_climbs_is_refused() {
    let error = Sandbox::new().mount(open(&Grounds::new(), "/data/../etc")).unwrap_err();
    assert!(matches!(error, MountError::GuestPath { path } if path == "/data/../etc"));
}

#[test]
fn a_host_path_that_is_not_there_or_no_file_is_refused_by_name() {
    let grounds = Grounds::new();
    let error = Mount::open(grounds.host("missing"), "/data", Mode::ReadOnly).unwrap_err();
    assert!(error.to_string().contains("missing"), "{error}");
    let error = Mount::open(grounds.host("ro/fifo"), "/data", Mode::ReadOnly).unwrap_err();
    assert!(matches!(error, MountError::Kind { .. }), "{error}");
}

fn a_mount_is_what_was_opened_whatever_becomes_of_the_path() {
    let grounds = Grounds::new();
    let sandbox = grounds.sandbox();
    std::fs::rename(grounds.host("rw"), grounds.host("elsewhere")).unwrap();
    std::os::unix::fs::symlink(grounds.host("outside"), grounds.host("rw")).unwrap();
    check(sandbox, &[("read /rw:secret.txt", "NOENT"), ("read /rw:file.txt", "ok contents")]);
}
