//! What the entries of an allow-list mean.

use std::{io::ErrorKind, path::Path};

use proptest::prelude::*;
use skrei_compute::allow_list::{AllowList, Decision};
use skrei_job::spec::Mode;

fn allows(entry: &str, path: &str, mode: Mode) -> bool {
    let list = AllowList::parse([entry]).unwrap();
    let path = Path::new(path);
    matches!(list.decide(path, path, mode), Decision::Granted { .. })
}

#[test]
fn patterns_match_whole_resolved_paths() {
    for (pattern, matching, others) in [
        (
            "/etc/nginx/ssl",
            &["/etc/nginx/ssl"][..],
            &["/etc/nginx/ssl/key", "/etc/nginx", "/etc/nginx/ssl2"][..],
        ),
        ("/etc/nginx/ssl/", &["/etc/nginx/ssl"], &["/etc/nginx/ssl/key"]),
        ("/data/*", &["/data/a", "/data/.hidden"], &["/data", "/data/a/b", "/", "/etc"]),
        ("/data/**", &["/data", "/data/a", "/data/a/.b/c"], &["/database", "/etc/passwd", "/"]),
        (
            "/data/**/*.txt",
            &["/data/x.txt", "/data/a/b/x.txt", "/data/.txt"],
            &["/data/x.md", "/data", "/x.txt"],
        ),
        ("/data/a**", &["/data/a", "/data/ab"], &["/data/ab/c", "/data/b"]),
        ("/data/**b", &["/data/b", "/data/ab"], &["/data/a/b"]),
        ("/data/{a,b}", &["/data/a", "/data/b"], &["/data/c", "/data/ab", "/data/{a,b}"]),
        ("/{data/x,srv}/y", &["/data/x/y", "/srv/y"], &["/data/y", "/y"]),
        ("/data/[ab]", &["/data/a"], &["/data/c", "/data/ab"]),
        ("/data/[^a]", &["/data/b"], &["/data/a", "/data"]),
        ("/data/[!a]", &["/data/b"], &["/data/a"]),
        ("/data/?", &["/data/a", "/data/é"], &["/data/ab", "/data"]),
        (r"/data/\*", &["/data/*"], &["/data/a"]),
        (r"/data/a\:rw", &["/data/a:rw"], &["/data/a"]),
        ("/data/a:b", &["/data/a:b"], &["/data/a"]),
        ("/**", &["/", "/a", "/a/b"], &[]),
        ("/", &["/"], &["/a"]),
        ("//data/./a", &["/data/a"], &[]),
    ] {
        for path in matching {
            assert!(allows(pattern, path, Mode::ReadOnly), "`{pattern}` should match `{path}`");
        }
        for path in others {
            assert!(!allows(pattern, path, Mode::ReadOnly), "`{pattern}` should not match `{path}`");
        }
    }
}

#[test]
fn an_entry_is_read_only_unless_it_says_otherwise() {
    for (entry, read, write) in
        [("/a", true, false), ("/a:ro", true, false), ("/a:rw", true, true), (" /a:rw ", true, true)]
    {
        assert_eq!(
            (allows(entry, "/a", Mode::ReadOnly), allows(entry, "/a", Mode::ReadWrite)),
            (read, write),
            "{entry}"
        );
    }
}

#[test]
fn the_granted_mode_is_the_one_asked_for_and_a_later_entry_can_give_more() {
    let list = AllowList::parse(["/data/**", "/data/w:rw"]).unwrap();
    let decide = |path: &str, mode| match list.decide(Path::new(path), Path::new(path), mode) {
        Decision::Granted { entry, mode } => format!("{entry} {}", mode.as_str()),
        Decision::Insufficient { entries } => format!("insufficient {}", entries[0]),
        Decision::NotListed => "not listed".to_owned(),
    };
    assert_eq!(decide("/data/w", Mode::ReadOnly), "/data/** ro");
    assert_eq!(decide("/data/w", Mode::ReadWrite), "/data/w:rw rw");
    assert_eq!(decide("/data/x", Mode::ReadWrite), "insufficient /data/**");
    assert_eq!(decide("/etc", Mode::ReadOnly), "not listed");
}

#[test]
fn an_empty_list_allows_nothing() {
    let list = AllowList::default();
    assert!(list.is_empty());
    assert_eq!(list.decide(Path::new("/"), Path::new("/"), Mode::ReadOnly), Decision::NotListed);
}

#[test]
fn what_cannot_be_understood_is_refused_when_it_is_read() {
    for (entry, complaint) in [
        ("", "is empty"),
        ("data", "is not an absolute path"),
        ("./data:rw", "is not an absolute path"),
        ("/data/[", "has a `[` without its `]`"),
        ("/data/{a", "has a `{` without its `}`"),
        ("/data/a}", "has a `}` without its `{`"),
        ("/data/\\", "ends with a `\\` that escapes nothing"),
        ("/data/../etc", "has `..` in it"),
        ("/data:wr", "ends with `:wr`, which is no mode"),
        ("/data:RW", "ends with `:RW`, which is no mode"),
        ("/srv/*:/data:rw", "`/srv/*` is not a plain absolute path"),
        ("srv:/data", "`srv` is not a plain absolute path"),
        ("/srv:/a:/b", "names more than two paths"),
    ] {
        let error = AllowList::parse(["/fine", entry]).unwrap_err();
        assert!(error.to_string().contains(complaint), "{entry}: {error}");
        assert!(!error.hint().is_empty());
    }
}

#[test]
fn a_served_path_is_looked_up_elsewhere_and_nowhere_else() {
    let list =
        AllowList::parse(["/etc/nginx/**:rw", "/srv/node-1:/etc/nginx/ssl", "/srv/node-2:/etc/nginx/ssl:rw"])
            .unwrap();
    let host = |asked: &str, mode| list.host_path(Path::new(asked), mode).display().to_string();
    assert_eq!(host("/etc/nginx/ssl", Mode::ReadOnly), "/srv/node-1");
    assert_eq!(host("/etc/nginx/ssl/", Mode::ReadWrite), "/srv/node-2");
    assert_eq!(host("/etc/nginx/./ssl/live/a.pem", Mode::ReadOnly), "/srv/node-1/live/a.pem");
    assert_eq!(host("/etc/nginx/conf.d", Mode::ReadOnly), "/etc/nginx/conf.d");
    assert_eq!(host("/etc/nginx/ssl/../conf.d", Mode::ReadOnly), "/etc/nginx/ssl/../conf.d");

    let decide = |asked: &str, resolved: &str, mode| {
        matches!(list.decide(Path::new(asked), Path::new(resolved), mode), Decision::Granted { .. })
    };
    assert!(decide("/etc/nginx/ssl/a", "/srv/node-1/a", Mode::ReadOnly));
    assert!(!decide("/etc/nginx/ssl/a", "/srv/node-1/a", Mode::ReadWrite));
    assert!(decide("/etc/nginx/ssl/a", "/srv/node-2/a", Mode::ReadWrite));
    // A link in the served place that leads out of it, even to what another entry allows.
    assert!(!decide("/etc/nginx/ssl/a", "/etc/nginx/conf.d", Mode::ReadOnly));
    assert!(!decide("/etc/nginx/ssl/a", "/srv/node-10/a", Mode::ReadOnly));
    // The place it is served from has no other name.
    assert!(!decide("/srv/node-1/a", "/srv/node-1/a", Mode::ReadOnly));
}

/// One step of a pattern and of a path, over few letters so that they meet often.
fn pattern_step() -> impl Strategy<Value = String> {
    prop_oneof![Just("**".to_owned()), "[ab*?]{1,3}", "[ab]"]
}

/// The same question answered in the plainest way: by trying every split.
fn naive(pattern: &[String], path: &[String]) -> bool {
    match pattern.split_first() {
        None => path.is_empty(),
        Some((first, rest)) if first == "**" => (0..=path.len()).any(|taken| naive(rest, &path[taken..])),
        Some((first, rest)) => path
            .split_first()
            .is_some_and(|(name, names)| naive_step(first.as_bytes(), name.as_bytes()) && naive(rest, names)),
    }
}

fn naive_step(glob: &[u8], name: &[u8]) -> bool {
    match glob.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|taken| naive_step(rest, &name[taken..])),
        Some((token, rest)) => name
            .split_first()
            .is_some_and(|(first, names)| (*token == b'?' || token == first) && naive_step(rest, names)),
    }
}

proptest! {
    #[test]
    fn patterns_agree_with_the_plainest_reading(
        pattern in prop::collection::vec(pattern_step(), 0..5),
        path in prop::collection::vec("[ab]{1,3}", 0..6),
    ) {
        let (entry, resolved) = (format!("/{}", pattern.join("/")), format!("/{}", path.join("/")));
        prop_assert_eq!(allows(&entry, &resolved, Mode::ReadOnly), naive(&pattern, &path), "{} on {}", entry, resolved);
    }

    #[test]
    fn any_text_is_read_or_refused(entry in ".{0,40}") {
        let _ = AllowList::parse([entry]);
    }
}

#[test]
fn a_node_that_cannot_write_what_it_lets_jobs_write_says_which_entry_and_the_way_out() {
    let list = AllowList::parse([
        "/etc/nginx/ssl:rw",
        "/srv/www:/var/www:rw",
        "/var/log:ro",
        "/data/*:rw",
        "/not/yet:rw",
        "/tmp/jobs:rw",
    ])
    .unwrap();
    let broken = list.broken(|path| match path.to_str().unwrap() {
        "/etc/nginx/ssl" => Err(ErrorKind::ReadOnlyFilesystem.into()),
        "/srv/www" => Err(ErrorKind::PermissionDenied.into()),
        "/not/yet" => Err(ErrorKind::NotFound.into()),
        "/tmp/jobs" => Ok(()),
        other => panic!("nobody asked to write `{other}`"),
    });
    let said: Vec<_> = broken.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("`/etc/nginx/ssl:rw`") && said[0].contains("ReadWritePaths=/etc/nginx/ssl"),
        "{said:?}"
    );
    assert!(
        said[1].contains("`/srv/www:/var/www:rw`") && said[1].contains("write access to `/srv/www`"),
        "{said:?}"
    );
}
