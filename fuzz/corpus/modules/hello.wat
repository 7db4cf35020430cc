(module (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
(memory (export "memory") 1) (data (i32.const 0) "\08\00\00\00\02\00\00\00hi")
(func (export "_start") (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
