//! The examples do what they say.

#[path = "../../examples/cancel.rs"]
mod cancel;
#[path = "../../examples/channel.rs"]
mod channel;
#[path = "../../examples/component.rs"]
mod component;
#[path = "../../examples/hello.rs"]
mod hello;
#[path = "../../examples/host_function.rs"]
mod host_function;
#[path = "../../examples/limits.rs"]
mod limits;
#[path = "../../examples/many.rs"]
mod many;
#[path = "../../examples/mounts.rs"]
mod mounts;

#[test]
fn every_example_comes_to_its_end() {
    for example in [
        cancel::main,
        channel::main,
        component::main,
        host_function::main,
        limits::main,
        many::main,
        mounts::main,
    ] {
        example().unwrap();
    }
}

#[test]
fn the_first_example_says_hello() {
    let outcome = hello::run(hello::HELLO.as_bytes(), std::iter::empty()).unwrap();
    assert_eq!(outcome.stdout.to_string(), "hello\n");
}

#[test]
fn every_example_is_short() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let examples: Vec<_> =
        std::fs::read_dir(examples).unwrap().map(|example| example.unwrap().path()).collect();
    assert!(examples.len() >= 9, "{examples:?}");
    for example in examples {
        let lines = std::fs::read_to_string(&example).unwrap().lines().count();
        assert!(lines < 60, "{} has {lines} lines", example.display());
    }
}
