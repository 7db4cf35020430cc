//! How values of an interface pass between the host and a module: the component model's canonical ABI, which is what
//! tools that make bindings from WIT have modules do.
//!
//! What comes from a module is lifted: from numbers, and from its memory where those say ([`lift`]). What goes there is
//! lowered into [`Block`]s first, in which every address is still open ([`block`]); [`give()`] then has the module make room
//! for each.

mod block;
mod give;
mod lift;
mod values;

use wasmtime::{Caller, Val, ValType};

use super::HostError;
use crate::guest::Guest;
use crate::p1;

pub(super) use block::{Block, Lowered, lower_result};
pub(super) use give::give;
pub(super) use lift::Lift;

/// Numbers that parameters pass as; more of them pass as the address of all.
const NUMBERS_MAX: usize = 16;

type Result<T> = std::result::Result<T, HostError>;

/// A value as modules have it.
pub trait Flat: Sized {
    /// Bytes it takes in memory, those of the lists and texts it has aside.
    const SIZE: usize;
    /// What its address is a multiple of.
    const ALIGN: usize;

    /// Adds the numbers it passes as, in their order.
    fn numbers(kinds: &mut Vec<ValType>);

    /// From the next numbers.
    fn take(lift: &mut Lift<'_>) -> Result<Self>;

    /// From memory at an address that is known to be in it.
    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self>;

    /// Into a block.
    fn lower(self, block: &mut Block, at: usize);
}

/// The kinds of numbers that a list of parameters and a result pass as.
pub(super) fn signature<P: Flat>(result: Option<Vec<ValType>>) -> (Vec<ValType>, Vec<ValType>) {
    let mut parameters = Vec::new();
    P::numbers(&mut parameters);
    if parameters.len() > NUMBERS_MAX {
        parameters = vec![ValType::I32];
    }
    match result {
        None => (parameters, Vec::new()),
        Some(one) if one.len() == 1 => (parameters, one),
        Some(_) => {
            // Where the result goes.
            parameters.push(ValType::I32);
            (parameters, Vec::new())
        }
    }
}

/// The parameters of a call.
pub(super) fn parameters<P: Flat>(caller: &mut Caller<'_, Guest>, numbers: &[Val]) -> Result<P> {
    let mut kinds = Vec::new();
    P::numbers(&mut kinds);
    // One without a memory can pass numbers all the same.
    let memory = p1::memory_of(caller).ok();
    let memory = memory.as_ref().map_or(&[][..], |memory| memory.data(&*caller));
    let mut lift = Lift::new(memory, numbers);
    if kinds.len() <= NUMBERS_MAX {
        return P::take(&mut lift);
    }
    let at = lift.address()?;
    lift.check(at, P::SIZE, P::ALIGN)?;
    P::load(&mut lift, at)
}

/// The numbers that `result<V, E>` passes as, as far as that matters: more than one.
pub(super) fn result_numbers<V: Flat, E: Flat>() -> Vec<ValType> {
    let mut kinds = vec![ValType::I32];
    V::numbers(&mut kinds);
    E::numbers(&mut kinds);
    kinds
}

fn outside(at: usize, len: usize) -> HostError {
    HostError::new(format!("{len} bytes at address {at} lie outside the guest's memory"))
}

fn unaligned(at: usize, align: usize) -> HostError {
    HostError::new(format!("the address {at} is no multiple of {align}"))
}

/// The next multiple.
const fn aligned(at: usize, align: usize) -> usize {
    at.next_multiple_of(align)
}

const fn larger(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}
