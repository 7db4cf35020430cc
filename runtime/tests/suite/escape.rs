//! No path leads out of a mount.

use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use crate::grounds::{Grounds, SECRET, Table, attempt, check, in_each_world};

in_each_world! {
    no_way_out_can_be_read
    no_way_out_can_be_written
    nothing_is_made_moved_or_removed_outside
    no_link_that_leads_out_can_be_made
    a_hard_link_to_a_link_that_leads_out_leads_nowhere
    what_is_no_file_is_not_opened_and_nothing_waits_for_it
    a_device_is_not_opened
    the_hosts_process_tree_is_no_way_out_even_where_it_is_mounted
    odd_names_are_refused_as_what_they_are
    a_directory_swapped_for_a_link_during_the_run_leads_nowhere
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

fn no_link_that_leads_out_can_be_made() {
    let grounds = Grounds::new();
    let before = grounds.everything_but(&[]);
    check(
        grounds.sandbox(),
        &[
            ("symlink /etc/passwd /rw:mine", "PERM"),
            ("symlink .. /rw:mine", "PERM"),
            ("symlink ../outside /rw:mine", "PERM"),
            ("symlink dir/../../outside /rw:mine", "PERM"),
            ("symlink ../../outside /rw:dir/mine", "PERM"),
            // The link lies deeper by its name than in truth.
            ("symlink ../../outside /rw:dir/../dir/mine", "PERM"),
        ],
    );
    assert_eq!(grounds.everything_but(&[]), before);
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
        ],
    );
}

fn a_device_is_not_opened() {
    use skrei_runtime::{Mode, Mount, Sandbox};
    let dev = Mount::open("/dev", "/dev", Mode::ReadWrite).unwrap();
    check(
        Sandbox::new().mount(dev).unwrap(),
        &[("open-read /dev:zero", "ACCES"), ("open-write /dev:null", "ACCES")],
    );
}

fn the_hosts_process_tree_is_no_way_out_even_where_it_is_mounted() {
    use skrei_runtime::{Mode, Mount, Sandbox};
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

pub(crate) struct Swapper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU32>,
    thread: thread::JoinHandle<()>,
}

impl Swapper {
    pub(crate) fn start(grounds: &Grounds) -> Swapper {
        let (dir, aside, link) =
            (grounds.host("rw/dir"), grounds.host("rw/dir-aside"), grounds.host("rw/dir-link"));
        symlink("../outside", &link).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU32::new(0));
        let (stopping, counting) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                fs::rename(&dir, &aside).unwrap();
                fs::rename(&link, &dir).unwrap();
                thread::yield_now();
                fs::rename(&dir, &link).unwrap();
                fs::rename(&aside, &dir).unwrap();
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
