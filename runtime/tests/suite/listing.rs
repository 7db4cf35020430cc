//! Listing directories.

use std::fs;

use crate::grounds::{Grounds, attempt, check, in_each_world};

in_each_world! {
    a_listing_is_whole_however_small_the_buffer
    a_name_no_guest_could_say_is_not_listed
    only_directories_are_listed_and_only_from_where_they_have_been_read
}

fn a_listing_is_whole_however_small_the_buffer() {
    let grounds = Grounds::new();
    let dir = grounds.host("rw/many");
    fs::create_dir(&dir).unwrap();
    let mut names = vec![".".to_owned(), "..".to_owned()];
    for number in 0..500 {
        let name = format!("{number:03}-{}", "n".repeat(number % 200));
        fs::write(dir.join(&name), "").unwrap();
        names.push(name);
    }
    names.sort();
    let seen = attempt(grounds.sandbox(), ["list /rw:many", "list-slowly /rw:many"].into_iter());
    assert_eq!(seen[0], format!("list /rw:many: ok {}", names.join(" ")));
    assert_eq!(seen[1], format!("list-slowly /rw:many: ok {}", names.join(" ")));
}

fn a_name_no_guest_could_say_is_not_listed() {
    use std::os::unix::ffi::OsStrExt as _;
    let grounds = Grounds::new();
    let dir = grounds.host("rw/odd");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")), "").unwrap();
    fs::write(dir.join("plain"), "").unwrap();
    check(grounds.sandbox(), &[("list /rw:odd", "ok . .. plain")]);
}

fn only_directories_are_listed_and_only_from_where_they_have_been_read() {
    check(
        Grounds::new().sandbox(),
        &[
            ("list /ro:file.txt", "NOTDIR"),
            ("list-bad-cookie /ro:dir", "INVAL"),
            ("list /ro:empty", "ok . .."),
        ],
    );
}
