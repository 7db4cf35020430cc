//! In a read-write mount everything works, and stays in its mount.

use std::fs;

use crate::grounds::{Grounds, check, in_each_world};

in_each_world! {
    files_are_made_changed_and_removed
    directories_are_made_and_removed
    a_rename_replaces_in_one_step_within_a_mount_and_nowhere_else
    links_that_stay_inside_can_be_made_and_followed
}

fn files_are_made_changed_and_removed() {
    let grounds = Grounds::new();
    let outside = grounds.everything_but(&["rw"]);
    check(
        grounds.sandbox(),
        &[
            ("write /rw:new.txt one", "ok"),
            ("append /rw:new.txt two", "ok"),
            ("read /rw:new.txt", "ok onetwo"),
            ("pwrite-to-appender /rw:new.txt three", "ok"),
            ("read /rw:new.txt", "ok onetwothree"),
            ("open-create-new /rw:new.txt", "EXIST"),
            ("open-create-new /rw:dangling", "EXIST"),
            ("resize /rw:new.txt 3", "ok"),
            ("read /rw:new.txt", "ok one"),
            ("allocate /rw:new.txt 4096", "ok"),
            ("open-truncate-read /rw:new.txt", "ok"),
            ("read /rw:new.txt", "ok"),
            ("open-create-read /rw:made", "ok"),
            ("read-from-writer /rw:made", "BADF"),
            ("write-to-reader /rw:made", "BADF"),
            ("resize-reader /rw:made", "BADF"),
            ("sync /rw:new.txt", "ok"),
            ("datasync /rw:new.txt", "ok"),
            ("touch /rw:new.txt", "ok"),
            ("touch-link /rw:to-file", "ok"),
            ("unlink /rw:new.txt", "ok"),
            ("stat /rw:new.txt", "NOENT"),
            ("open-write /rw:dir", "ISDIR"),
            ("read-dir-as-file /rw:dir", "ISDIR"),
        ],
    );
    assert!(!grounds.host("rw/new.txt").exists());
    assert_eq!(fs::read(grounds.host("rw/made")).unwrap(), b"");
    assert_eq!(grounds.everything_but(&["rw"]), outside);
}

fn directories_are_made_and_removed() {
    check(
        Grounds::new().sandbox(),
        &[
            ("mkdir /rw:new", "ok"),
            ("mkdir /rw:new", "EXIST"),
            ("mkdir /rw:missing/new", "NOENT"),
            ("mkdir /rw:file.txt/new", "NOTDIR"),
            ("rmdir /rw:new", "ok"),
            ("rmdir /rw:dir", "NOTEMPTY"),
            ("rmdir /rw:file.txt", "NOTDIR"),
            ("unlink /rw:dir", "ISDIR"),
            ("touch-dir /rw:dir", "ok"),
            ("sync-dir /rw:dir", "ok"),
            ("sync-dir /rw:.", "ok"),
        ],
    );
}

fn a_rename_replaces_in_one_step_within_a_mount_and_nowhere_else() {
    let grounds = Grounds::new();
    check(
        grounds.sandbox(),
        &[
            ("write /rw:file.txt.tmp replaced", "ok"),
            ("rename /rw:file.txt.tmp /rw:file.txt", "ok"),
            ("read /rw:file.txt", "ok replaced"),
            ("rename /rw:file.txt /rw:dir/file.txt", "ok"),
            ("rename /rw:dir /rw:moved", "ok"),
            ("read /rw:moved/file.txt", "ok replaced"),
            ("rename /rw:moved /rw:moved/below", "INVAL"),
            ("rename /rw:missing /rw:moved", "NOENT"),
            ("rename /rw:fifo /rw2:fifo", "XDEV"),
            ("rename /rw:moved/file.txt /rw2:file.txt", "XDEV"),
            ("link /rw:moved/file.txt /rw2:second", "XDEV"),
            ("link /rw:moved/file.txt /rw:second", "ok"),
            ("read /rw:second", "ok replaced"),
        ],
    );
    assert_eq!(fs::read_to_string(grounds.host("rw2/file.txt")).unwrap(), "contents");
}

fn links_that_stay_inside_can_be_made_and_followed() {
    check(
        Grounds::new().sandbox(),
        &[
            ("symlink file.txt /rw:second", "ok"),
            ("read /rw:second", "ok contents"),
            ("symlink ../file.txt /rw:dir/second", "ok"),
            ("read /rw:dir/second", "ok contents"),
            ("symlink ../file.txt /rw:to-dir/third", "ok"),
            ("read /rw:dir/third", "ok contents"),
            ("readlink /rw:dir/third", "ok ../file.txt"),
            ("unlink /rw:second", "ok"),
            ("read /rw:file.txt", "ok contents"),
            ("symlink nowhere /rw:file.txt", "EXIST"),
            ("open-create /rw:dangling", "ok"),
            ("stat /rw:nowhere", "ok file"),
        ],
    );
}
