(module (func $f (export "_start")) (global i32 (i32.const 1)) (elem func $f $f $f) (data "kept"))
