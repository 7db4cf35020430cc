//! Closures as functions of an interface that components import.

use std::any::Any;
use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::LinkerInstance;

use super::HostError;
use crate::guest::Guest;

/// A call of an interface's function: what the embedder gave the run.
pub struct InterfaceCall<'c>(StoreContextMut<'c, Guest>);

impl InterfaceCall<'_> {
    /// What [`Sandbox::data`](crate::Sandbox::data) gave the run, if it is of this type.
    pub fn data<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.data().data.as_deref()?.downcast_ref()
    }
}

impl std::fmt::Debug for InterfaceCall<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InterfaceCall").finish_non_exhaustive()
    }
}

/// A closure that can be an interface's function: `Fn(&mut InterfaceCall<'_>, …) -> Result<R, HostError>` with up to six
/// [`InterfaceValue`]s, whose result is one as well, or nothing, or a [`Result`] for the guest.
pub trait InterfaceFunction<P, R>: sealed::Function<P, R> {}

/// A value that guests and interfaces give each other: `bool`, the integers, `f32`, `f64`, `char`, [`String`], bytes
/// (`Vec<u8>`), lists of these, and [`Option`]s.
pub trait InterfaceValue: sealed::Value {}

/// What an interface's function gives.
pub trait InterfaceResult: sealed::Given {}

pub(super) mod sealed {
    use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};

    use super::{Arc, Guest, LinkerInstance};

    /// What there is to import from one interface.
    pub struct Interface<'l, 'i>(pub(crate) &'l mut LinkerInstance<'i, Guest>);

    pub trait Function<P, R>: Send + Sync + 'static {
        fn define(self: Arc<Self>, interface: &mut Interface<'_, '_>, name: &str) -> wasmtime::Result<()>;
    }

    pub trait Value: ComponentType + Lift + Lower + Send + Sync + 'static {}

    pub trait Given: 'static {
        /// As the engine has it: a list of none or one.
        type Results: ComponentNamedList + Lower + Send + Sync + 'static;

        fn results(self) -> Self::Results;
    }
}

macro_rules! values {
    ($($value:ty)*) => {$(
        impl sealed::Value for $value {}
        impl InterfaceValue for $value {}
        impl sealed::Given for $value {
            type Results = ($value,);

            fn results(self) -> ($value,) {
                (self,)
            }
        }
        impl InterfaceResult for $value {}
    )*};
}

values!(bool u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 char String);

impl<V: InterfaceValue> sealed::Value for Vec<V> {}
impl<V: InterfaceValue> InterfaceValue for Vec<V> {}
impl<V: InterfaceValue> sealed::Given for Vec<V> {
    type Results = (Vec<V>,);

    fn results(self) -> (Vec<V>,) {
        (self,)
    }
}
impl<V: InterfaceValue> InterfaceResult for Vec<V> {}

impl<V: InterfaceValue> sealed::Value for Option<V> {}
impl<V: InterfaceValue> InterfaceValue for Option<V> {}
impl<V: InterfaceValue> sealed::Given for Option<V> {
    type Results = (Option<V>,);

    fn results(self) -> (Option<V>,) {
        (self,)
    }
}
impl<V: InterfaceValue> InterfaceResult for Option<V> {}

impl sealed::Given for () {
    type Results = ();

    fn results(self) {}
}
impl InterfaceResult for () {}

/// `result<V, E>`.
impl<V: InterfaceValue, E: InterfaceValue> sealed::Given for Result<V, E> {
    type Results = (Result<V, E>,);

    fn results(self) -> (Result<V, E>,) {
        (self,)
    }
}
impl<V: InterfaceValue, E: InterfaceValue> InterfaceResult for Result<V, E> {}

/// `result<_, E>`.
impl<E: InterfaceValue> sealed::Given for Result<(), E> {
    type Results = (Result<(), E>,);

    fn results(self) -> (Result<(), E>,) {
        (self,)
    }
}
impl<E: InterfaceValue> InterfaceResult for Result<(), E> {}

macro_rules! functions {
    ($(($($parameter:ident)*))*) => {$(
        impl<F, R, $($parameter),*> sealed::Function<($($parameter,)*), R> for F
        where
            F: Fn(&mut InterfaceCall<'_>, $($parameter),*) -> Result<R, HostError> + Send + Sync + 'static,
            R: InterfaceResult,
            $($parameter: InterfaceValue,)*
        {
            #[allow(non_snake_case, reason = "a parameter is called as its type is")]
            fn define(
                self: Arc<Self>,
                interface: &mut sealed::Interface<'_, '_>,
                name: &str,
            ) -> wasmtime::Result<()> {
                interface.0.func_wrap(
                    name,
                    move |store: StoreContextMut<'_, Guest>, ($($parameter,)*): ($($parameter,)*)| {
                        Ok(self(&mut InterfaceCall(store), $($parameter),*)?.results())
                    },
                )
            }
        }

        impl<F, R, $($parameter),*> InterfaceFunction<($($parameter,)*), R> for F
        where
            F: Fn(&mut InterfaceCall<'_>, $($parameter),*) -> Result<R, HostError> + Send + Sync + 'static,
            R: InterfaceResult,
            $($parameter: InterfaceValue,)*
        {
        }
    )*};
}

functions!(() (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G));
