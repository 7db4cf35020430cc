//! Files of the embedder's memory, and filters before everything that gets the output.

use skrei_runtime::{Ending, Mode, Mount, MountError, OutputFilter, Sandbox};
use skrei_test_guests::{leak, probe};

use crate::grounds::{Grounds, run};

#[test]
fn a_guest_reads_a_file_that_is_on_no_disk() {
    let sandbox = Sandbox::new()
        .args(["3", "/secrets/key"])
        .mount(Mount::memory(b"a value".to_vec(), "/secrets/key"))
        .unwrap();
    let outcome = run(leak(), sandbox);
    assert_eq!(outcome.ending, Ending::Exited(3));
    let said = outcome.stdout.to_string();
    assert!(said.contains("a value;") && said.contains("YSB2YWx1ZQ==;"), "{said}");
}

#[test]
fn it_can_be_read_and_nothing_else_done_with_it() {
    let operations = [
        "read /secrets:key",
        "write /secrets:key other",
        "open-create /secrets:other",
        "unlink /secrets:key",
        "stat /secrets:key",
        "read /secrets:key",
    ];
    let sandbox =
        Sandbox::new().args(operations).mount(Mount::memory(b"a value".to_vec(), "/secrets/key")).unwrap();
    let said = run(probe(), sandbox).stdout.to_string();
    let answers: Vec<&str> = said.lines().filter_map(|line| Some(line.rsplit_once(": ")?.1)).collect();
    assert_eq!(answers, ["ok a value", "ROFS", "ROFS", "ROFS", "ok file", "ok a value"], "{said}");
}

#[test]
fn two_of_them_share_a_directory_and_a_host_directory_keeps_its_own() {
    let grounds = Grounds::new();
    let data = Mount::open(grounds.host("ro"), "/data", Mode::ReadOnly).unwrap();
    let mount = |path: &str| Mount::memory(b"a value".to_vec(), path);
    let sandbox = Sandbox::new().mount(mount("/secrets/a")).unwrap().mount(mount("/secrets/b")).unwrap();
    let taken = sandbox.mount(mount("/secrets/b")).unwrap_err();
    assert!(matches!(taken, MountError::Collision { .. }), "{taken}");
    let within = Sandbox::new().mount(data).unwrap().mount(mount("/data/key"));
    assert!(matches!(within, Err(MountError::Collision { .. })));
}

/// Upper case, one byte late.
#[derive(Default)]
struct Shouting(Vec<u8>);

impl OutputFilter for Shouting {
    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.extend(bytes.to_ascii_uppercase());
        let ready = self.0.len().saturating_sub(1);
        out.extend(self.0.drain(..ready));
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.append(&mut self.0);
    }
}

#[test]
fn what_is_captured_has_passed_the_filter_to_its_last_byte() {
    let sandbox = Sandbox::new()
        .args(["0", "/secrets/key"])
        .mount(Mount::memory(b"a value".to_vec(), "/secrets/key"))
        .unwrap()
        .filter(|_| Box::new(Shouting::default()));
    let outcome = run(leak(), sandbox);
    assert!(outcome.stdout.to_string().ends_with("TOLD EVERYTHING\n"), "{}", outcome.stdout);
    assert_eq!(outcome.stderr.to_string(), "/SECRETS/KEY: A VALUE\n");
}
