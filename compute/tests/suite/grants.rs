//! What is opened for a guest, and what is not, on a real filesystem.

use std::{
    fs,
    io::Read as _,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use skrei_compute::{
    allow_list::AllowList,
    grant::{self, Grant, Opened},
};
use skrei_job::{
    NodeId,
    outcome::{Refusal, Rule},
    ownership::Ownership,
    spec::{CreateAs, HostPath, Mode},
};
use tempfile::TempDir;

/// A directory with `open/` (and `open/file`), which tests allow, and `closed/secret`, which none does.
struct Place {
    _directory: TempDir,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        for (file, content) in [("open/file", "public"), ("closed/secret", "private")] {
            fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
            fs::write(root.join(file), content).unwrap();
        }
        Self { _directory: directory, root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A list with `ROOT` in place of `%`.
    fn list(&self, entries: &[&str]) -> AllowList {
        let root = self.root.display().to_string();
        AllowList::parse(entries.iter().map(|entry| entry.replace('%', &root))).unwrap()
    }

    fn open(&self, entries: &[&str], wanted: &HostPath) -> Result<Grant, Box<Refusal>> {
        grant::open(&self.list(entries), &NodeId::new("web-1"), wanted)
    }

    fn wanted(&self, path: &str, mode: Mode, create: CreateAs) -> HostPath {
        HostPath {
            path: format!("{}/{path}", self.root.display()),
            mode,
            create,
            ownership: Ownership::default(),
        }
    }

    fn read(&self, path: &str) -> HostPath {
        self.wanted(path, Mode::ReadOnly, CreateAs::Nothing)
    }

    fn write(&self, path: &str) -> HostPath {
        self.wanted(path, Mode::ReadWrite, CreateAs::Nothing)
    }

    fn make(&self, path: &str, create: CreateAs) -> HostPath {
        self.wanted(path, Mode::ReadWrite, create)
    }
}

fn content(grant: &Grant) -> String {
    String::from_utf8(grant.read(1000).unwrap()).unwrap()
}

fn rule<T>(refused: Result<T, Box<Refusal>>) -> Option<Rule> {
    refused.err().map(|refusal| refusal.rule)
}

#[test]
fn directories_and_files_are_opened_where_they_really_are() {
    let place = Place::new();
    for path in ["open", "open/", "open/.", "closed/../open", "open//"] {
        let grant = place.open(&["%/open"], &place.read(path)).unwrap();
        assert_eq!(grant.path, place.path("open"), "{path}");
        assert!(matches!(grant.opened, Opened::Dir(_)));
    }
    let grant = place.open(&["%/open/*"], &place.read("open/file")).unwrap();
    assert!(matches!(&grant.opened, Opened::File { name, .. } if name == "file"));
    assert_eq!((content(&grant).as_str(), grant.mode), ("public", Mode::ReadOnly));
}

#[test]
fn a_path_that_leads_out_of_the_list_is_refused_however_it_is_written() {
    let place = Place::new();
    symlink("../closed", place.path("open/out")).unwrap();
    symlink(place.path("closed/secret"), place.path("open/key")).unwrap();
    symlink("/", place.path("open/root")).unwrap();
    for path in
        ["open/out", "open/out/secret", "open/key", "open/../closed", "open/root/etc", "closed/secret"]
    {
        assert_eq!(rule(place.open(&["%/open/**:rw"], &place.read(path))), Some(Rule::AllowList), "{path}");
        assert_eq!(
            rule(place.open(&["%/open/**:rw"], &place.make(path, CreateAs::Directory))),
            Some(Rule::AllowList)
        );
    }
}

#[test]
fn a_link_into_the_list_is_followed() {
    let place = Place::new();
    symlink("open", place.path("current")).unwrap();
    let grant = place.open(&["%/open/**"], &place.read("current/file")).unwrap();
    assert_eq!((grant.path.clone(), content(&grant).as_str()), (place.path("open/file"), "public"));
}

#[test]
fn an_entry_that_is_itself_a_link_covers_where_it_led_when_the_node_started() {
    let place = Place::new();
    symlink("open", place.path("current")).unwrap();
    let list = place.list(&["%/current/*"]);
    let node = NodeId::new("web-1");
    assert_eq!(rule(grant::open(&list, &node, &place.read("current/file"))), Some(Rule::AllowList));
    let list = list.resolved(|path| path.canonicalize().ok());
    grant::open(&list, &node, &place.read("current/file")).unwrap();
    grant::open(&list, &node, &place.read("open/file")).unwrap();
    fs::remove_file(place.path("current")).unwrap();
    symlink("closed", place.path("current")).unwrap();
    assert_eq!(rule(grant::open(&list, &node, &place.read("current/secret"))), Some(Rule::AllowList));
}

#[test]
fn a_refusal_says_what_was_asked_what_it_is_what_was_tried_and_the_way_out() {
    let place = Place::new();
    symlink("../closed", place.path("open/out")).unwrap();
    let refusal = place.open(&["%/open/**", "%/x:rw"], &place.write("open/out")).unwrap_err();
    let root = place.root.display();
    for part in [
        format!("`{root}/open/out` (really `{root}/closed`)"),
        format!("`{root}/open/**`, `{root}/x:rw`"),
        "node `web-1`".to_owned(),
        "(`rw`)".to_owned(),
    ] {
        assert!(refusal.message.contains(&part), "{part} in: {}", refusal.message);
    }
    let hint = refusal.hint.unwrap();
    assert!(hint.ends_with(&format!("`-c Compute.AllowListedLocalPaths={root}/closed:rw`")), "{hint}");

    let refusal = place.open(&["%/open/**"], &place.write("open")).unwrap_err();
    assert!(
        refusal.message.ends_with(&format!("the entry that allows it is read-only (`{root}/open/**`)")),
        "{refusal}"
    );
}

#[test]
fn what_is_missing_is_made_only_where_it_may_be_written_and_only_if_asked_for() {
    let place = Place::new();
    let entries = &["%/open/**:rw", "%/closed/**"];
    assert_eq!(rule(place.open(entries, &place.read("open/new"))), Some(Rule::MissingPath));
    assert_eq!(rule(place.open(entries, &place.write("open/new"))), Some(Rule::MissingPath));
    assert_eq!(
        rule(place.open(entries, &place.make("closed/new", CreateAs::Directory))),
        Some(Rule::AllowList)
    );
    assert_eq!(rule(place.open(entries, &place.make("new", CreateAs::Directory))), Some(Rule::AllowList));
    assert_eq!(rule(place.open(entries, &place.make("open/f/", CreateAs::File))), Some(Rule::MissingPath));
    assert!(
        !place.path("closed/new").exists() && !place.path("new").exists() && !place.path("open/f").exists()
    );

    let grant = place.open(entries, &place.make("open/a/b/", CreateAs::Directory)).unwrap();
    assert!(matches!(grant.opened, Opened::Dir(_)));
    for made in ["open/a", "open/a/b"] {
        assert_eq!(fs::metadata(place.path(made)).unwrap().permissions().mode() & 0o777, 0o700, "{made}");
    }
    let grant = place.open(entries, &place.make("open/c/new", CreateAs::File)).unwrap();
    assert_eq!((grant.path.clone(), content(&grant).as_str()), (place.path("open/c/new"), ""));
    place.open(entries, &place.make("open/file", CreateAs::File)).unwrap();
    assert_eq!(fs::read(place.path("open/file")).unwrap(), b"public");
}

#[test]
fn nothing_is_made_through_a_dangling_link() {
    let place = Place::new();
    symlink(place.path("closed/new"), place.path("open/dangling")).unwrap();
    for create in [CreateAs::Directory, CreateAs::File] {
        let refused = place.open(&["%/open/**:rw"], &place.make("open/dangling", create));
        assert_eq!(rule(refused), Some(Rule::MissingPath));
    }
    assert_eq!(fs::read_dir(place.path("closed")).unwrap().count(), 1);
}

#[test]
fn only_directories_and_regular_files_are_mounted() {
    let place = Place::new();
    let _socket = std::os::unix::net::UnixListener::bind(place.path("open/socket")).unwrap();
    let refusal = place.open(&["%/open/**"], &place.read("open/socket")).unwrap_err();
    assert_eq!(refusal.rule, Rule::Unsupported);
    assert!(refusal.message.contains("a socket"), "{refusal}");
    let null = HostPath {
        path: "/dev/null".to_owned(),
        mode: Mode::ReadOnly,
        create: CreateAs::Nothing,
        ownership: Ownership::default(),
    };
    assert_eq!(rule(place.open(&["/dev/*"], &null)), Some(Rule::Unsupported));
    let relative = HostPath {
        path: "open".to_owned(),
        mode: Mode::ReadOnly,
        create: CreateAs::Nothing,
        ownership: Ownership::default(),
    };
    assert_eq!(rule(place.open(&["/**"], &relative)), Some(Rule::AllowList));
}

#[test]
fn a_served_path_stays_within_the_place_it_is_served_from() {
    let place = Place::new();
    let entries = &["%/open:/etc/nginx/ssl:rw"];
    let wanted = |path: &str| HostPath {
        path: path.to_owned(),
        mode: Mode::ReadWrite,
        create: CreateAs::Directory,
        ownership: Ownership::default(),
    };
    assert_eq!(place.open(entries, &wanted("/etc/nginx/ssl")).unwrap().path, place.path("open"));
    assert_eq!(place.open(entries, &wanted("/etc/nginx/ssl/new")).unwrap().path, place.path("open/new"));
    symlink("../closed", place.path("open/out")).unwrap();
    assert_eq!(rule(place.open(entries, &wanted("/etc/nginx/ssl/out"))), Some(Rule::AllowList));
    assert_eq!(rule(place.open(entries, &wanted("/etc/nginx"))), Some(Rule::AllowList));
    assert_eq!(rule(place.open(entries, &place.write("open"))), Some(Rule::AllowList));
}

/// Runs `attack` on another thread as long as `work` goes on.
fn under_attack(attack: impl Fn() + Sync, work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                attack();
            }
        });
        work();
        over.store(true, Ordering::Relaxed);
    });
}

fn relink(link: &Path, target: &str) {
    let fresh = link.with_extension("fresh");
    let _ = fs::remove_file(&fresh);
    symlink(target, &fresh).unwrap();
    fs::rename(&fresh, link).unwrap();
}

#[test]
fn a_link_that_is_swapped_while_it_is_opened_never_gives_what_is_not_allowed() {
    let place = Place::new();
    fs::write(place.path("closed/file"), "private").unwrap();
    let link = place.path("link");
    relink(&link, "open");
    let attack = || {
        relink(&link, "closed");
        relink(&link, "open");
    };
    let (mut granted, mut refused) = (0, 0);
    under_attack(attack, || {
        for _ in 0..3000 {
            match place.open(&["%/open/**"], &place.read("link")) {
                Ok(Grant { opened: Opened::Dir(dir), .. }) => {
                    let mut content = String::new();
                    dir.open("file").unwrap().read_to_string(&mut content).unwrap();
                    assert_eq!(content, "public");
                    granted += 1;
                }
                Ok(_) => panic!("a directory was asked for"),
                Err(_) => refused += 1,
            }
            if let Ok(grant) = place.open(&["%/open/**"], &place.read("link/file")) {
                assert_eq!(content(&grant), "public");
            }
        }
    });
    assert!(granted > 0 && refused > 0, "the race was run: {granted} granted, {refused} refused");
}

#[test]
fn nothing_is_made_through_a_directory_that_is_swapped_for_a_link() {
    let place = Place::new();
    let (real, gone) = (place.path("open/dir"), place.path("open/dir.gone"));
    fs::create_dir(&real).unwrap();
    let attack = || {
        let _ = fs::rename(&real, &gone);
        let _ = symlink(place.path("closed"), &real);
        let _ = fs::remove_file(&real);
        if fs::rename(&gone, &real).is_err() {
            // It was made anew meanwhile, as it was asked to be.
            let _ = fs::remove_dir_all(&real);
        }
    };
    under_attack(attack, || {
        for number in 0..2000 {
            let _ = place
                .open(&["%/open/**:rw"], &place.make(&format!("open/dir/{number}"), CreateAs::Directory));
        }
    });
    assert_eq!(fs::read_dir(place.path("closed")).unwrap().count(), 1, "only the secret is there");
}
