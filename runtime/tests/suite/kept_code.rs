//! Compiled code outlives its process, and nothing but that is ever loaded.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use skrei_runtime::{CompilerProcess, Config, Ending, Error, Runtime, Sandbox, load};

fn runtime(dir: &Path) -> Runtime {
    Runtime::new(Config { guests_max: 4, code_dir: Some(dir.to_owned()), ..Config::default() }).unwrap()
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap() != "key");
    paths.sort();
    paths
}

fn runs(runtime: &Runtime) {
    let outcome = runtime.load(skrei_test_guests::noop()).unwrap().run_blocking(Sandbox::new()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0));
}

/// A moment long ago, to see whether an entry was used since.
fn long_ago(path: &Path) {
    fs::File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
}

fn was_used(path: &Path) -> bool {
    fs::metadata(path).unwrap().modified().unwrap() > SystemTime::UNIX_EPOCH
}

#[test]
fn what_one_process_compiled_the_next_one_finds() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("code");
    runs(&runtime(&dir));
    let [entry] = entries(&dir).try_into().unwrap();
    long_ago(&entry);
    runs(&runtime(&dir));
    assert!(was_used(&entry));
    assert_eq!(fs::metadata(&dir).unwrap().permissions().mode() & 0o777, 0o700);
    for file in [entry, dir.join("key")] {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
    }
}

#[test]
fn an_entry_that_was_changed_cut_short_or_swapped_is_compiled_anew() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("code");
    runs(&runtime(&dir));
    let [entry] = entries(&dir).try_into().unwrap();
    let genuine = fs::read(&entry).unwrap();
    let other = runtime(&dir);
    other.load(skrei_test_guests::exit()).unwrap();
    let swapped = entries(&dir).into_iter().find(|path| *path != entry).unwrap();

    let mut changed = genuine.clone();
    *changed.last_mut().unwrap() ^= 1;
    let attacks = [changed, genuine[..genuine.len() / 2].to_vec(), Vec::new(), fs::read(&swapped).unwrap()];
    for attack in attacks {
        fs::write(&entry, &attack).unwrap();
        runs(&runtime(&dir));
        assert_eq!(fs::read(&entry).unwrap().len(), genuine.len(), "it was written anew");
    }
}

#[test]
fn code_written_with_another_key_is_not_loaded() {
    let temp = tempfile::tempdir().unwrap();
    let (ours, theirs) = (temp.path().join("ours"), temp.path().join("theirs"));
    runs(&runtime(&theirs));
    runs(&runtime(&ours));
    let [entry] = entries(&ours).try_into().unwrap();
    let forged = fs::read(theirs.join(entry.file_name().unwrap())).unwrap();
    fs::write(&entry, &forged).unwrap();
    runs(&runtime(&ours));
    assert_ne!(fs::read(&entry).unwrap(), forged);
}

#[test]
fn a_directory_that_others_may_enter_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    fs::set_permissions(temp.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let config = Config { code_dir: Some(temp.path().to_owned()), ..Config::default() };
    let refused = Runtime::new(config).unwrap_err();
    assert!(matches!(refused, Error::CodeDir { .. }), "{refused:?}");
    assert!(refused.to_string().contains("0700"), "{refused}");
}

#[test]
fn what_was_used_longest_ago_goes_first() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("code");
    runs(&runtime(&dir));
    let [first] = entries(&dir).try_into().unwrap();
    let bytes = fs::metadata(&first).unwrap().len();
    long_ago(&first);
    let config =
        Config { code_dir: Some(dir.clone()), code_bytes_max: bytes + bytes / 2, ..Config::default() };
    Runtime::new(config).unwrap().load(skrei_test_guests::exit()).unwrap();
    let left = entries(&dir);
    assert!(!left.contains(&first) && left.len() == 1, "{left:?}");
}

#[test]
fn a_write_that_was_cut_short_is_cleared_away() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("code");
    runs(&runtime(&dir));
    let (old, new) = (dir.join(".new-0"), dir.join(".new-1"));
    fs::write(&old, "half").unwrap();
    fs::write(&new, "half").unwrap();
    long_ago(&old);
    runtime(&dir).load(skrei_test_guests::exit()).unwrap();
    assert!(!old.exists());
    assert!(new.exists(), "somebody may be writing it");
}

fn with_compiler(compiler: CompilerProcess) -> Runtime {
    let compiler = CompilerProcess { module_bytes_min: 0, ..compiler };
    Runtime::new(Config { guests_max: 4, compiler: Some(compiler), ..Config::default() }).unwrap()
}

#[test]
fn a_compiler_that_takes_too_long_is_stopped() {
    let slow = CompilerProcess {
        time_max: Duration::from_millis(50),
        ..CompilerProcess::new("/bin/sh").arg("-c").arg("exec sleep 60")
    };
    let refused = with_compiler(slow).load(skrei_test_guests::noop()).unwrap_err();
    assert_eq!(refused, load::Error::CompileTime { time_max: Duration::from_millis(50) });
}

#[test]
fn a_compiler_that_dies_or_is_not_there_is_said_so() {
    for compiler in [
        CompilerProcess::new("/bin/sh").arg("-c").arg("kill -9 $$"),
        CompilerProcess::new("/bin/sh").arg("-c").arg("exit 3"),
        CompilerProcess::new("/bin/sh").arg("-c").arg("exit 0"),
        CompilerProcess::new("/bin/sh").arg("-c").arg("echo nonsense"),
        CompilerProcess::new("/nowhere/compiler"),
    ] {
        let refused = with_compiler(compiler).load(skrei_test_guests::noop()).unwrap_err();
        assert!(matches!(refused, load::Error::Compiler { .. }), "{refused}");
    }
}
