//! `wasi_unstable`, whose records differ from preview 1's in four functions.

use std::fs;

use skrei_runtime::{Ending, Mode, Mount, Sandbox};

use crate::grounds::run;

#[test]
fn a_program_from_before_preview_1_seeks_looks_and_waits() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "0123456789").unwrap();
    let sandbox = Sandbox::new().mount(Mount::open(temp.path(), "/d", Mode::ReadOnly).unwrap()).unwrap();
    let module = br#"(module
        (import "wasi_unstable" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
        (import "wasi_unstable" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
        (import "wasi_unstable" "fd_filestat_get" (func $stat (param i32 i32) (result i32)))
        (import "wasi_unstable" "path_filestat_get" (func $stat_at (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (import "wasi_unstable" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "file")
        (func $must (param $holds i32) (param $code i32)
            (if (i32.eqz (local.get $holds)) (then (call $exit (local.get $code)))))
        (func $seeks (param $offset i64) (param $whence i32) (param $to i64) (param $code i32)
            (call $must (i32.eqz (call $seek (i32.load (i32.const 8)) (local.get $offset) (local.get $whence) (i32.const 16))) (local.get $code))
            (call $must (i64.eq (i64.load (i32.const 16)) (local.get $to)) (local.get $code)))
        (func $size_and_links (param $code i32)
            (call $must (i64.eq (i64.load (i32.const 124)) (i64.const 10)) (local.get $code))
            (call $must (i32.eq (i32.load (i32.const 120)) (i32.const 1)) (local.get $code))
            (call $must (i32.eq (i32.load8_u (i32.const 116)) (i32.const 4)) (local.get $code))
            (i64.store (i32.const 124) (i64.const 0)))
        (func (export "_start")
            (call $must (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 0) (i64.const 6) (i64.const 0) (i32.const 0) (i32.const 8))) (i32.const 1))
            (call $seeks (i64.const 4) (i32.const 2) (i64.const 4) (i32.const 2))
            (call $seeks (i64.const 2) (i32.const 0) (i64.const 6) (i32.const 3))
            (call $seeks (i64.const -1) (i32.const 1) (i64.const 9) (i32.const 4))
            (call $must (i32.eq (call $seek (i32.load (i32.const 8)) (i64.const 0) (i32.const 3) (i32.const 16)) (i32.const 28)) (i32.const 5))
            (call $must (i32.eqz (call $stat (i32.load (i32.const 8)) (i32.const 100))) (i32.const 6))
            (call $size_and_links (i32.const 7))
            (call $must (i32.eqz (call $stat_at (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 4) (i32.const 100))) (i32.const 8))
            (call $size_and_links (i32.const 9))
            ;; A clock, after a number of its own: the monotonic one, for a millisecond.
            (i64.store (i32.const 200) (i64.const 77))
            (i64.store (i32.const 216) (i64.const -1))
            (i32.store (i32.const 224) (i32.const 1))
            (i64.store (i32.const 232) (i64.const 1000000))
            (call $must (i32.eqz (call $poll (i32.const 200) (i32.const 300) (i32.const 1) (i32.const 400))) (i32.const 10))
            (call $must (i32.eq (i32.load (i32.const 400)) (i32.const 1)) (i32.const 11))
            (call $must (i64.eq (i64.load (i32.const 300)) (i64.const 77)) (i32.const 12))
            (call $must (i32.eqz (i32.load16_u (i32.const 308))) (i32.const 13))))"#;
    assert_eq!(run(module, sandbox).ending, Ending::Exited(0));
}
