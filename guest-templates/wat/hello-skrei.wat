;; Says hello: a program without a language between it and WASI preview 1.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param $descriptor i32) (param $buffers i32) (param $count i32) (param $written i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param $code i32)))

  (memory (export "memory") 1)
  (data (i32.const 0) "\08\00\00\00\0e\00\00\00") ;; one buffer: 14 bytes at address 8
  (data (i32.const 8) "Hello, skrei!\n")

  (func (export "_start")
    ;; standard output is descriptor 1; the number of bytes written goes to address 32
    (if (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))
      (then (call $proc_exit (i32.const 1))))))
