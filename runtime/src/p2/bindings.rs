//! What is generated from the interfaces' own text.
#![allow(missing_docs, reason = "generated code; the text is in wit/")]

mod generated {
    wasmtime::component::bindgen!({
        path: "wit/p2",
        world: "skrei:runtime/files",
        with: {
            "wasi:io": wasmtime_wasi_io::bindings::wasi::io,
            "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
            "wasi:filesystem/types.descriptor": crate::component::Descriptor,
            "wasi:filesystem/types.directory-entry-stream": crate::component::EntryStream,
        },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => crate::component::Failure,
        },
        imports: { default: trappable },
        require_store_data_send: true,
    });
}

pub(crate) use generated::wasi::filesystem;
