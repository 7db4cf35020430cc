//! What guests rely on beside what is granted: the answers of other runtimes, as their public test suite has them.

use skrei_runtime::{Ending, Sandbox, Terminals};

use crate::grounds::{Grounds, World, attempt, check, in_each_world, load};

in_each_world! {
    a_slash_at_the_end_asks_for_a_directory
    the_directory_itself_and_the_one_above_are_neither_made_nor_moved_nor_removed
    a_size_that_no_file_can_have_is_refused_as_such
    a_rename_replaces_what_is_of_its_kind
    a_stream_is_a_terminal_where_it_is_said_to_be
}

fn a_slash_at_the_end_asks_for_a_directory() {
    check(
        Grounds::new().sandbox(),
        &[
            ("open-nothing /rw:file.txt/", "NOTDIR"),
            ("open-nothing /rw:file.txt///", "NOTDIR"),
            ("open-nothing /rw:dir///", "ok"),
            ("open-nothing /rw:dir/.//../dir/../dir///./inner.txt", "ok"),
            ("unlink /rw:file.txt/", "NOTDIR"),
            ("unlink /rw:empty/", "ISDIR"),
            ("rmdir /rw:file.txt/", "NOTDIR"),
            ("symlink nowhere /rw:new/", "NOENT"),
            ("symlink nowhere /rw:empty/", "EXIST"),
            ("link /rw:file.txt /rw:new/", "NOENT"),
            ("link /rw:file.txt /rw:file.txt", "EXIST"),
            ("link /rw:empty /rw:new", "PERM"),
            ("rename /rw:file.txt/ /rw:new", "NOTDIR"),
            ("rename /rw:file.txt /rw:new/", "NOTDIR"),
            ("rename /rw:file.txt /rw:empty/", "NOTDIR"),
            ("rename /rw:missing /rw:new/", "NOENT"),
            ("mkdir /rw:new/", "ok"),
            ("rename /rw:new/ /rw:newer", "ok"),
            ("rename /rw:newer /rw:new/", "ok"),
            ("rename /rw:new/ /rw:newer/", "ok"),
            ("rmdir /rw:newer/", "ok"),
        ],
    );
}

fn the_directory_itself_and_the_one_above_are_neither_made_nor_moved_nor_removed() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    check(
        grounds.sandbox(),
        &[
            ("mkdir /rw:.", "EXIST"),
            ("mkdir /rw:..", "PERM"),
            ("mkdir /rw:", "NOENT"),
            ("rmdir /rw:.", "INVAL"),
            ("rmdir /rw:..", "PERM"),
            ("rmdir /rw:", "NOENT"),
            ("rmdir /rw:missing", "NOENT"),
            ("unlink /rw:.", "ISDIR"),
            ("unlink /rw:..", "PERM"),
            ("rename /rw:. /rw:new", "BUSY"),
            ("rename /rw:file.txt /rw:..", "PERM"),
            ("link /rw:. /rw:new", "PERM"),
            ("link /rw:file.txt /rw:..", "PERM"),
            ("link /rw: /rw:new", "NOENT"),
            ("readlink /rw:.", "INVAL"),
            ("readlink /rw:..", "PERM"),
            ("readlink /rw:./../", "PERM"),
            ("readlink /rw:file.txt", "INVAL"),
        ],
    );
    assert_eq!(grounds.everything_but(&[]), before);
}

fn a_size_that_no_file_can_have_is_refused_as_such() {
    check(
        Grounds::new().sandbox(),
        &[
            ("resize /rw:file.txt 18446744073709551615", "FBIG"),
            ("resize /rw:file.txt 9223372036854775808", "FBIG"),
            ("allocate /rw:file.txt 9223372036854775808", "FBIG"),
            ("read /rw:file.txt", "ok contents"),
        ],
    );
}

fn a_rename_replaces_what_is_of_its_kind() {
    check(
        Grounds::new().sandbox(),
        &[
            ("rename /rw:file.txt /rw:file.txt", "ok"),
            ("rename /rw:file.txt /rw:empty", "ISDIR"),
            ("rename /rw:empty /rw:file.txt", "NOTDIR"),
            ("mkdir /rw:other", "ok"),
            ("rename /rw:other /rw:empty", "ok"),
            ("rename /rw:empty /rw:dir", "NOTEMPTY"),
            ("rename /rw:file.txt /rw:dangling", "ok"),
            ("lstat /rw:dangling", "ok file"),
        ],
    );
}

fn a_stream_is_a_terminal_where_it_is_said_to_be() {
    check(Sandbox::new(), &[("terminals", "ok false false false")]);
    for (stdin, stdout, stderr) in
        [(true, true, true), (true, false, false), (false, true, false), (false, false, true)]
    {
        let sandbox = Sandbox::new().terminals(Terminals { stdin, stdout, stderr });
        check(sandbox, &[("terminals", &format!("ok {stdin} {stdout} {stderr}"))]);
    }
}

#[test]
fn a_descriptor_of_preview_1_says_what_it_was_opened_for() {
    World::P1.tell(|| {
        check(
            Grounds::new().sandbox(),
            &[
                ("flags /rw:file.txt", "ok"),
                ("flags-read /rw:file.txt", "ok r"),
                ("flags-write /rw:file.txt", "ok w"),
                ("flags-sync /rw:file.txt", "ok sw"),
                // Nothing that it would be in vain to give up.
                ("flags /rw:dir", "ok"),
                ("flags-preopen /rw", "ok"),
            ],
        );
    });
}

#[test]
fn a_descriptor_of_a_component_says_what_it_was_opened_for() {
    World::P3.tell(|| {
        check(
            Grounds::new().sandbox(),
            &[
                ("flags-preopen /rw", "ok rp"),
                ("flags-preopen /ro", "ok r"),
                ("flags /rw:dir", "ok r"),
                ("flags /rw:file.txt", "ok r"),
                ("flags-write /rw:file.txt", "ok w"),
                ("flags-create /rw:new", "ok rw"),
                ("flags-create-write /rw:newer", "ok w"),
                ("flags-create /ro:file.txt", "ok r"),
            ],
        );
    });
}

#[test]
fn a_component_has_one_seed_for_its_hash_tables() {
    World::P3.tell(|| {
        let seeds = || attempt(Sandbox::new(), ["hash-seed", "hash-seed"].into_iter());
        let (one, other) = (seeds(), seeds());
        assert_eq!(one[0], one[1]);
        assert_ne!(one[0], other[0], "each run has its own");
    });
    // It traps where two are different.
    let asks_twice = r#"(component
        (import "wasi:random/insecure-seed@0.2.0" (instance $seed
            (export "insecure-seed" (func (result (tuple u64 u64))))))
        (core module $memory (memory (export "memory") 1))
        (core instance $memory (instantiate $memory))
        (core func $seed (canon lower (func $seed "insecure-seed") (memory (core memory $memory "memory"))))
        (core module $main
            (import "host" "seed" (func $seed (param i32)))
            (import "host" "memory" (memory 1))
            (func (export "run") (result i32)
                (call $seed (i32.const 0))
                (call $seed (i32.const 16))
                (if (i64.ne (i64.load (i32.const 0)) (i64.load (i32.const 16))) (then unreachable))
                (if (i64.ne (i64.load (i32.const 8)) (i64.load (i32.const 24))) (then unreachable))
                (i32.const 0)))
        (core instance $main (instantiate $main
            (with "host" (instance (export "seed" (func $seed)) (export "memory" (memory $memory "memory"))))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $cli (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $cli)))"#;
    let outcome = load(asks_twice.as_bytes()).run_blocking(Sandbox::new()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0));
}

#[test]
fn a_file_may_be_older_than_1970_where_there_are_words_for_it() {
    World::P3.tell(|| {
        check(
            Grounds::new().sandbox(),
            &[
                ("date /rw:file.txt -1 0", "ok -1 0"),
                ("date /rw:file.txt -1 500000000", "ok -1 500000000"),
                ("date-open /rw:file.txt -86400 999999999", "ok -86400 999999999"),
                ("date /rw:to-file 86400 1", "ok 86400 1"),
                // More than a second of nanoseconds is a second more.
                ("date /rw:file.txt -1 1500000000", "ok 0 500000000"),
                ("date-open /rw:dir -2 1000000000", "ok -1 0"),
                ("date /rw:file.txt 9223372036854775807 1000000000", "OVERFLOW"),
            ],
        );
    });
    World::P1.tell(|| {
        let grounds = Grounds::new();
        let before = std::time::UNIX_EPOCH - std::time::Duration::from_secs(5);
        std::fs::File::open(grounds.host("rw/file.txt")).unwrap().set_modified(before).unwrap();
        check(grounds.sandbox(), &[("stat /rw:file.txt", "ok file"), ("read /rw:file.txt", "ok contents")]);
    });
}
