//! What is generated from the interfaces' own text.
#![allow(missing_docs, reason = "generated code; the text is in wit/")]

mod generated {
    wasmtime::component::bindgen!({
        path: "wit/p3",
        world: "skrei:runtime/files",
        with: {
            "wasi:clocks": wasmtime_wasi::p3::bindings::clocks,
            "wasi:filesystem/types.descriptor": crate::component::Descriptor,
        },
        trappable_error_type: {
            "wasi:filesystem/types.error-code" => crate::component::Failure,
        },
        imports: {
            "wasi:filesystem/types.[method]descriptor.read-via-stream": store | trappable,
            "wasi:filesystem/types.[method]descriptor.write-via-stream": store | trappable,
            "wasi:filesystem/types.[method]descriptor.append-via-stream": store | trappable,
            "wasi:filesystem/types.[method]descriptor.read-directory": store | trappable,
            default: trappable,
        },
        require_store_data_send: true,
    });
}

pub(crate) use generated::wasi::filesystem;
