//! Closures as functions of an interface that guests import.

use std::any::Any;
use std::sync::Arc;

use wasmtime::component::LinkerInstance;
use wasmtime::{AsContextMut as _, Caller, FuncType, StoreContextMut, Val, ValType};

use super::flat::{self, Flat, Lowered};
use super::install::{self, InstallError};
use super::{HostError, function};
use crate::guest::Guest;
use crate::output::Stream;

/// A call of an interface's function: the guest that calls, and what the embedder gave the run.
pub struct InterfaceCall<'c>(StoreContextMut<'c, Guest>);

impl InterfaceCall<'_> {
    /// What [`Sandbox::data`](crate::Sandbox::data) gave the run, if it is of this type.
    pub fn data<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.data().data.as_deref()?.downcast_ref()
    }

    /// What the guest has under a name in its environment.
    pub fn variable(&self, name: &str) -> Option<&str> {
        let mut variables = self.0.data().env.iter();
        variables.find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='))
    }

    /// The guest's arguments, of which the first is its own name.
    pub fn arguments(&self) -> &[String] {
        &self.0.data().args
    }

    /// Writes as the guest itself would, and in order with what it writes.
    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        self.0.data_mut().output.lock().write(stream, bytes);
    }

    /// Replaces files of a directory of the guest's, or makes them: all of them or none. Each has its content on the disk
    /// before the first gets its name, and the guest cannot be ended in between. What the guest may not do there, this
    /// does not do for it, and what is written counts as its own.
    ///
    /// # Errors
    /// What is in the way, and where. Every file is then as it was.
    pub fn install(&mut self, directory: &str, files: &[(String, Vec<u8>)]) -> Result<(), InstallError> {
        install::install(self.0.data_mut(), directory, files)
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
/// (`Vec<u8>`), lists of these, [`Option`]s, and tuples.
pub trait InterfaceValue: sealed::Value {}

/// What an interface's function gives.
pub trait InterfaceResult: sealed::Given {}

pub(super) mod sealed {
    use wasmtime::component::{ComponentNamedList, ComponentType, Lift, Lower};

    use wasmtime::ValType;

    use super::flat::{self, Block, Flat, Lowered};
    use super::function::sealed::Imports;
    use super::{Arc, Guest, LinkerInstance};

    /// What there is to import from one interface.
    pub struct Interface<'l, 'i>(pub(crate) &'l mut LinkerInstance<'i, Guest>);

    pub trait Function<P, R>: Send + Sync + 'static {
        /// For components.
        fn define(self: Arc<Self>, interface: &mut Interface<'_, '_>, name: &str) -> wasmtime::Result<()>;

        /// For modules, which import it from a module called as the interface.
        fn define_flat(
            self: Arc<Self>,
            imports: &mut Imports<'_>,
            interface: &str,
            name: &str,
        ) -> wasmtime::Result<()>;
    }

    pub trait Value: ComponentType + Lift + Lower + Flat + Send + Sync + 'static {
        /// Whether it is a number that can be less than nothing.
        const SIGNED: bool = false;
    }

    pub trait Given: 'static {
        /// As the engine has it: a list of none or one.
        type Results: ComponentNamedList + Lower + Send + Sync + 'static;

        fn results(self) -> Self::Results;

        /// The numbers it passes as between modules, unless it is nothing.
        fn numbers() -> Option<Vec<ValType>>;

        /// As modules have it.
        fn lowered(self) -> Lowered;
    }

    pub(super) fn numbers<V: Flat>() -> Vec<ValType> {
        let mut numbers = Vec::new();
        V::numbers(&mut numbers);
        numbers
    }

    pub(super) fn lowered<V: Value>(value: V) -> Lowered {
        let mut block = Block::of::<V>();
        value.lower(&mut block, 0);
        match numbers::<V>().as_slice() {
            [number] => Lowered::Number(block.number(number, V::SIGNED)),
            _ => Lowered::Block(block),
        }
    }

    pub(super) fn lowered_result<V: Flat, E: Flat>(result: Result<V, E>) -> Lowered {
        Lowered::Block(flat::lower_result(result))
    }
}

use sealed::{lowered, lowered_result, numbers};

macro_rules! values {
    ($([$($of:ident)*] $value:ty $(, $signed:literal)?;)*) => {$(
        impl<$($of: InterfaceValue),*> sealed::Value for $value {
            $(const SIGNED: bool = $signed;)?
        }
        impl<$($of: InterfaceValue),*> InterfaceValue for $value {}
        impl<$($of: InterfaceValue),*> sealed::Given for $value {
            type Results = ($value,);

            fn results(self) -> ($value,) {
                (self,)
            }

            fn numbers() -> Option<Vec<ValType>> {
                Some(numbers::<$value>())
            }

            fn lowered(self) -> Lowered {
                lowered(self)
            }
        }
        impl<$($of: InterfaceValue),*> InterfaceResult for $value {}
    )*};
}

values! {
    [] bool; [] u8; [] i8, true; [] u16; [] i16, true; [] u32; [] i32, true; [] u64; [] i64, true; [] f32; [] f64;
    [] char; [] String;
    [V] Vec<V>;
    [V] Option<V>;
    [A B] (A, B);
    [A B C] (A, B, C);
    [A B C D] (A, B, C, D);
}

impl sealed::Given for () {
    type Results = ();

    fn results(self) {}

    fn numbers() -> Option<Vec<ValType>> {
        None
    }

    fn lowered(self) -> Lowered {
        Lowered::Nothing
    }
}
impl InterfaceResult for () {}

/// `result<V, E>`.
impl<V: InterfaceValue, E: InterfaceValue> sealed::Given for Result<V, E> {
    type Results = (Result<V, E>,);

    fn results(self) -> (Result<V, E>,) {
        (self,)
    }

    fn numbers() -> Option<Vec<ValType>> {
        Some(flat::result_numbers::<V, E>())
    }

    fn lowered(self) -> Lowered {
        lowered_result(self)
    }
}
impl<V: InterfaceValue, E: InterfaceValue> InterfaceResult for Result<V, E> {}

/// `result<_, E>`.
impl<E: InterfaceValue> sealed::Given for Result<(), E> {
    type Results = (Result<(), E>,);

    fn results(self) -> (Result<(), E>,) {
        (self,)
    }

    fn numbers() -> Option<Vec<ValType>> {
        Some(flat::result_numbers::<(), E>())
    }

    fn lowered(self) -> Lowered {
        lowered_result(self)
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

            #[allow(non_snake_case, reason = "a parameter is called as its type is")]
            fn define_flat(
                self: Arc<Self>,
                imports: &mut function::sealed::Imports<'_>,
                interface: &str,
                name: &str,
            ) -> wasmtime::Result<()> {
                let (parameters, results) = flat::signature::<($($parameter,)*)>(R::numbers());
                let signature = FuncType::new(imports.0.engine(), parameters, results);
                let function = self;
                let defined = imports.0.func_new_async(interface, name, signature, move |caller, numbers, results| {
                    let function = Arc::clone(&function);
                    Box::new(call_flat(caller, numbers, results, move |call, ($($parameter,)*)| {
                        function(call, $($parameter),*)
                    }))
                });
                defined.map(drop)
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

/// Carries out a module's call.
async fn call_flat<P: Flat, R: InterfaceResult>(
    mut caller: Caller<'_, Guest>,
    numbers: &[Val],
    results: &mut [Val],
    function: impl FnOnce(&mut InterfaceCall<'_>, P) -> Result<R, HostError>,
) -> wasmtime::Result<()> {
    if caller.data().makes_room {
        let message = "the module calls its host while it makes room for what that gives it";
        return Err(HostError::new(message).into());
    }
    let parameters = flat::parameters::<P>(&mut caller, numbers)?;
    let given = function(&mut InterfaceCall(caller.as_context_mut()), parameters)?;
    let lowered = given.lowered();
    flat::give(&mut caller, lowered, numbers, results).await
}
