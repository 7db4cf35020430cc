//! A mount of one file shows that file and none of its neighbours.

use std::fs;
use std::os::unix::fs::symlink;

use skrei_runtime::{Dir, Mode, Mount, MountError, Sandbox};

use crate::escape::Swapper;
use crate::grounds::{Grounds, attempt, check, in_each_world};

in_each_world! {
    files_with_one_parent_share_a_directory_that_holds_nothing_else
    each_file_has_its_own_mode
    the_directory_and_the_names_in_it_stay_as_they_are
    a_file_that_is_not_there_yet_can_be_made_under_a_read_write_mount_alone
    a_link_put_in_the_files_place_is_not_followed_even_to_a_neighbour
    a_file_swapped_for_a_link_during_the_run_leads_nowhere
}

fn sandbox(grounds: &Grounds) -> Sandbox {
    let open = |path: &str, guest: &str, mode| Mount::open(grounds.host(path), guest, mode).unwrap();
    Sandbox::new()
        .mount(open("rw/file.txt", "/etc/app/first.txt", Mode::ReadWrite))
        .and_then(|sandbox| sandbox.mount(open("ro", "/between", Mode::ReadOnly)))
        .and_then(|sandbox| sandbox.mount(open("ro/file.txt", "/etc/app/second.txt", Mode::ReadOnly)))
        .unwrap()
}

fn files_with_one_parent_share_a_directory_that_holds_nothing_else() {
    check(
        sandbox(&Grounds::new()),
        &[
            ("preopens", "ok /etc/app /between"),
            ("list /etc/app:.", "ok . .. first.txt second.txt"),
            ("read /etc/app:first.txt", "ok contents"),
            ("read /etc/app:./second.txt", "ok contents"),
            ("stat /etc/app:.", "ok directory"),
            ("stat /etc/app:first.txt", "ok file"),
            ("stat /etc/app:file.txt", "NOENT"),
            ("read /etc/app:dir/inner.txt", "NOENT"),
            ("read /etc/app:first.txt/inner.txt", "NOTDIR"),
            ("read /etc/app:../file.txt", "PERM"),
            ("open-directory /etc/app:first.txt", "NOTDIR"),
            ("sync-dir /etc/app:.", "ok"),
        ],
    );
}

fn each_file_has_its_own_mode() {
    let grounds = Grounds::new();
    let neighbours = grounds.everything_but(&["rw/file.txt"]);
    check(
        sandbox(&grounds),
        &[
            ("open-create-truncate /etc/app:first.txt", "ok"),
            ("write /etc/app:first.txt changed", "ok"),
            ("touch /etc/app:first.txt", "ok"),
            ("open-write /etc/app:second.txt", "ROFS"),
            ("touch /etc/app:second.txt", "ROFS"),
        ],
    );
    assert_eq!(fs::read_to_string(grounds.host("rw/file.txt")).unwrap(), "changed");
    assert_eq!(grounds.everything_but(&["rw/file.txt"]), neighbours);
}

fn the_directory_and_the_names_in_it_stay_as_they_are() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    check(
        sandbox(&grounds),
        &[
            ("open-create /etc/app:third.txt", "ACCES"),
            ("mkdir /etc/app:third", "ACCES"),
            ("symlink first.txt /etc/app:third", "ACCES"),
            ("mkdir /etc/app:first.txt", "EXIST"),
            ("unlink /etc/app:first.txt", "BUSY"),
            ("rename /etc/app:first.txt /etc/app:third.txt", "BUSY"),
            ("rename /etc/app:first.txt /between:third.txt", "ROFS"),
            ("unlink /etc/app:missing", "NOENT"),
            ("touch-dir /etc/app:.", "ACCES"),
        ],
    );
    assert_eq!(grounds.everything_but(&[]), before);
}

fn a_file_that_is_not_there_yet_can_be_made_under_a_read_write_mount_alone() {
    let grounds = Grounds::new();
    let parent = || Dir::from_std_file(fs::File::open(grounds.host("rw")).unwrap());
    let sandbox = Sandbox::new()
        .mount(Mount::file(parent(), "fresh", "/out/mine", Mode::ReadWrite))
        .and_then(|sandbox| sandbox.mount(Mount::file(parent(), "never", "/out/not-mine", Mode::ReadOnly)))
        .unwrap();
    check(
        sandbox,
        &[
            ("list /out:.", "ok . .."),
            ("open-write /out:mine", "NOENT"),
            ("write /out:mine made", "ok"),
            ("list /out:.", "ok . .. mine"),
            ("open-create /out:not-mine", "ROFS"),
        ],
    );
    assert_eq!(fs::read_to_string(grounds.host("rw/fresh")).unwrap(), "made");
    assert!(!grounds.host("rw/never").exists());
}

fn a_link_put_in_the_files_place_is_not_followed_even_to_a_neighbour() {
    let grounds = Grounds::new();
    let sandbox = sandbox(&grounds);
    fs::write(grounds.host("rw/neighbour"), "private").unwrap();
    fs::remove_file(grounds.host("rw/file.txt")).unwrap();
    symlink("neighbour", grounds.host("rw/file.txt")).unwrap();
    check(
        sandbox,
        &[
            ("read /etc/app:first.txt", "LOOP"),
            ("open-write /etc/app:first.txt", "LOOP"),
            ("open-create-truncate /etc/app:first.txt", "LOOP"),
            ("stat /etc/app:first.txt", "ok link"),
        ],
    );
    assert_eq!(fs::read_to_string(grounds.host("rw/neighbour")).unwrap(), "private");
}

fn a_file_swapped_for_a_link_during_the_run_leads_nowhere() {
    let grounds = Grounds::new();
    let link = grounds.host("rw/link");
    symlink("../outside/secret.txt", &link).unwrap();
    let outside = grounds.everything_but(&["rw"]);
    // By its directory: a path would be looked up while it leads elsewhere.
    let sandbox = || {
        let parent = Dir::from_std_file(fs::File::open(grounds.host("rw")).unwrap());
        Sandbox::new().mount(Mount::file(parent, "file.txt", "/etc/app/first.txt", Mode::ReadWrite)).unwrap()
    };
    let swapper = Swapper::between(grounds.host("rw/file.txt"), link);
    let seen = swapper.until_swapped(100, || {
        let operations = [
            "hammer-read /etc/app:first.txt SECRET 200",
            "hammer-write /etc/app:first.txt 200",
            "hammer-unlink /etc/app:first.txt 50",
        ];
        attempt(sandbox(), operations.into_iter())
    });
    assert!(!seen.iter().any(|line| line.contains("LEAKED")), "{seen:?}");
    assert!(!seen.iter().all(|line| line.ends_with(" 0 successes")), "no guest ever got through: {seen:?}");
    assert_eq!(grounds.everything_but(&["rw"]), outside);
}

#[test]
fn a_file_cannot_share_its_place_with_another_mount() {
    let grounds = Grounds::new();
    let file = |guest: &str| Mount::open(grounds.host("ro/file.txt"), guest, Mode::ReadOnly).unwrap();
    let dir = |guest: &str| Mount::open(grounds.host("ro"), guest, Mode::ReadOnly).unwrap();
    for (first, second) in
        [(file("/a/b"), file("/a/b")), (dir("/a"), file("/a/b")), (file("/a/b"), dir("/a"))]
    {
        let error = Sandbox::new().mount(first).unwrap().mount(second).unwrap_err();
        assert!(matches!(error, MountError::Collision { .. }), "{error}");
    }
}

#[test]
fn a_file_needs_one_plain_name() {
    let grounds = Grounds::new();
    let parent = || Dir::from_std_file(fs::File::open(grounds.host("ro")).unwrap());
    for name in ["", ".", "..", "dir/inner.txt", "/etc/passwd"] {
        let mount = Mount::file(parent(), name, "/data/file", Mode::ReadOnly);
        let error = Sandbox::new().mount(mount).unwrap_err();
        assert!(matches!(error, MountError::FileName { .. }), "{name}: {error}");
    }
}
