(module (import "wasi:http/requests" "http_request" (func $h (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(memory (export "memory") 1) (data (i32.const 16) "http://localhost/")
(func (export "_start") (drop (call $h (i32.const 0) (i32.const 16) (i32.const 17) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 99) (i32.const 200) (i32.const 99) (i32.const 200) (i32.const 0)))))
