//! What a guest is given besides files: arguments, environment, standard input.

use std::time::Duration;

use skrei_runtime::{Ending, Sandbox};
use tokio::io::AsyncWriteExt as _;

use crate::grounds::{guest, in_each_world, load, run};

in_each_world! {
    a_guest_gets_its_arguments_and_environment_and_no_others
    standard_input_arrives_byte_for_byte_and_ends
}

fn a_guest_gets_its_arguments_and_environment_and_no_others() {
    let sandbox = Sandbox::new()
        .name("tool")
        .args(["one", "two words", ""])
        .env("KEY", "first")
        .env("KEY", "value=with=signs\nand lines")
        .env("EMPTY", "");
    let outcome = run(guest!(env), sandbox);
    assert_eq!(
        outcome.stdout.to_string(),
        "arg: tool\narg: one\narg: two words\narg: \n\
         env: KEY=value=with=signs\nand lines\nenv: EMPTY=\n"
    );
    let bare = run(guest!(env), Sandbox::new());
    assert_eq!(bare.stdout.to_string(), "arg: main.wasm\n");
}

fn standard_input_arrives_byte_for_byte_and_ends() {
    let input: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let outcome = run(guest!(echo), Sandbox::new().stdin(input.clone()));
    assert!(outcome.stdout.bytes == input);
    assert_eq!(run(guest!(echo), Sandbox::new()).stdout.bytes, b"");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn standard_input_can_come_while_the_guest_runs() {
    for echo in [skrei_test_guests::echo(), skrei_test_guests::p2::echo(), skrei_test_guests::p3::echo()] {
        let (mut writer, reader) = tokio::io::duplex(64);
        let module = load(echo);
        let running =
            tokio::spawn(async move { module.run(Sandbox::new().stdin_reader(reader)).await.unwrap() });
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            writer.write_all(b"piece ").await.unwrap();
        }
        drop(writer);
        let outcome = running.await.unwrap();
        assert_eq!(outcome.ending, Ending::Exited(0));
        assert_eq!(outcome.stdout.bytes, b"piece piece piece ");
    }
}
