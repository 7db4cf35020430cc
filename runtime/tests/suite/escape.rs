//! No path leads out of a mount.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use skrei_runtime::{Ending, Limits, Sandbox};

use crate::grounds::{Grounds, SECRET, Table, attempt, check, guest, in_each_world, run};

in_each_world! {
    no_way_out_can_be_read
    no_way_out_can_be_written
    nothing_is_made_moved_or_removed_outside
    a_link_of_the_guests_own_that_leads_out_leads_nowhere
    a_hard_link_to_a_link_that_leads_out_leads_nowhere
    what_is_no_file_is_not_opened_and_nothing_waits_for_it
    a_device_is_not_opened
    the_hosts_process_tree_is_no_way_out_even_where_it_is_mounted
    odd_names_are_refused_as_what_they_are
    a_directory_swapped_for_a_link_during_the_run_leads_nowhere
    a_file_swapped_for_a_pipe_during_the_run_holds_nobody_up
    without_a_mount_there_is_nothing_to_open
}

/// Every way out, as a path to a file, and what a guest is told that tries to read it. The answer is the same in
/// either mode.
const WAYS_OUT: Table<'_> = &[
    ("..", "PERM"),
    ("../outside/secret.txt", "PERM"),
    ("dir/../../outside/secret.txt", "PERM"),
    ("dir/../../ro/file.txt", "PERM"),
    ("/", "PERM"),
    ("/etc/passwd", "PERM"),
    ("//etc/passwd", "PERM"),
    ("out", "PERM"),
    ("out-absolute", "PERM"),
    ("out-dir", "PERM"),
    ("out-dir/secret.txt", "PERM"),
    ("out-top/outside/secret.txt", "PERM"),
    ("to-dir/../../outside/secret.txt", "PERM"),
    ("chain-1", "PERM"),
    ("chain-2", "PERM"),
    ("loop", "LOOP"),
];

fn no_way_out_can_be_read() {
    let grounds = Grounds::new();
    for mount in ["/ro", "/rw"] {
        for operation in ["read", "open-nothing", "stat", "open-directory"] {
            check_ways_out(&grounds, operation, mount);
        }
    }
}

fn no_way_out_can_be_written() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    for operation in ["open-write", "open-truncate", "open-append", "touch"] {
        check_ways_out(&grounds, operation, "/rw");
    }
    assert_eq!(grounds.everything_but(&[]), before);
}

fn nothing_is_made_moved_or_removed_outside() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    check(
        grounds.sandbox(),
        &[
            ("open-create /rw:../planted", "PERM"),
            ("open-create /rw:out-dir/planted", "PERM"),
            ("open-create-new /rw:out-top/planted", "PERM"),
            ("mkdir /rw:../planted", "PERM"),
            ("mkdir /rw:out-dir/planted", "PERM"),
            ("mkdir /rw:/tmp/planted", "PERM"),
            ("rmdir /rw:../outside", "PERM"),
            ("rmdir /rw:out-top/outside", "PERM"),
            ("unlink /rw:../outside/secret.txt", "PERM"),
            ("unlink /rw:out-dir/secret.txt", "PERM"),
            ("rename /rw:../outside/secret.txt /rw:mine", "PERM"),
            ("rename /rw:out-dir/secret.txt /rw:mine", "PERM"),
            ("rename /rw:file.txt /rw:../planted", "PERM"),
            ("rename /rw:file.txt /rw:out-dir/planted", "PERM"),
            ("link /rw:../outside/secret.txt /rw:mine", "PERM"),
            ("link /rw:out-dir/secret.txt /rw:mine", "PERM"),
            ("link /rw:file.txt /rw:out-dir/planted", "PERM"),
            ("readlink /rw:out-dir/secret.txt", "PERM"),
            ("symlink file.txt /rw:out-dir/planted", "PERM"),
        ],
    );
    assert_eq!(grounds.everything_but(&[]), before);
}

fn a_link_of_the_guests_own_that_leads_out_leads_nowhere() {
    check(
        Grounds::new().sandbox(),
        &[
            ("symlink /etc/passwd /rw:mine", "PERM"),
            ("symlink .. /rw:up", "ok"),
            ("readlink /rw:up", "ok .."),
            ("lstat /rw:up", "ok link"),
            ("stat /rw:up", "PERM"),
            ("list /rw:up", "PERM"),
            ("read /rw:up/outside/secret.txt", "PERM"),
            ("open-create /rw:up/outside/planted", "PERM"),
            ("unlink /rw:up/outside/secret.txt", "PERM"),
            ("rename /rw:file.txt /rw:up/outside/planted", "PERM"),
            ("symlink ../outside/secret.txt /rw:mine", "ok"),
            ("read /rw:mine", "PERM"),
            ("open-create /rw:mine", "PERM"),
            ("symlink dir/../../outside /rw:round", "ok"),
            ("read /rw:round/secret.txt", "PERM"),
            // One that stays inside, until it is moved.
            ("symlink ../file.txt /rw:dir/near", "ok"),
            ("read /rw:dir/near", "ok contents"),
            ("rename /rw:dir/near /rw:near", "ok"),
            ("read /rw:near", "PERM"),
        ],
    );
}

fn a_hard_link_to_a_link_that_leads_out_leads_nowhere() {
    check(Grounds::new().sandbox(), &[("link /rw:out /rw:mine", "ok"), ("read /rw:mine", "PERM")]);
}

fn what_is_no_file_is_not_opened_and_nothing_waits_for_it() {
    check(
        Grounds::new().sandbox(),
        &[
            ("open-read /ro:fifo", "ACCES"),
            ("open-read /rw:fifo", "ACCES"),
            ("open-write /rw:fifo", "ACCES"),
            ("open-read-write /rw:fifo", "ACCES"),
            ("open-create /rw:fifo", "ACCES"),
            ("open-read /rw:socket", "ACCES"),
            ("open-nothing /rw:socket", "ACCES"),
            ("stat /ro:fifo", "ok other"),
            ("touch /rw:fifo", "ok"),
            ("touch-link /rw:fifo", "ok"),
            ("link /rw:fifo /rw:second", "ok"),
            ("rename /rw:second /rw:third", "ok"),
            ("unlink /rw:third", "ok"),
        ],
    );
}

fn a_device_is_not_opened() {
    use skrei_runtime::{Mode, Mount};
    let dev = Mount::open("/dev", "/dev", Mode::ReadWrite).unwrap();
    check(
        Sandbox::new().mount(dev).unwrap(),
        &[("open-read /dev:zero", "ACCES"), ("open-write /dev:null", "ACCES")],
    );
}

fn the_hosts_process_tree_is_no_way_out_even_where_it_is_mounted() {
    use skrei_runtime::{Mode, Mount};
    let proc = Mount::open("/proc/self", "/proc", Mode::ReadOnly).unwrap();
    let sandbox = Sandbox::new().mount(proc).unwrap();
    let seen = attempt(sandbox, ["open-directory /proc:root", "read /proc:root/etc/passwd"].into_iter());
    for line in seen {
        assert!(line.ends_with(": LOOP") || line.ends_with(": PERM"), "{line}");
    }
}

fn odd_names_are_refused_as_what_they_are() {
    check(
        Grounds::new().sandbox(),
        &[
            ("stat-long /ro 300", "NAMETOOLONG"),
            ("stat-long /ro 5000", "NAMETOOLONG"),
            ("stat-nul /ro", "INVAL"),
            ("stat /ro:", "NOENT"),
        ],
    );
}

/// The host swaps a directory for a link that leads out, back and forth, while the guest goes through it.
fn a_directory_swapped_for_a_link_during_the_run_leads_nowhere() {
    let grounds = Grounds::new();
    let secret = grounds.host("outside/secret.txt");
    fs::write(grounds.host("rw/dir/secret.txt"), "harmless").unwrap();
    let outside = grounds.everything_but(&["rw"]);

    let swapper = Swapper::start(&grounds);
    let seen = swapper.until_swapped(100, || {
        attempt(
            grounds.sandbox(),
            [
                format!("hammer-read /rw:dir/secret.txt {SECRET} 400").as_str(),
                "hammer-write /rw:dir/secret.txt 200",
                "hammer-mkdir /rw:dir/planted 200",
                "hammer-unlink /rw:dir/secret.txt 200",
            ]
            .into_iter(),
        )
    });
    assert!(!seen.iter().any(|line| line.contains("LEAKED")), "{seen:?}");
    assert!(!seen.iter().all(|line| line.ends_with(" 0 successes")), "no guest ever got through: {seen:?}");
    assert_eq!(fs::read_to_string(secret).unwrap(), SECRET);
    assert_eq!(grounds.everything_but(&["rw"]), outside);
}

/// The host swaps a file for a pipe that nobody else has open: who opens it and waits, waits for ever.
fn a_file_swapped_for_a_pipe_during_the_run_holds_nobody_up() {
    let grounds = Grounds::new();
    let limits = Limits { wall_time: Some(Duration::from_secs(20)), ..Limits::default() };
    let swapper = Swapper::between(grounds.host("rw/file.txt"), grounds.host("rw/fifo"));
    let seen = swapper.until_swapped(100, || {
        let sandbox = grounds.sandbox().limits(limits.clone());
        attempt(sandbox, ["hammer-read /rw:file.txt SECRET 200", "hammer-write /rw:file.txt 200"].into_iter())
    });
    assert!(!seen.iter().all(|line| line.ends_with(" 0 successes")), "no guest ever got through: {seen:?}");
}

fn without_a_mount_there_is_nothing_to_open() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    for path in ["/etc/passwd", "planted", "/tmp/planted", "../planted", "/proc/self/mem"] {
        let outcome = run(guest!(append), Sandbox::new().arg(path));
        assert!(!outcome.ending.is_success(), "{path}: {:?}", outcome.ending);
        let host = grounds.host("rw/file.txt");
        let outcome = run(guest!(append), Sandbox::new().arg(host.to_str().unwrap()));
        assert!(!outcome.ending.is_success(), "{path}: {:?}", outcome.ending);
    }
    check(Sandbox::new(), &[("preopens", "ok")]);
    assert_eq!(grounds.everything_but(&[]), before);
}

/// A guest that knows no descriptor may make one up.
#[test]
fn numbers_that_are_no_descriptors_open_nothing() {
    let opens = r#"(module
        (import "wasi_snapshot_preview1" "path_open"
            (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 64) "etc/passwd")
        (func (export "_start") (local $fd i32)
            (loop $next
                (if (i32.eqz (call $open (local.get $fd) (i32.const 1) (i32.const 64) (i32.const 10)
                        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)))
                    (then (call $exit (i32.const 1))))
                (local.set $fd (i32.add (local.get $fd) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $fd) (i32.const 100000))))
            (if (i32.ne (call $open (i32.const -1) (i32.const 1) (i32.const 64) (i32.const 10)
                    (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 0)) (i32.const 8))
                (then (call $exit (i32.const 2))))))"#;
    assert_eq!(run(opens.as_bytes(), Sandbox::new()).ending, Ending::Exited(0));
}

pub(crate) struct Swapper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU32>,
    thread: thread::JoinHandle<()>,
}

impl Swapper {
    pub(crate) fn start(grounds: &Grounds) -> Swapper {
        let link = grounds.host("rw/dir-link");
        symlink("../outside", &link).unwrap();
        Swapper::between(grounds.host("rw/dir"), link)
    }

    /// Swaps what is at one path for what is at another.
    pub(crate) fn between(one: PathBuf, other: PathBuf) -> Swapper {
        let aside = one.with_extension("aside");
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU32::new(0));
        let (stopping, counting) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                fs::rename(&one, &aside).unwrap();
                fs::rename(&other, &one).unwrap();
                thread::yield_now();
                fs::rename(&one, &other).unwrap();
                fs::rename(&aside, &one).unwrap();
                thread::yield_now();
                counting.fetch_add(1, Ordering::Relaxed);
            }
        });
        Swapper { stop, swaps, thread }
    }

    /// Lets guests loose until there were so many swaps: on a busy machine one guest may be done before. What all of
    /// them saw.
    pub(crate) fn until_swapped(self, swaps: u32, guest: impl Fn() -> Vec<String>) -> Vec<String> {
        let start = Instant::now();
        let mut seen = guest();
        while self.swaps.load(Ordering::Relaxed) < swaps {
            assert!(start.elapsed() < Duration::from_secs(60), "too few swaps: {:?}", self.swaps);
            seen.extend(guest());
        }
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        seen
    }
}

#[track_caller]
fn check_ways_out(grounds: &Grounds, operation: &str, mount: &str) {
    let attempts: Vec<String> =
        WAYS_OUT.iter().map(|(path, _)| format!("{operation} {mount}:{path}")).collect();
    let results = WAYS_OUT.iter().map(|(_, result)| *result);
    let table: Vec<(&str, &str)> = attempts.iter().map(String::as_str).zip(results).collect();
    check(grounds.sandbox(), &table);
}
