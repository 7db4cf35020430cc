//! Functions of an interface, as modules import them: by the component model's canonical ABI.

use std::fs;
use std::sync::{Arc, Mutex};

use skrei_runtime::{
    Config, Ending, HostFunctions, InterfaceCall, Mode, Mount, Outcome, Runtime, Sandbox, Stream,
};

/// What calls bring along, as the host sees it.
type Heard = Mutex<Vec<String>>;

const SHOP: &str = "acme:shop/shop@1.0.0";

fn heard<T: std::fmt::Debug>(call: &InterfaceCall<'_>, what: &T) {
    call.data::<Heard>().unwrap().lock().unwrap().push(format!("{what:?}"));
}

fn runtime() -> Runtime {
    let functions = HostFunctions::new()
        .add_to_interface(SHOP, "say", |call: &mut InterfaceCall<'_>, text: String, last: bool| {
            heard(call, &(text, last));
            Ok(())
        })
        .add_to_interface(SHOP, "add", |call: &mut InterfaceCall<'_>, a: u8, b: i64, c: f32, d: char| {
            heard(call, &(a, b, c, d));
            Ok(-2_i8)
        })
        .add_to_interface(SHOP, "order", |call: &mut InterfaceCall<'_>, order: Vec<(String, u16)>| {
            heard(call, &order);
            Ok(if order.is_empty() { Err("nothing is ordered".to_owned()) } else { Ok(order.len() as u64) })
        })
        .add_to_interface(SHOP, "name", |_: &mut InterfaceCall<'_>, named: Option<String>| {
            Ok(named.map(|name| (name, vec![1_u32, 2])))
        })
        .add_to_interface(
            SHOP,
            "much",
            |call: &mut InterfaceCall<'_>,
             a: String,
             b: Option<String>,
             c: Option<String>,
             d: (String, String, u8),
             e: Option<Vec<u8>>,
             f: u64| {
                heard(call, &(a, b, c, d, e, f));
                Ok(())
            },
        )
        .add_to_interface(SHOP, "greet", |call: &mut InterfaceCall<'_>| {
            let greeting = format!("{} {:?}\n", call.variable("WHO").unwrap_or("nobody"), call.arguments());
            call.write(Stream::Stderr, greeting.as_bytes());
            Ok(())
        })
        .add_to_interface(
            SHOP,
            "install",
            |call: &mut InterfaceCall<'_>, directory: String, files: Vec<(String, Vec<u8>)>| {
                Ok(call.install(&directory, &files).map_err(|error| error.to_string()))
            },
        );
    Runtime::with_host_functions(Config { guests_max: 2, ..Config::default() }, functions).unwrap()
}

/// What makes room: from address 4096 on, aligned.
const REALLOC: &str = r#"(global $next (mut i32) (i32.const 4096))
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
        (global.set $next (i32.and (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                                   (i32.sub (i32.const 0) (local.get 2))))
        (global.get $next)
        (global.set $next (i32.add (global.get $next) (local.get 3))))"#;

/// A module that imports `name` with this type, and does this.
fn module(name: &str, signature: &str, rest: &str, body: &str) -> String {
    format!(
        r#"(module (import "{SHOP}" "{name}" (func $f {signature})) (memory (export "memory") 1)
            (data (i32.const 8) "apples") (data (i32.const 16) "p\c3\a4rs\ff")
            {rest} (func (export "_start") {body}))"#
    )
}

fn run(text: &str, sandbox: Sandbox) -> (Outcome, Vec<String>) {
    let heard = Arc::new(Heard::default());
    let outcome =
        runtime().load(text.as_bytes()).unwrap().run_blocking(sandbox.data(Arc::clone(&heard))).unwrap();
    let heard = heard.lock().unwrap().clone();
    (outcome, heard)
}

fn is_done(text: &str) -> Vec<String> {
    let (outcome, heard) = run(text, Sandbox::new());
    assert_eq!(outcome.ending, Ending::Exited(0), "{text}");
    heard
}

fn trap(text: &str) -> String {
    match run(text, Sandbox::new()).0.ending {
        Ending::Trapped(trap) => trap.what,
        other => panic!("{other:?}: {text}"),
    }
}

#[test]
fn numbers_and_texts_come_as_values_and_one_number_goes_back_as_itself() {
    let say = |body: &str| module("say", "(param i32 i32 i32)", "", body);
    let said = is_done(&say(
        "(call $f (i32.const 8) (i32.const 6) (i32.const 7)) (call $f (i32.const 0) (i32.const 0) (i32.const 0))",
    ));
    assert_eq!(said, [r#"("apples", true)"#, r#"("", false)"#]);
    let add = module(
        "add",
        "(param i32 i64 f32 i32) (result i32)",
        "",
        "(if (i32.ne (call $f (i32.const 511) (i64.const -1) (f32.const 0.5) (i32.const 228)) (i32.const -2)) (then unreachable))",
    );
    assert_eq!(is_done(&add), ["(255, -1, 0.5, 'ä')"]);
}

#[test]
fn a_list_lies_in_memory_and_so_does_what_is_made_of_it() {
    // Two orders: 3 apples and 500 pears. What it comes to is at 64.
    let rest =
        r#"(data (i32.const 96) "\08\00\00\00\06\00\00\00\03\00\00\00\10\00\00\00\05\00\00\00\f4\01\00\00")"#;
    let body = "(call $f (i32.const 96) (i32.const 2) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (if (i64.ne (i64.load (i32.const 72)) (i64.const 2)) (then unreachable))";
    let ordered = is_done(&module("order", "(param i32 i32 i32)", rest, body));
    assert_eq!(ordered, [r#"[("apples", 3), ("pärs", 500)]"#]);
}

#[test]
fn an_error_s_words_need_room_and_are_left_out_where_none_is_made() {
    // An error at 64, whose words are at (72), (76) long.
    let body = |checks: &str| {
        let body = format!(
            "(call $f (i32.const 0) (i32.const 0) (i32.const 64))
             (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable)) {checks}"
        );
        body
    };
    let none = body("(if (i32.load (i32.const 76)) (then unreachable))");
    is_done(&module("order", "(param i32 i32 i32)", "", &none));
    let words = body(
        "(if (i32.ne (i32.load (i32.const 76)) (i32.const 18)) (then unreachable))
         (if (i32.ne (i32.load8_u (i32.load (i32.const 72))) (i32.const 110)) (then unreachable))",
    );
    is_done(&module("order", "(param i32 i32 i32)", REALLOC, &words));
}

#[test]
fn what_may_be_missing_says_whether_it_is_there_and_lists_lead_to_lists() {
    let body = "(call $f (i32.const 0) (i32.const -1) (i32.const -1) (i32.const 64))
        (if (i32.load8_u (i32.const 64)) (then unreachable))
        (call $f (i32.const 1) (i32.const 8) (i32.const 6) (i32.const 64))
        (if (i32.ne (i32.load8_u (i32.const 64)) (i32.const 1)) (then unreachable))
        (if (i32.ne (i32.load (i32.const 72)) (i32.const 6)) (then unreachable))
        (if (i64.ne (i64.load (i32.load (i32.const 68))) (i64.load (i32.const 8))) (then unreachable))
        (if (i32.ne (i32.load (i32.const 80)) (i32.const 2)) (then unreachable))
        (if (i64.ne (i64.load (i32.load (i32.const 76))) (i64.const 0x200000001)) (then unreachable))";
    // The text is read with two bytes more, which are none of anybody's.
    let rest = format!("{REALLOC} (data (i32.const 4102) \"\\00\\00\")");
    is_done(&module("name", "(param i32 i32 i32 i32)", &rest, body));
    let needs_room = trap(&module("name", "(param i32 i32 i32 i32)", "", body));
    assert!(needs_room.contains("no `cabi_realloc`"), "{needs_room}");
}

#[test]
fn parameters_that_are_too_many_numbers_lie_in_memory_together() {
    // They would be seventeen.
    let word = |number: u8| format!("\\{number:02x}\\00\\00\\00");
    let words = [8, 6, 1, 8, 1, 0, 0, 0, 8, 2, 8, 3, 4, 1, 8, 1, 5, 0].map(word).concat();
    let rest = format!("(data (i32.const 96) \"{words}\")");
    let heard = is_done(&module("much", "(param i32)", &rest, "(call $f (i32.const 96))"));
    assert_eq!(heard, [r#"("apples", Some("a"), None, ("ap", "app", 4), Some([97]), 5)"#]);
    let unaligned = trap(&module("much", "(param i32)", &rest, "(call $f (i32.const 100))"));
    assert!(unaligned.contains("no multiple of 8"), "{unaligned}");
}

#[test]
fn what_a_guest_gets_wrong_ends_it_and_says_what() {
    let order = |body: &str| module("order", "(param i32 i32 i32)", "", body);
    let say = |body: &str| module("say", "(param i32 i32 i32)", "", body);
    for (text, words) in [
        (say("(call $f (i32.const 16) (i32.const 6) (i32.const 0))"), "not UTF-8"),
        (say("(call $f (i32.const 65535) (i32.const 2) (i32.const 0))"), "outside the guest's memory"),
        (say("(call $f (i32.const -1) (i32.const -1) (i32.const 0))"), "outside the guest's memory"),
        (order("(call $f (i32.const 98) (i32.const 1) (i32.const 64))"), "no multiple of 4"),
        (order("(call $f (i32.const 96) (i32.const -1) (i32.const 64))"), "outside the guest's memory"),
        (order("(call $f (i32.const 0) (i32.const 0) (i32.const 65))"), "no multiple of 8"),
        (order("(call $f (i32.const 0) (i32.const 0) (i32.const 65536))"), "outside the guest's memory"),
        (
            module(
                "name",
                "(param i32 i32 i32 i32)",
                "",
                "(call $f (i32.const 2) (i32.const 0) (i32.const 0) (i32.const 64))",
            ),
            "2 says neither",
        ),
    ] {
        let what = trap(&text);
        assert!(what.contains(words), "{what}: {text}");
    }
}

#[test]
fn the_same_bytes_named_often_are_many_bytes() {
    // A list of 1024 texts, each all of a page of which it is a part: far more than a call may bring.
    let fill = "(local $at i32)
        (loop $more
            (i32.store (i32.add (i32.const 8192) (local.get $at)) (i32.const 0))
            (i32.store (i32.add (i32.const 8196) (local.get $at)) (i32.const 65536))
            (local.set $at (i32.add (local.get $at) (i32.const 12)))
            (br_if $more (i32.lt_u (local.get $at) (i32.const 49152))))
        (call $f (i32.const 8192) (i32.const 2048) (i32.const 64))";
    let text = format!(
        r#"(module (import "{SHOP}" "order" (func $f (param i32 i32 i32))) (memory (export "memory") 1)
            (func (export "_start") {fill}))"#
    );
    assert!(trap(&text).contains("brings along more than"));
}

#[test]
fn who_makes_room_cannot_call_for_more() {
    let text = format!(
        r#"(module (import "{SHOP}" "name" (func $f (param i32 i32 i32 i32))) (memory (export "memory") 1)
            (func $call (call $f (i32.const 1) (i32.const 8) (i32.const 6) (i32.const 64)))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $call) (i32.const 4096))
            (func (export "_start") (call $call)))"#
    );
    assert!(trap(&text).contains("while it makes room"));
    let exits = format!(
        r#"(module (import "{SHOP}" "name" (func $f (param i32 i32 i32 i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32))) (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $exit (i32.const 7)) unreachable)
            (func (export "_start") (call $f (i32.const 1) (i32.const 8) (i32.const 6) (i32.const 64))))"#
    );
    assert_eq!(run(&exits, Sandbox::new()).0.ending, Ending::Exited(7), "an exit is one wherever it is");
}

#[test]
fn another_signature_is_refused_when_it_is_loaded() {
    let other = module("say", "(param i32 i32)", "", "");
    assert!(runtime().load(other.as_bytes()).is_err());
}

#[test]
fn a_function_sees_the_guest_that_calls_and_speaks_in_its_place() {
    let text = module("greet", "", "", "(call $f)");
    let (outcome, _) = run(&text, Sandbox::new().env("WHO", "Ada").env("WHOSE", "none").arg("x"));
    assert_eq!(outcome.stderr.to_string(), "Ada [\"main.wasm\", \"x\"]\n");
}

/// Installs `a` = "apples" and `b` = "a" in a directory; what it comes to, in words.
fn installing(directory: &str, second: &str, sandbox: Sandbox) -> String {
    let len = directory.len();
    let rest = format!(
        r#"{REALLOC} (data (i32.const 128) "{directory}") (data (i32.const 192) "a") (data (i32.const 200) "{second}")
        (data (i32.const 256) "\c0\00\00\00\01\00\00\00\08\00\00\00\06\00\00\00\c8\00\00\00\{:02x}\00\00\00\08\00\00\00\01\00\00\00")
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#,
        second.len()
    );
    // What is imported comes before everything else.
    let (rest, import) = rest.split_once("(import").unwrap();
    let text = format!(
        r#"(module (import{import} (import "{SHOP}" "install" (func $f (param i32 i32 i32 i32 i32)))
            (memory (export "memory") 1) (data (i32.const 8) "apples") {rest}
            (func (export "_start")
                (call $f (i32.const 128) (i32.const {len}) (i32.const 256) (i32.const 2) (i32.const 64))
                (if (i32.load8_u (i32.const 64))
                    (then (drop (call $write (i32.const 1) (i32.const 68) (i32.const 1) (i32.const 80)))))))"#
    );
    let (outcome, _) = run(&text, sandbox);
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome:?}");
    outcome.stdout.to_string()
}

#[test]
fn files_are_replaced_together_or_not_at_all_by_the_guest_s_own_rights() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("below");
    fs::create_dir(&below).unwrap();
    let granted = |mode| Sandbox::new().mount(Mount::open(directory.path(), "/data", mode).unwrap()).unwrap();
    let names = || {
        let mut names: Vec<_> = fs::read_dir(&below)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(installing("/data/below", "b", granted(Mode::ReadWrite)), "");
    let content = |name: &str| fs::read_to_string(below.join(name)).unwrap();
    assert_eq!(
        (names(), content("a"), content("b")),
        (vec!["a".into(), "b".into()], "apples".into(), "a".into())
    );

    fs::write(below.join("a"), "old").unwrap();
    fs::remove_file(below.join("b")).unwrap();
    let refused = |directory: &str, second: &str, mode| installing(directory, second, granted(mode));
    assert_eq!(refused("/data/below", "b", Mode::ReadOnly), "`/data/below/a`: it is mounted read-only");
    assert_eq!(
        refused("/data/below", "../b", Mode::ReadWrite),
        "`/data/below/../b`: that cannot be asked for"
    );
    assert!(refused("/data/none", "b", Mode::ReadWrite).contains("no such file"));
    assert!(refused("/other", "b", Mode::ReadWrite).starts_with("`/other`: there is no such"));
    assert!(refused("/data/../data", "b", Mode::ReadWrite).contains("cannot be asked for"));
    fs::create_dir(below.join("b")).unwrap();
    fs::write(below.join("b/in-the-way"), "").unwrap();
    assert!(refused("/data/below", "b", Mode::ReadWrite).starts_with("`/data/below/b`: "));
    assert_eq!(
        (names(), content("a")),
        (vec!["a".into(), "b".into()], "old".into()),
        "what was renamed is taken back"
    );
}
