//! `skrei run`: guests as programs.

use skrei_test_guests as guests;

use crate::skrei::{Desk, Said};

fn run(guest: &[u8], words: &[&str], stdin: &[u8]) -> Said {
    let desk = Desk::new();
    desk.put("guest.wasm", guest);
    let words: Vec<_> = ["run", "guest.wasm"].iter().chain(words).copied().collect();
    desk.skrei_with(&words, stdin)
}

#[test]
fn output_comes_through_unchanged() {
    let said = run(guests::noop(), &[], b"");
    assert_eq!(said.transcript(), "hello\n[exit code 0]");
    let said = run(guests::echo(), &[], b"one\ntwo");
    assert_eq!(said.transcript(), "one\ntwo[exit code 0]");
    let said = run(guests::chatter(), &["--", "3000000", "stderr"], b"");
    assert_eq!((said.stdout.len(), said.stderr.len()), (0, 3_000_000));
}

#[test]
fn the_guest_gets_its_arguments_and_the_variables_given() {
    let said = run(guests::env(), &["--env", "A=1=2", "--", "--help", "x y"], b"");
    assert_eq!(said.code, 0, "{said:?}");
    for line in ["arg: --help", "arg: x y", "env: A=1=2"] {
        assert!(said.stdout.lines().any(|said| said == line), "{said:?}");
    }
    // Those that look like none of ours need no `--` before them.
    let said = run(guests::env(), &["one", "two", "--env", "A=1", "--", "-three", "four"], b"");
    let args: Vec<_> = said.stdout.lines().filter_map(|line| line.strip_prefix("arg: ")).collect();
    assert!(args.ends_with(&["one", "two", "-three", "four"]), "{said:?}");
    let said = run(guests::env(), &["one", "--two"], b"");
    assert!(said.code == 2 && said.stderr.contains("-- --two"), "{said:?}");
}

#[test]
fn the_guest_of_a_module_has_nothing_that_it_was_not_given() {
    for guest in [guests::env(), guests::p2::env(), guests::p3::env()] {
        let variables = |words: &[&str]| {
            let said = run(guest, words, b"");
            let variables: Vec<_> = said.stdout.lines().filter(|line| line.starts_with("env: ")).collect();
            variables.join(", ")
        };
        assert_eq!(variables(&[]), "");
        assert_eq!(variables(&["--env", "A=1", "--env", "B=2"]), "env: A=1, env: B=2");
    }
    // It ends with the number of directories it found opened.
    let directories = br#"(module
        (import "wasi_snapshot_preview1" "fd_prestat_get" (func $get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $found i32)
            (loop $next
                (if (i32.eqz (call $get (i32.add (local.get $found) (i32.const 3)) (i32.const 0)))
                    (then
                        (local.set $found (i32.add (local.get $found) (i32.const 1)))
                        (br $next))))
            (call $exit (local.get $found))))"#;
    assert_eq!(run(directories, &[], b"").code, 0);
    assert_eq!(run(directories, &["--dir", ".::/one", "--dir", ".::/two"], b"").code, 2);
}

#[test]
fn exit_codes_are_the_guests_own() {
    for code in ["0", "1", "3", "125"] {
        assert_eq!(run(guests::exit(), &["--", code], b"").code.to_string(), code);
    }
    let said = run(guests::exit(), &["--", "200"], b"");
    assert_eq!(said.code, 125);
    assert!(said.stderr.contains("exited with code 200"), "{said:?}");
}

#[test]
fn a_component_runs_as_a_module_does() {
    let said = run(guests::p2::echo(), &[], b"one\ntwo");
    assert_eq!(said.transcript(), "one\ntwo[exit code 0]");
    let said = run(guests::p2::trap(), &[], b"");
    assert_eq!(said.code, 134, "{said:?}");
    let code = r#"(component
        (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit-with-code" (func (param "status-code" u8)))))
        (core func $exit (canon lower (func $exit "exit-with-code")))
        (core module $main
            (import "host" "exit" (func $exit (param i32)))
            (func (export "run") (result i32) (call $exit (i32.const 42)) unreachable))
        (core instance $main (instantiate $main (with "host" (instance (export "exit" (func $exit))))))
        (func $run (result (result)) (canon lift (core func $main "run")))
        (instance $cli (export "run" (func $run)))
        (export "wasi:cli/run@0.2.0" (instance $cli)))"#;
    assert_eq!(run(code.as_bytes(), &[], b"").code, 42);
    let lacks = br#"(component (import "acme:x/y@1.0.0" (instance (export "f" (func))))
        (instance $empty) (export "wasi:cli/run@0.2.0" (instance $empty)))"#;
    let said = run(lacks, &[], b"");
    assert_eq!(said.code, 126, "{said:?}");
    assert!(said.stderr.contains("imports `acme:x/y@1.0.0` with `f`"), "{said:?}");
    let said = run(b"(component)", &[], b"");
    assert_eq!(said.code, 126, "{said:?}");
    assert!(said.stderr.contains("`wasi:cli/run@0.2`") && said.stderr.contains("`main`"), "{said:?}");
}

#[test]
fn traps_and_limits_have_codes_of_their_own() {
    let said = run(guests::trap(), &[], b"");
    assert_eq!(said.code, 134, "{said:?}");
    assert!(said.stderr.contains("the guest trapped"), "{said:?}");
    for guest in [guests::spin(), guests::echo()] {
        let desk = Desk::new();
        desk.put("guest.wasm", guest);
        // A pipe that stays open: the guest waits for input or spins, and is stopped in both.
        let mut waiting = desk.command(&["run", "guest.wasm", "--timeout", "0.2"]);
        let mut child = waiting.stdin(std::process::Stdio::piped()).spawn().unwrap();
        let _open = child.stdin.take();
        assert_eq!(child.wait().unwrap().code(), Some(142));
    }
    let said = run(guests::grow(), &["--memory", "20MB", "--", "abort"], b"");
    assert_eq!(said.code, 137, "{said:?}");
    assert!(said.stderr.contains("--memory"), "{said:?}");
}

#[test]
fn standard_input_can_be_a_file() {
    let desk = Desk::new();
    desk.put("guest.wasm", guests::echo());
    desk.put("in.txt", "from a file");
    assert_eq!(desk.skrei(&["run", "guest.wasm", "--stdin", "in.txt"]).stdout, "from a file");
}

#[test]
fn a_scratch_directory_is_empty_writable_bounded_and_gone_afterwards() {
    let steps = ["list /tmp:.", "fill /tmp:a 0 9000", "fill /data:a 0 9000"];
    let desk = Desk::new();
    desk.put("guest.wasm", guests::probe());
    let words = [
        &["run", "guest.wasm", "--scratch", "/tmp", "--scratch", "/data", "--disk", "10kB", "--"][..],
        &steps,
    ];
    let temp = desk.path().join("temp");
    std::fs::create_dir(&temp).unwrap();
    let said = desk.command(&words.concat()).env("TMPDIR", &temp).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&said.stdout),
        "list /tmp:.: ok . ..\nfill /tmp:a 0 9000: ok 9000\nfill /data:a 0 9000: ok 1000 DQUOT\n"
    );
    assert_eq!(std::fs::read_dir(&temp).unwrap().count(), 0, "nothing stays");
    let said = desk.skrei(&["run", "guest.wasm", "--scratch", "/tmp", "--scratch", "tmp"]);
    assert!(said.stderr.contains("--scratch: mount at `tmp`: it collides"), "{said:?}");
}

#[test]
fn what_cannot_be_started_is_named() {
    let desk = Desk::new();
    desk.put("not.wasm", "hello");
    desk.put("odd.wat", "(module (import \"env\" \"magic\" (func)) (func (export \"_start\")))");
    desk.put("good.wasm", guests::noop());
    for (words, expected) in [
        (&["run", "none.wasm"][..], "module `none.wasm` does not exist"),
        (&["run", "not.wasm"], "`not.wasm`: not WebAssembly"),
        (&["run", "odd.wat"], "imports `env::magic`"),
        (&["run", "good.wasm", "--entry-point", "go"], "no entry point `go`"),
        (&["run", "good.wasm", "--dir", "/no/such/place"], "/no/such/place"),
        (&["run", "good.wasm", "--env", "NOT_SET_HERE"], "no variable `NOT_SET_HERE`"),
        (&["run", "good.wasm", "--stdin", "none"], "`none` cannot be read"),
    ] {
        let said = desk.skrei(words);
        assert_eq!(said.code, 126, "{words:?} {said:?}");
        assert!(said.stderr.starts_with("error: ") && said.stderr.contains(expected), "{words:?} {said:?}");
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn a_guest_that_uses_up_its_processor_time_is_stopped() {
    let said = run(guests::spin(), &["--cpu-time", "0.1"], b"");
    assert_eq!(said.code, 142, "{said:?}");
    assert!(said.stderr.contains("--cpu-time"), "{said:?}");
}

/// Large enough for a compiler of its own.
fn large_module() -> String {
    let data = "x".repeat(200 << 10);
    format!(
        "(module (memory (export \"memory\") 8) (data (i32.const 0) \"{data}\") (func (export \"_start\")))"
    )
}

#[test]
fn a_large_module_is_compiled_by_a_process_of_its_own_and_found_again() {
    let desk = Desk::new();
    desk.put("guest.wat", large_module());
    let code = desk.path().join("cache/skrei/code");
    for _ in 0..2 {
        let mut run = desk.command(&["run", "guest.wat"]);
        let output = run.env("XDG_CACHE_HOME", desk.path().join("cache")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        // The code and the key it is signed with.
        assert_eq!(std::fs::read_dir(&code).unwrap().count(), 2);
    }
}

#[test]
fn a_large_module_that_is_invalid_is_refused_in_the_same_words_as_a_small_one() {
    // A section that says it has a mebibyte, of which there is a quarter.
    let wasm = [b"\0asm\x01\0\0\0\x00\x80\x80\x40".as_slice(), &[b'x'; 256 << 10]].concat();
    let said = run(&wasm, &[], b"");
    assert_eq!(said.code, 126, "{said:?}");
    assert!(said.stderr.contains("truncated or invalid"), "{said:?}");
}

/// Answers one request after another with `hello`; its port.
fn web() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = std::io::Read::read(&mut stream, &mut [0; 4096]);
            let _ =
                std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    });
    port
}

#[test]
fn the_guest_reaches_the_hosts_that_are_named_and_no_other() {
    let port = web();
    let (url, host) = (format!("http://localhost:{port}/"), format!("localhost:{port}"));
    for words in [
        &["--allow-host", &host][..],
        &["--network", "http", "--allow-host", "localhost"],
        &["--network", "full"],
    ] {
        let words: Vec<_> = words.iter().copied().chain(["--", "GET", &url]).collect();
        let said = run(guests::fetch(), &words, b"");
        assert!(said.code == 0 && said.stdout.ends_with("hello"), "{words:?}: {said:?}");
        assert_eq!(said.stderr, "", "{words:?}");
    }
    for (words, rule) in [
        (&[][..], "no-network"),
        (&["--network", "none"], "no-network"),
        (&["--allow-host", "*.example.org"], "not-listed"),
        (&["--network", "http", "--allow-host", "*"], "not-public"),
    ] {
        let words: Vec<_> = words.iter().copied().chain(["--", "GET", &url]).collect();
        let said = run(guests::fetch(), &words, b"");
        assert_eq!((said.code, said.stdout.as_str()), (0, "result 4, status 0\n"), "{said:?}");
        assert!(said.stderr.contains(&host) && said.stderr.contains(rule), "{said:?}");
    }
}

#[test]
fn what_is_said_of_the_network_has_to_fit_together() {
    for words in [
        &["--network", "http"][..],
        &["--network", "full", "--allow-host", "a.example"],
        &["--allow-host", "http://a.example/"],
        &["--network", "some"],
    ] {
        let said = run(guests::fetch(), words, b"");
        assert!(
            said.code != 0 && said.stdout.is_empty() && said.stderr.contains("--"),
            "{words:?}: {said:?}"
        );
    }
}

#[test]
fn a_guest_imports_from_modules_that_are_given_or_mounted() {
    let desk = Desk::new();
    let entry = r#"(module (import "sum" "value" (func $value (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (call $value))))"#;
    let sum = r#"(module (import "/lib/one.wat" "value" (func $value (result i32)))
        (func (export "value") (result i32) (i32.add (call $value) (i32.const 2))))"#;
    desk.put("main.wat", entry);
    desk.put("sum.wat", sum);
    desk.put("lib/one.wat", r#"(module (func (export "value") (result i32) (i32.const 1)))"#);
    let given = &["run", "main.wat", "--import", "sum=sum.wat", "--dir", "lib::/lib"][..];
    assert_eq!(desk.skrei(given).transcript(), "[exit code 3]");
    let said = desk.skrei(&["run", "main.wat", "--import", "sum=sum.wat"]);
    assert_eq!(said.code, 126, "{said:?}");
    assert!(said.stderr.contains("-> `sum`: the module imports `/lib/one.wat::value`"), "{said:?}");
    let said = desk.skrei(&["run", "main.wat"]);
    assert!(said.code == 126 && said.stderr.contains("--import NAME=FILE"), "{said:?}");
    let said = desk.skrei(&["run", "main.wat", "--import", "sum=nowhere.wasm"]);
    assert!(said.code == 126 && said.stderr.contains("nowhere.wasm"), "{said:?}");
}
