//! Components: which of them run, how they end, and what is said of those that do not.

use skrei_runtime::{CompilerProcess, Config, Ending, Error, Runtime, Sandbox, load};

use crate::grounds::{load as load_module, run, runtime};

/// A component of `wasi:cli/command` whose `run` is this body, after these imports and with these core imports.
pub(crate) fn command(imports: &str, core_imports: &str, body: &str) -> String {
    let with: String = core_imports
        .lines()
        .filter_map(|line| line.split('"').nth(3))
        .map(|name| format!("(export \"{name}\" (func ${name}))"))
        .collect();
    format!(
        r#"(component
            {imports}
            (core module $main
                {core_imports}
                (func (export "run") (result i32) {body}))
            (core instance $main (instantiate $main (with "host" (instance {with}))))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (instance $cli (export "run" (func $run)))
            (export "wasi:cli/run@0.2.0" (instance $cli)))"#
    )
}

const EXIT: &str = r#"(import "wasi:cli/exit@0.2.0" (instance $exit
        (export "exit" (func (param "status" (result))))
        (export "exit-with-code" (func (param "status-code" u8)))))
    (core func $exit (canon lower (func $exit "exit")))
    (core func $code (canon lower (func $exit "exit-with-code")))"#;

const CORE_EXIT: &str = r#"(import "host" "exit" (func $exit (param i32)))
    (import "host" "code" (func $code (param i32)))"#;

fn refused(component: &str) -> load::Error {
    runtime().load(component.as_bytes()).unwrap_err()
}

#[test]
fn a_result_is_an_exit_code_and_a_code_arrives_as_it_was_given() {
    for (body, code) in [
        ("(i32.const 0)", 0),
        ("(i32.const 1)", 1),
        ("(call $exit (i32.const 0)) unreachable", 0),
        ("(call $exit (i32.const 1)) unreachable", 1),
        ("(call $code (i32.const 0)) unreachable", 0),
        ("(call $code (i32.const 42)) unreachable", 42),
        ("(call $code (i32.const 255)) unreachable", 255),
    ] {
        let component = command(EXIT, CORE_EXIT, body);
        assert_eq!(run(component.as_bytes(), Sandbox::new()).ending, Ending::Exited(code), "{body}");
    }
}

#[test]
fn a_component_of_the_third_version_gives_codes_too() {
    use skrei_test_guests::p3;
    for code in [0, 1, 42, 255] {
        let outcome = run(p3::exit(), Sandbox::new().arg(code.to_string()));
        assert_eq!(outcome.ending, Ending::Exited(code));
        assert_eq!(outcome.stdout.to_string(), format!("exiting with {code}\n"));
    }
    assert_eq!(run(p3::fail(), Sandbox::new()).ending, Ending::Exited(1));
}

#[test]
fn a_component_starts_at_its_run_and_at_nothing_else() {
    let module = load_module(skrei_test_guests::p2::noop());
    assert_eq!(module.check_entry_point("_start"), Ok(()));
    let error = module.run_blocking(Sandbox::new().entry_point("work")).unwrap_err();
    assert!(
        matches!(&error, Error::Load(load::Error::EntryPointMissing { name, .. }) if name == "work"),
        "{error}"
    );
}

#[test]
fn a_trap_in_a_component_says_what_happened_and_where() {
    let component = command("", "", "unreachable");
    let Ending::Trapped(trap) = run(component.as_bytes(), Sandbox::new()).ending else { panic!("no trap") };
    assert!(trap.what.contains("unreachable"), "{}", trap.what);
    assert!(!trap.backtrace.is_empty());
}

#[test]
fn a_component_of_another_world_is_refused_with_what_it_has() {
    assert_eq!(
        refused("(component)").to_string(),
        "the component has nothing to start at: it exports no `wasi:cli/run@0.2` or `@0.3`"
    );
    let handler = r#"(component
        (instance $empty)
        (export "wasi:http/incoming-handler@0.2.0" (instance $empty)))"#;
    assert_eq!(
        refused(handler).to_string(),
        "the component has nothing to start at: it exports no `wasi:cli/run@0.2` or `@0.3`; it exports \
         `wasi:http/incoming-handler@0.2.0`"
    );
    let of_the_future = command("", "", "(i32.const 0)").replace("@0.2.0", "@1.0.0");
    assert!(matches!(refused(&of_the_future), load::Error::World { .. }));
}

#[test]
fn an_import_that_is_not_provided_is_named_with_its_interface() {
    for (imports, interface, name) in [
        (
            r#"(import "acme:fleet/pets@1.2.0" (instance (export "feed" (func))))"#,
            "acme:fleet/pets@1.2.0",
            Some("feed"),
        ),
        (
            r#"(import "wasi:cli/environment@0.2.0" (instance (export "set-environment" (func))))"#,
            "wasi:cli/environment@0.2.0",
            Some("set-environment"),
        ),
        (r#"(import "magic" (func))"#, "magic", None),
    ] {
        let error = refused(&command(imports, "", "(i32.const 0)"));
        let name = name.map(str::to_owned);
        let text = error.to_string();
        assert!(text.contains(interface) && name.iter().all(|name| text.contains(name)), "{text}");
        assert_eq!(error, load::Error::UnknownInterface { interface: interface.to_owned(), name });
    }
}

#[test]
fn an_import_of_another_type_is_named_in_a_component_too() {
    let imports = r#"(import "wasi:cli/exit@0.2.0" (instance (export "exit" (func (param "status" u64)))))"#;
    let load::Error::ImportType { message } = refused(&command(imports, "", "(i32.const 0)")) else {
        panic!("another error")
    };
    assert!(message.contains("wasi:cli/exit@0.2.0") && message.contains("`exit`"), "{message}");
}

#[test]
fn a_component_cut_off_anywhere_is_invalid() {
    let whole = skrei_test_guests::p2::noop();
    for length in [4, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        let error = runtime().load(&whole[..length]).unwrap_err();
        // What is left may be a whole component that has nothing to start at.
        assert!(
            matches!(error, load::Error::Invalid { .. } | load::Error::World { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn code_of_a_component_is_kept_from_one_process_to_the_next() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("code");
    let config = Config { guests_max: 4, code_dir: Some(dir.clone()), ..Config::default() };
    for _ in 0..2 {
        let runtime = Runtime::new(config.clone()).unwrap();
        for noop in [skrei_test_guests::p2::noop(), skrei_test_guests::p3::noop()] {
            let outcome = runtime.load(noop).unwrap().run_blocking(Sandbox::new()).unwrap();
            assert_eq!(outcome.ending, Ending::Exited(0));
        }
        // The key, and two entries.
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 3);
    }
}

#[test]
fn a_component_that_is_to_be_compiled_by_a_process_is() {
    let compiler = CompilerProcess { module_bytes_min: 0, ..CompilerProcess::new("/nowhere/compiler") };
    let config = Config { guests_max: 4, compiler: Some(compiler), ..Config::default() };
    let error = Runtime::new(config).unwrap().load(skrei_test_guests::p2::noop()).unwrap_err();
    assert!(matches!(error, load::Error::Compiler { .. }), "{error}");
}
