//! What a run adds to the disk stays within its quota, whatever it tries.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::thread;

use skrei_runtime::{Limits, Mode, Mount, Quota, Sandbox};

use crate::grounds::{Grounds, Table, attempt, check, guest, in_each_world, load};

in_each_world! {
    a_write_that_passes_the_quota_is_cut_short_and_the_next_refused
    rewriting_what_was_there_counts_once_and_is_never_charged_again
    emptying_and_writing_again_is_never_charged_twice
    a_sparse_file_costs_what_it_seems_to_hold
    holes_that_were_there_are_filled_on_the_runs_account
    removing_gives_back_what_the_run_made_and_nothing_else
    what_has_no_name_counts_until_it_is_closed
    a_file_that_another_guest_keeps_open_is_not_given_back
    names_are_bounded_whatever_they_name
    mounts_without_a_quota_share_the_limits_and_one_that_is_full_harms_no_other
    a_run_says_what_it_did_in_each_mount
    a_full_disk_quota_leaves_reading_and_removing_alone
}

/// The directory `rw` at `/rw`, with so much room.
fn sandbox(grounds: &Grounds, quota: &Quota) -> Sandbox {
    let mount = Mount::open(grounds.host("rw"), "/rw", Mode::ReadWrite).unwrap();
    Sandbox::new().mount(mount.quota(quota.clone())).unwrap()
}

/// Has a guest attempt the table's operations with room for 10,000 bytes and ten names; gives what counts then.
#[track_caller]
fn check_with_room(grounds: &Grounds, table: Table<'_>) -> (u64, u64) {
    let quota = Quota::new(10_000, 10);
    check(sandbox(grounds, &quota), table);
    (quota.bytes_used(), quota.files_used())
}

fn a_write_that_passes_the_quota_is_cut_short_and_the_next_refused() {
    let grounds = Grounds::new();
    let used = check_with_room(
        &grounds,
        &[
            ("fill /rw:a 0 6000", "ok 6000"),
            ("stream /rw:b 6000", "ok 4000 DQUOT"),
            ("extend /rw:a 1", "ok 0 DQUOT"),
            ("fill /rw:a 0 6000", "ok 6000"),
            ("stream /rw:a 6000", "ok 6000"),
            ("resize /rw:b 4001", "DQUOT"),
            ("allocate /rw:b 4001", "DQUOT"),
            ("resize /rw:b 1000", "ok"),
            ("extend /rw:a 4000", "ok 3000 DQUOT"),
            ("read /rw:file.txt", "ok contents"),
        ],
    );
    assert_eq!(used, (10_000, 2));
    assert_eq!(fs::metadata(grounds.host("rw/a")).unwrap().len(), 9000);
    assert_eq!(fs::metadata(grounds.host("rw/b")).unwrap().len(), 1000);
}

fn rewriting_what_was_there_counts_once_and_is_never_charged_again() {
    let grounds = Grounds::new();
    fs::write(grounds.host("rw/old"), vec![b'o'; 8000]).unwrap();
    let rewrites = [("fill /rw:old 0 8000", "ok 8000"); 20];
    assert_eq!(check_with_room(&grounds, &rewrites), (8000, 0));
}

fn emptying_and_writing_again_is_never_charged_twice() {
    let grounds = Grounds::new();
    let mut table = Vec::new();
    for _ in 0..20 {
        table.extend([("open-create-truncate /rw:status", "ok"), ("stream /rw:status 8000", "ok 8000")]);
    }
    assert_eq!(check_with_room(&grounds, &table), (8000, 1));
}

fn a_sparse_file_costs_what_it_seems_to_hold() {
    let used = check_with_room(
        &Grounds::new(),
        &[
            ("resize /rw:a 1099511627776", "DQUOT"),
            ("fill /rw:a 1099511627776 1", "ok 0 DQUOT"),
            ("fill /rw:a 9000 2000", "ok 1000 DQUOT"),
            ("fill /rw:a 100 50", "ok 50"),
            ("fill /rw:b 9223372036854775000 1", "ok 0 DQUOT"),
        ],
    );
    assert_eq!(used, (10_000, 2));
}

fn holes_that_were_there_are_filled_on_the_runs_account() {
    let grounds = Grounds::new();
    let file = fs::File::create(grounds.host("rw/sparse")).unwrap();
    file.set_len(1 << 40).unwrap();
    let table = [
        ("fill /rw:sparse 0 6000", "ok 6000"),
        ("fill /rw:sparse 500000000 6000", "ok 4000 DQUOT"),
        ("allocate /rw:sparse 1000000", "DQUOT"),
    ];
    assert_eq!(check_with_room(&grounds, &table).0, 10_000);
    assert!(file.metadata().unwrap().blocks() * 512 <= 10_000 + 2 * 4096);
}

fn removing_gives_back_what_the_run_made_and_nothing_else() {
    let grounds = Grounds::new();
    fs::write(grounds.host("rw/old"), vec![b'o'; 50_000]).unwrap();
    let used = check_with_room(
        &grounds,
        &[
            ("fill /rw:a 0 10000", "ok 10000"),
            ("unlink /rw:old", "ok"),
            ("fill /rw:b 0 1", "ok 0 DQUOT"),
            ("unlink /rw:a", "ok"),
            ("fill /rw:b 0 7000", "ok 7000"),
            // Replaced by a rename: gone as well.
            ("fill /rw:c 0 3000", "ok 3000"),
            ("rename /rw:c /rw:b", "ok"),
            ("fill /rw:c 0 7001", "ok 7000 DQUOT"),
            // A second name keeps it, and a rename onto itself changes nothing.
            ("link /rw:c /rw:d", "ok"),
            ("rename /rw:c /rw:d", "ok"),
            ("unlink /rw:c", "ok"),
            ("extend /rw:b 1", "ok 0 DQUOT"),
            ("unlink /rw:d", "ok"),
            ("extend /rw:b 1", "ok 1"),
        ],
    );
    assert_eq!(used, (3001, 1));
}

fn what_has_no_name_counts_until_it_is_closed() {
    let grounds = Grounds::new();
    let used = check_with_room(
        &grounds,
        &[
            ("hold /rw:a", "ok"),
            ("fill-held 10000", "ok 10000"),
            ("unlink /rw:a", "ok"),
            ("fill /rw:b 0 1", "ok 0 DQUOT"),
            ("let-go", "ok"),
            ("fill /rw:b 0 9000", "ok 9000"),
            ("hoard /rw:h 300", "ok 3 DQUOT"),
        ],
    );
    assert_eq!(used, (9000, 1), "what it kept open went with it");
}

fn a_file_that_another_guest_keeps_open_is_not_given_back() {
    let grounds = Grounds::new();
    let (mine, theirs) = (Quota::new(10_000, 10), Quota::new(0, 10));
    fs::write(grounds.host("rw/shared"), "").unwrap();
    // The keeper says so when it has the file open, and lets it go when its input ends.
    let (input, end) = tokio::io::duplex(64);
    let (said, heard) = std::sync::mpsc::channel();
    let keeper = sandbox(&grounds, &theirs).stdin_reader(input).output(std::sync::Arc::new(Said(said)));
    let probe = load(guest!(probe));
    let keeper = keeper.args(["hold /rw:shared", "wait"]);
    let keeping = thread::spawn(move || probe.run_blocking(keeper).unwrap());
    heard.recv().unwrap();
    let table = [
        ("fill /rw:shared 0 10000", "ok 10000"),
        ("unlink /rw:shared", "ok"),
        ("fill /rw:b 0 1", "ok 0 DQUOT"),
    ];
    check(sandbox(&grounds, &mine), &table);
    drop(end);
    keeping.join().unwrap();
    assert_eq!(mine.bytes_used(), 10_000);
}

/// Passes on that a guest wrote something.
struct Said(std::sync::mpsc::Sender<()>);

impl skrei_runtime::OutputSink for Said {
    fn write(&self, _: skrei_runtime::Stream, _: &[u8]) {
        // Only the first is waited for.
        let _ = self.0.send(());
    }
}

fn names_are_bounded_whatever_they_name() {
    let grounds = Grounds::new();
    for (operation, made) in [
        ("make-many /rw:f", "ok 10 DQUOT"),
        ("mkdir-many /rw:d", "ok 10 DQUOT"),
        ("link-many /rw:file.txt /rw:l", "ok 10 DQUOT"),
    ] {
        assert_eq!(check_with_room(&grounds, &[(operation, made)]), (0, 10));
    }
    let table = [
        ("mkdir /rw:e", "ok"),
        ("symlink file.txt /rw:s", "ok"),
        ("make-many /rw:g", "ok 8 DQUOT"),
        ("symlink file.txt /rw:t", "DQUOT"),
        ("mkdir /rw:e", "EXIST"),
        ("open-create /rw:file.txt", "ok"),
        ("open-create-new /rw:file.txt", "EXIST"),
        ("unlink /rw:s", "ok"),
        ("rmdir /rw:e", "ok"),
        ("unlink /rw:file.txt", "ok"),
        ("make-many /rw:h", "ok 2 DQUOT"),
    ];
    assert_eq!(check_with_room(&grounds, &table), (0, 10));
}

fn mounts_without_a_quota_share_the_limits_and_one_that_is_full_harms_no_other() {
    let grounds = Grounds::new();
    let limits = Limits { disk_bytes: 5000, disk_files: 2, ..Limits::default() };
    let own = Mount::open(grounds.host("outside"), "/own", Mode::ReadWrite).unwrap();
    let sandbox = grounds.sandbox().mount(own.quota(Quota::new(100, 5))).unwrap().limits(limits);
    check(
        sandbox,
        &[
            ("fill /rw:a 0 3000", "ok 3000"),
            ("fill /rw2:a 0 3000", "ok 2000 DQUOT"),
            ("open-create /rw:b", "DQUOT"),
            ("fill /own:a 0 101", "ok 100 DQUOT"),
            ("unlink /rw:a", "ok"),
            ("extend /rw2:a 3000", "ok 3000"),
        ],
    );
}

fn a_run_says_what_it_did_in_each_mount() {
    let grounds = Grounds::new();
    let operations = ["fill /rw:a 0 3000", "fill /rw:a 0 500", "mkdir /rw:d", "read /ro:file.txt"];
    let sandbox = grounds.sandbox().args(operations);
    let outcome = load(guest!(probe)).run_blocking(sandbox).unwrap();
    let used: Vec<_> = outcome
        .usage
        .mounts
        .iter()
        .map(|mount| (mount.guest_path.as_str(), mount.bytes_read, mount.bytes_written, mount.files_made))
        .collect();
    assert_eq!(used, [("/ro", 8, 0, 0), ("/rw", 0, 3500, 2), ("/rw2", 0, 0, 0)]);
}

fn a_full_disk_quota_leaves_reading_and_removing_alone() {
    let grounds = Grounds::new();
    let seen = attempt(
        sandbox(&grounds, &Quota::new(0, 0)),
        ["read /rw:file.txt", "touch /rw:file.txt", "resize /rw:file.txt 0", "unlink /rw:file.txt"]
            .into_iter(),
    );
    assert!(seen.iter().all(|line| line.contains(": ok")), "{seen:?}");
}
