//! Closures as functions of WebAssembly.

use std::sync::Arc;

use wasmtime::{Caller, Linker, WasmRet, WasmTy};

use super::{HostCall, HostError};
use crate::guest::Guest;

/// A closure that can be a host function: `Fn(&mut HostCall<'_>, …) -> Result<R, HostError>` with up to six numbers.
pub trait HostFunction<P, R>: sealed::Function<P, R> {}

/// A number of WebAssembly: `i32`, `i64` (or unsigned), `f32`, `f64`.
pub trait HostValue: sealed::Value {}

/// What a host function gives: a [`HostValue`], or nothing.
pub trait HostResult: sealed::Given {}

pub(super) mod sealed {
    use super::{Arc, Guest, Linker, WasmRet, WasmTy};

    /// What there is to import.
    pub struct Imports<'l>(pub(crate) &'l mut Linker<Guest>);

    pub trait Function<P, R>: Send + Sync + 'static {
        fn define(
            self: Arc<Self>,
            imports: &mut Imports<'_>,
            module: &str,
            name: &str,
        ) -> wasmtime::Result<()>;
    }

    pub trait Value: WasmTy {}

    pub trait Given: WasmRet + 'static {}
}

macro_rules! values {
    ($($value:ty)*) => {$(
        impl sealed::Value for $value {}
        impl HostValue for $value {}
        impl sealed::Given for $value {}
        impl HostResult for $value {}
    )*};
}

values!(i32 u32 i64 u64 f32 f64);

impl sealed::Given for () {}
impl HostResult for () {}

macro_rules! functions {
    ($(($($parameter:ident)*))*) => {$(
        impl<F, R, $($parameter),*> sealed::Function<($($parameter,)*), R> for F
        where
            F: Fn(&mut HostCall<'_>, $($parameter),*) -> Result<R, HostError> + Send + Sync + 'static,
            R: HostResult,
            $($parameter: HostValue,)*
        {
            #[allow(non_snake_case, reason = "a parameter is called as its type is")]
            fn define(self: Arc<Self>, imports: &mut sealed::Imports<'_>, module: &str, name: &str) -> wasmtime::Result<()> {
                let defined = imports.0.func_wrap(
                    module,
                    name,
                    move |caller: Caller<'_, Guest>, $($parameter: $parameter),*| -> wasmtime::Result<R> {
                        Ok(self(&mut HostCall::new(caller), $($parameter),*)?)
                    },
                );
                defined.map(drop)
            }
        }

        impl<F, R, $($parameter),*> HostFunction<($($parameter,)*), R> for F
        where
            F: Fn(&mut HostCall<'_>, $($parameter),*) -> Result<R, HostError> + Send + Sync + 'static,
            R: HostResult,
            $($parameter: HostValue,)*
        {
        }
    )*};
}

functions!(() (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G));
