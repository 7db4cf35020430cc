//! In a read-only mount everything can be read and nothing changed.

use crate::grounds::{Grounds, check, in_each_world};

in_each_world! {
    every_change_fails_as_on_a_read_only_filesystem
    everything_can_be_read
}

fn every_change_fails_as_on_a_read_only_filesystem() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    check(
        grounds.sandbox(),
        &[
            // Opening a file that is there, to change it.
            ("open-write /ro:file.txt", "ROFS"),
            ("open-read-write /ro:file.txt", "ROFS"),
            ("open-append /ro:file.txt", "ROFS"),
            ("open-truncate /ro:file.txt", "ROFS"),
            ("open-truncate-read /ro:file.txt", "ROFS"),
            ("open-create /ro:file.txt", "ROFS"),
            ("open-create-truncate /ro:file.txt", "ROFS"),
            ("open-create-new /ro:file.txt", "EXIST"),
            ("open-write /ro:to-file", "ROFS"),
            ("open-write /ro:dir/inner.txt", "ROFS"),
            ("open-write /ro:dir", "ISDIR"),
            // Making one that is not.
            ("open-write /ro:missing", "NOENT"),
            ("open-create /ro:missing", "ROFS"),
            ("open-create-read /ro:missing", "ROFS"),
            ("open-create-new /ro:missing", "ROFS"),
            ("open-create-truncate /ro:missing", "ROFS"),
            ("open-create /ro:dangling", "ROFS"),
            ("open-create /ro:missing/missing", "NOENT"),
            ("open-create-new /ro:dangling", "EXIST"),
            // Changing the tree.
            ("mkdir /ro:missing", "ROFS"),
            ("mkdir /ro:dir", "EXIST"),
            ("rmdir /ro:empty", "ROFS"),
            ("rmdir /ro:missing", "ROFS"),
            ("unlink /ro:file.txt", "ROFS"),
            ("unlink /ro:to-file", "ROFS"),
            ("unlink /ro:missing", "ROFS"),
            ("rename /ro:file.txt /ro:moved", "ROFS"),
            ("rename /ro:file.txt /rw:moved", "ROFS"),
            ("rename /rw:file.txt /ro:moved", "ROFS"),
            ("rename /rw:file.txt /ro:file.txt", "ROFS"),
            ("link /ro:file.txt /ro:second", "ROFS"),
            ("link /ro:file.txt /rw:second", "ROFS"),
            ("link /rw:file.txt /ro:second", "ROFS"),
            ("symlink file.txt /ro:second", "ROFS"),
            // Changing what is known about a file.
            ("touch /ro:file.txt", "ROFS"),
            ("touch /ro:to-file", "ROFS"),
            ("touch-link /ro:to-file", "ROFS"),
            ("touch /ro:dir", "ROFS"),
            ("touch-dir /ro:.", "ROFS"),
            ("touch-reader /ro:file.txt", "ROFS"),
            // Through a descriptor that is open to read.
            ("write-to-reader /ro:file.txt", "BADF"),
            ("pwrite-to-reader /ro:file.txt", "BADF"),
            ("append-to-reader /ro:file.txt", "BADF"),
            ("allocate-reader /ro:file.txt", "BADF"),
            ("resize-reader /ro:file.txt", "BADF"),
        ],
    );
    assert_eq!(grounds.everything_but(&[]), before);
}

fn everything_can_be_read() {
    check(
        Grounds::new().sandbox(),
        &[
            ("read /ro:file.txt", "ok contents"),
            ("read /ro:dir/inner.txt", "ok inner"),
            ("read /ro:to-file", "ok contents"),
            ("read /ro:dir/../file.txt", "ok contents"),
            ("open-nothing /ro:file.txt", "ok"),
            ("open-create-read /ro:file.txt", "ok"),
            ("open-directory /ro:dir", "ok"),
            ("open-directory /ro:file.txt", "NOTDIR"),
            ("open-read /ro:missing", "NOENT"),
            ("stat /ro:file.txt", "ok file"),
            ("stat /ro:to-dir", "ok directory"),
            ("lstat /ro:to-dir", "ok link"),
            ("readlink /ro:to-file", "ok file.txt"),
            ("sync-reader /ro:file.txt", "ok"),
            ("sync-dir /ro:.", "ok"),
        ],
    );
}

#[test]
fn a_c_library_is_let_ask_for_writing_so_that_it_hears_why_not() {
    check(Grounds::new().sandbox(), &[("passes-on-write /ro", "ok true")]);
}
