//! Job files: rendered, checked and refused without any server.

use skrei_test_guests as guests;

use crate::skrei::{Desk, Said};

const JOB: &str = "\
Name: greet
Type: ops
Tasks:
  - Name: main
    Engine:
      Type: wasm
      Params:
        EntryModule: main.wasm
    Env:
      WORD: \"{{word}}\"
";

fn with_job(job: &str, words: &[&str]) -> Said {
    let desk = Desk::new();
    desk.put("main.wasm", guests::noop());
    desk.put("job.yaml", job);
    desk.skrei(words)
}

#[test]
fn a_rendered_job_has_its_values_in_place() {
    let said = with_job(JOB, &["job", "render", "job.yaml", "-V", "word=a: b # c"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.stdout.contains("WORD: \"a: b # c\"") || said.stdout.contains("WORD: 'a: b # c'"),
        "{said:?}"
    );
}

#[test]
fn a_valid_job_is_ok_with_its_template_and_module() {
    assert_eq!(
        with_job(JOB, &["job", "validate", "job.yaml", "-V", "word=x"]).transcript(),
        "OK\n[exit code 0]"
    );
}

#[test]
fn a_dry_run_needs_no_orchestrator() {
    let said = with_job(JOB, &["job", "run", "--dry-run", "job.yaml", "-V", "word=x"]);
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.stdout.starts_with("Name: greet\n"), "{said:?}");
}

#[test]
fn a_private_key_is_never_printed() {
    let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----";
    let variable = format!("word={key}");
    for words in [
        &["job", "render", "job.yaml", "-V", &variable][..],
        &["job", "run", "--dry-run", "job.yaml", "-V", &variable],
    ] {
        let said = with_job(JOB, words);
        assert_eq!(said.code, 0, "{said:?}");
        assert!(!said.transcript().contains("c2VjcmV0"), "{said:?}");
        assert!(said.stdout.contains("private key, "), "{said:?}");
    }
    let shown = with_job(JOB, &["job", "render", "--show-secrets", "job.yaml", "-V", &variable]);
    assert!(shown.stdout.contains("c2VjcmV0"));
    // Neither where the name is wrong, nor where the variable is not needed.
    let said = with_job(&JOB.replace("word", "sword"), &["job", "render", "job.yaml", "-V", &variable]);
    assert_eq!(said.code, 4, "{said:?}");
    assert!(!said.transcript().contains("c2VjcmV0"), "{said:?}");
}

#[test]
fn job_and_variable_cannot_both_be_standard_input() {
    let desk = Desk::new();
    let said = desk.skrei_with(&["job", "render", "-V", "word=@-"], JOB.as_bytes());
    assert_eq!(said.code, 2);
    assert!(said.stderr.contains("so is the job file"), "{said:?}");
}

#[test]
fn a_job_can_come_from_standard_input_and_variables_from_the_environment() {
    let desk = Desk::new();
    let mut command = desk.command(&["job", "render", "-E", "^GREETING$"]);
    command.env("GREETING", "hello");
    let job = desk.put("job.yaml", JOB.replace("{{word}}", "{{GREETING}}"));
    let output = command.stdin(std::fs::File::open(job).unwrap()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("hello"), "{output:?}");
}

#[test]
fn everything_wrong_is_shown_at_once_with_its_line() {
    let job = JOB
        .replace("Type: ops", "Type: opps")
        .replace("    Env:", "    Evn:")
        .replace("main.wasm", "gone.wasm");
    let said = with_job(&job, &["job", "run", "job.yaml", "-V", "word=x"]);
    assert_eq!((said.code, said.stdout.as_str()), (4, ""), "{said:?}");
    for part in [
        "job.yaml:2:7: Type",
        "job.yaml:8:22: Tasks[0].Engine.Params.EntryModule: the module file `gone.wasm` does not exist",
        "Evn",
        "`Env`",
        " | Type: opps",
        "^",
    ] {
        assert!(said.stderr.contains(part), "{part}: {}", said.stderr);
    }
}

#[test]
fn a_module_is_checked_before_anything_is_sent() {
    for (content, part) in [
        (&b"#!/bin/sh\n"[..], "not WebAssembly"),
        (b"", "the module is empty"),
        (
            b"(module (import \"wasi_snapshot_preview1\" \"magic\" (func)) (func (export \"_start\")))",
            "imports `wasi_snapshot_preview1::magic`",
        ),
        (b"(module)", "nothing to start at"),
    ] {
        let desk = Desk::new();
        desk.put("main.wasm", content);
        desk.put("job.yaml", JOB);
        let said = desk.skrei(&["job", "run", "job.yaml", "-V", "word=x"]);
        assert_eq!(said.code, 4, "{said:?}");
        assert!(said.stderr.contains("`main.wasm`") && said.stderr.contains(part), "{part}: {said:?}");
    }
}

#[test]
fn imported_modules_are_taken_from_beside_the_job_file_and_checked_with_the_entry_module() {
    let desk = Desk::new();
    let entry = r#"(module (import "sum" "value" (func (result i32))) (func (export "_start")))"#;
    let sum = r#"(module (import "lib/one.wat" "value" (func (result i32))) (func (export "value") (result i32) (i32.const 1)))"#;
    desk.put("main.wat", entry);
    desk.put("build/sum.wat", sum);
    desk.put("lib/one.wat", r#"(module (func (export "value") (result i32) (i32.const 1)))"#);
    let validate = |imports: &str| {
        let params = format!("EntryModule: main.wat\n        ImportModules: [{imports}]");
        desk.put("job.yaml", JOB.replace("EntryModule: main.wasm", &params).replace("{{word}}", "x"));
        desk.skrei(&["job", "validate", "job.yaml"])
    };
    let said = validate("sum=build/sum.wat, lib/one.wat");
    assert_eq!(said.transcript(), "OK\n[exit code 0]");
    for (imports, part) in [
        ("sum=build/sum.wat", "imports `lib/one.wat::value`"),
        ("sum=build/nowhere.wat, lib/one.wat", "nowhere.wat` does not exist"),
        ("sum=job.yaml, lib/one.wat", "not WebAssembly"),
        ("sum=main.wat", "in a circle"),
        ("../sum.wat", "NAME=FILE"),
    ] {
        let said = validate(imports);
        assert!(said.code != 0 && said.stderr.contains(part), "{imports}: {said:?}");
    }
}
