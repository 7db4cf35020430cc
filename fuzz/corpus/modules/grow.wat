(module (memory (export "memory") 1) (table 1 funcref)
(func (export "_start") (loop (drop (memory.grow (i32.const 1))) (drop (table.grow 0 (ref.null func) (i32.const 9))) (br 0))))
