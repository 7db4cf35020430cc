//! A host directory with something of everything in it, and guests let loose on it.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use skrei_runtime::{Config, Ending, Mode, Module, Mount, Outcome, Runtime, Sandbox};

/// Which kind of guest a story is told with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// A module on WASI preview 1.
    P1,
    /// A component on WASI 0.2.
    P2,
    /// A component on WASI 0.3.
    P3,
}

thread_local! {
    static WORLD: Cell<World> = const { Cell::new(World::P1) };
}

impl World {
    /// That of the story being told on this thread.
    pub(crate) fn current() -> World {
        WORLD.get()
    }

    pub(crate) fn tell(self, story: fn()) {
        WORLD.set(self);
        story();
    }

    /// What comes of an operation in this world, where it comes to something else than in preview 1.
    fn result(self, operation: &str, result: &str) -> String {
        let name = operation.split(' ').next().unwrap_or_default();
        match (self, name) {
            // WASI 0.2 has no call that reserves space, and no word for too many open files.
            (World::P2 | World::P3, "allocate" | "allocate-reader") => "NOTSUP".to_owned(),
            (World::P2, "open-many") => result.replace("MFILE", "NOMEM"),
            // What programs for preview 1 are linked with for 0.2 keeps directories and files apart by itself.
            (World::P2, "touch-dir" | "sync-dir" | "read-dir-as-file") => "BADF".to_owned(),
            (World::P2 | World::P3, "list-bad-cookie") => "ok".to_owned(),
            _ => result.to_owned(),
        }
    }
}

/// The tests of a file that tell the same of guests of every world: functions without `#[test]`.
macro_rules! in_each_world {
    ($($story:ident)*) => {
        mod p1 {
            $(#[test] fn $story() { crate::grounds::World::P1.tell(super::$story); })*
        }
        mod p2 {
            $(#[test] fn $story() { crate::grounds::World::P2.tell(super::$story); })*
        }
        mod p3 {
            $(#[test] fn $story() { crate::grounds::World::P3.tell(super::$story); })*
        }
    };
}
pub(crate) use in_each_world;

/// One of the guest programs, built for the current world.
macro_rules! guest {
    ($program:ident) => {
        match crate::grounds::World::current() {
            crate::grounds::World::P1 => skrei_test_guests::$program(),
            crate::grounds::World::P2 => skrei_test_guests::p2::$program(),
            crate::grounds::World::P3 => skrei_test_guests::p3::$program(),
        }
    };
}
pub(crate) use guest;

/// What lies outside every mount, and must never be seen or changed.
pub(crate) const SECRET: &str = "SECRET";

/// The runtime of all tests.
pub(crate) fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new(Config::default()).unwrap());
    &RUNTIME
}

pub(crate) fn load(wasm: &[u8]) -> Module {
    runtime().load(wasm).unwrap()
}

/// Runs a guest to its end.
pub(crate) fn run(wasm: &[u8], sandbox: Sandbox) -> Outcome {
    load(wasm).run_blocking(sandbox).unwrap()
}

/// Three directories with the same things in them, to be mounted, beside one with a secret.
pub(crate) struct Grounds {
    temp: tempfile::TempDir,
}

impl Grounds {
    pub(crate) fn new() -> Grounds {
        let grounds = Grounds { temp: tempfile::tempdir().unwrap() };
        fs::create_dir(grounds.host("outside")).unwrap();
        fs::write(grounds.host("outside/secret.txt"), SECRET).unwrap();
        for name in ["ro", "rw", "rw2"] {
            grounds.populate(&grounds.host(name));
        }
        grounds
    }

    /// ```text
    /// file.txt             contents
    /// dir/inner.txt        inner
    /// empty/
    /// to-file, to-dir      stay inside; dir/up and dir/round too
    /// dangling, loop       lead nowhere
    /// out, out-absolute    lead to outside/secret.txt
    /// out-dir, out-top     lead to outside, and to the directory above the mount
    /// chain-1              leads out through chain-2 and chain-3
    /// fifo, socket         are no files
    /// ```
    fn populate(&self, dir: &Path) {
        let outside = self.host("outside");
        fs::create_dir_all(dir.join("dir")).unwrap();
        fs::create_dir_all(dir.join("empty")).unwrap();
        fs::write(dir.join("file.txt"), "contents").unwrap();
        fs::write(dir.join("dir/inner.txt"), "inner").unwrap();
        let links: [(&Path, &str); 13] = [
            (Path::new("file.txt"), "to-file"),
            (Path::new("dir"), "to-dir"),
            (Path::new("../file.txt"), "dir/up"),
            (Path::new("../dir/../file.txt"), "dir/round"),
            (Path::new("nowhere"), "dangling"),
            (Path::new("loop"), "loop"),
            (Path::new("../outside/secret.txt"), "out"),
            (&outside.join("secret.txt"), "out-absolute"),
            (Path::new("../outside"), "out-dir"),
            (Path::new(".."), "out-top"),
            (Path::new("chain-2"), "chain-1"),
            (Path::new("dir/../chain-3"), "chain-2"),
            (Path::new("out-dir/secret.txt"), "chain-3"),
        ];
        for (target, name) in links {
            symlink(target, dir.join(name)).unwrap();
        }
        rustix::fs::mkfifoat(rustix::fs::CWD, dir.join("fifo"), rustix::fs::Mode::RWXU).unwrap();
        drop(UnixListener::bind(dir.join("socket")).unwrap());
    }

    /// A path on the host.
    pub(crate) fn host(&self, path: &str) -> PathBuf {
        self.temp.path().join(path)
    }

    /// `/ro` read-only, `/rw` and `/rw2` read-write.
    pub(crate) fn sandbox(&self) -> Sandbox {
        let mount = |name: &str, mode| Mount::open(self.host(name), format!("/{name}"), mode).unwrap();
        Sandbox::new()
            .mount(mount("ro", Mode::ReadOnly))
            .and_then(|sandbox| sandbox.mount(mount("rw", Mode::ReadWrite)))
            .and_then(|sandbox| sandbox.mount(mount("rw2", Mode::ReadWrite)))
            .unwrap()
    }

    /// Everything there is, and what is in it, outside of `except`.
    pub(crate) fn everything_but(&self, except: &[&str]) -> BTreeMap<PathBuf, String> {
        let mut seen = BTreeMap::new();
        record(self.temp.path(), self.temp.path(), except, &mut seen);
        seen
    }
}

/// A guest's attempts, each with what must come of it.
pub(crate) type Table<'a> = &'a [(&'a str, &'a str)];

/// Has a guest attempt every operation of the table, in order, and compares all that came of them.
#[track_caller]
pub(crate) fn check(sandbox: Sandbox, table: Table<'_>) {
    let seen = attempt(sandbox, table.iter().map(|(operation, _)| *operation));
    let world = World::current();
    let expected: Vec<String> = table
        .iter()
        .map(|(operation, result)| format!("{operation}: {}", world.result(operation, result)))
        .collect();
    let wrong: Vec<_> = expected.iter().zip(&seen).filter(|(expected, seen)| expected != seen).collect();
    assert!(wrong.is_empty(), "expected, seen: {wrong:#?}");
    assert_eq!(seen.len(), expected.len());
}

/// Has a guest attempt operations, and gives a line for each.
#[track_caller]
pub(crate) fn attempt<'a>(sandbox: Sandbox, operations: impl Iterator<Item = &'a str>) -> Vec<String> {
    let outcome = run(guest!(probe), sandbox.args(operations));
    assert_eq!(outcome.ending, Ending::Exited(0), "{}", outcome.stderr);
    outcome.stdout.to_string().lines().map(str::to_owned).collect()
}

fn record(root: &Path, path: &Path, except: &[&str], seen: &mut BTreeMap<PathBuf, String>) {
    let relative = path.strip_prefix(root).unwrap();
    if except.iter().any(|except| Path::new(except) == relative) {
        return;
    }
    let metadata = path.symlink_metadata().unwrap();
    let kind = metadata.file_type();
    let description = if kind.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            record(root, &entry.unwrap().path(), except, seen);
        }
        "directory".to_owned()
    } else if kind.is_symlink() {
        format!("link to {}", fs::read_link(path).unwrap().display())
    } else if kind.is_fifo() || kind.is_socket() {
        "special".to_owned()
    } else {
        fs::read_to_string(path).unwrap()
    };
    seen.insert(relative.to_owned(), format!("{description} {:?}", metadata.modified().unwrap()));
}
