//! How values of an interface pass between the host and a module: the component model's canonical ABI, which is what
//! tools that make bindings from WIT have modules do.
//!
//! What comes from a module is lifted: from numbers, and from its memory where those say. What goes there is lowered
//! into [`Block`]s first, in which every address is still open; [`give`] then has the module make room for each.

use wasmtime::{AsContextMut as _, Caller, Val, ValType};

use super::HostError;
use crate::component::CALL_BYTES_MAX;
use crate::guest::Guest;
use crate::p1;

/// Numbers that parameters pass as; more of them pass as the address of all.
const NUMBERS_MAX: usize = 16;

/// What a module exports to make room for what it is given.
const REALLOC: &str = "cabi_realloc";

/// What cannot happen: the signature was made from the same types.
const NO_PLACE: &str = "there is no place for what the call gives";

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

/// What one call brings along.
pub struct Lift<'m> {
    memory: &'m [u8],
    numbers: std::slice::Iter<'m, Val>,
    /// What it may still bring: the same bytes may be named many times.
    bytes_left: usize,
}

/// Bytes for a module's memory, with the addresses of other blocks in them.
#[derive(Debug, Default)]
pub struct Block {
    bytes: Vec<u8>,
    align: usize,
    holes: Vec<Hole>,
}

/// A place for the address of a block, before the place for how many elements that has.
#[derive(Debug)]
struct Hole {
    at: usize,
    block: Block,
    /// Whether a module that makes no room does without.
    dispensable: bool,
}

/// What a call gives, as a module has it.
#[derive(Debug)]
pub enum Lowered {
    /// Nothing.
    Nothing,
    /// A number.
    Number(Val),
    /// What the module names a place for.
    Block(Block),
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
    let mut lift = Lift { memory, numbers: numbers.iter(), bytes_left: CALL_BYTES_MAX };
    if kinds.len() <= NUMBERS_MAX {
        return P::take(&mut lift);
    }
    let at = lift.address()?;
    lift.check(at, P::SIZE, P::ALIGN)?;
    P::load(&mut lift, at)
}

/// Gives a module what its call came to.
pub(super) async fn give(
    caller: &mut Caller<'_, Guest>,
    lowered: Lowered,
    numbers: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    match (lowered, results) {
        (Lowered::Nothing, _) => Ok(()),
        (Lowered::Number(number), [result]) => {
            *result = number;
            Ok(())
        }
        (Lowered::Block(mut block), _) => {
            fill(caller, &mut block).await?;
            let Some(Val::I32(at)) = numbers.last() else { return Err(HostError::new(NO_PLACE).into()) };
            Ok(write(caller, at.cast_unsigned() as usize, &block)?)
        }
        (Lowered::Number(_), _) => Err(HostError::new(NO_PLACE).into()),
    }
}

/// Brings all that a block leads to into the module's memory, the innermost first.
async fn fill(caller: &mut Caller<'_, Guest>, block: &mut Block) -> wasmtime::Result<()> {
    for mut hole in std::mem::take(&mut block.holes) {
        // As deep as the type is.
        Box::pin(fill(caller, &mut hole.block)).await?;
        // What is empty is nowhere.
        let mut at = Some(hole.block.align);
        if !hole.block.bytes.is_empty() {
            at = make_room(caller, &hole.block).await?;
            match at {
                Some(at) => write(caller, at, &hole.block)?,
                None if hole.dispensable => {}
                None => {
                    let message = format!("the module exports no `{REALLOC}` to make room with");
                    return Err(HostError::new(message).into());
                }
            }
        }
        let address = u32::try_from(at.unwrap_or(hole.block.align)).unwrap_or_default();
        block.put(hole.at, &address.to_le_bytes());
        if at.is_none() {
            block.put(hole.at + 4, &[0; 4]);
        }
    }
    Ok(())
}

/// Has the module make room for a block. None if it cannot.
async fn make_room(caller: &mut Caller<'_, Guest>, block: &Block) -> wasmtime::Result<Option<usize>> {
    let Some(realloc) = caller.get_export(REALLOC).and_then(wasmtime::Extern::into_func) else {
        return Ok(None);
    };
    let realloc = realloc
        .typed::<(u32, u32, u32, u32), u32>(&mut *caller)
        .map_err(|_| HostError::new(format!("`{REALLOC}` is not of the type that it has to be")))?;
    let number = |size: usize| u32::try_from(size).map_err(|_| HostError::new("more than a module can have"));
    let (align, size) = (number(block.align)?, number(block.bytes.len())?);
    caller.data_mut().makes_room = true;
    let at = realloc.call_async(caller.as_context_mut(), (0, 0, align, size)).await;
    caller.data_mut().makes_room = false;
    Ok(Some(at? as usize))
}

fn write(caller: &mut Caller<'_, Guest>, at: usize, block: &Block) -> Result<()> {
    if !at.is_multiple_of(block.align) {
        return Err(unaligned(at, block.align));
    }
    let memory = p1::memory_of(caller).map_err(|error| HostError::new(error.to_string()))?;
    let place = memory.data_mut(caller).get_mut(at..at + block.bytes.len());
    place.ok_or_else(|| outside(at, block.bytes.len()))?.copy_from_slice(&block.bytes);
    Ok(())
}

fn outside(at: usize, len: usize) -> HostError {
    HostError::new(format!("{len} bytes at address {at} lie outside the guest's memory"))
}

fn unaligned(at: usize, align: usize) -> HostError {
    HostError::new(format!("the address {at} is no multiple of {align}"))
}

impl Lift<'_> {
    fn number(&mut self) -> Result<&Val> {
        self.numbers.next().ok_or_else(|| HostError::new("a parameter is missing"))
    }

    fn i32(&mut self) -> Result<i32> {
        match self.number()? {
            Val::I32(number) => Ok(*number),
            _ => Err(HostError::new("a parameter is of another type")),
        }
    }

    fn i64(&mut self) -> Result<i64> {
        match self.number()? {
            Val::I64(number) => Ok(*number),
            _ => Err(HostError::new("a parameter is of another type")),
        }
    }

    fn address(&mut self) -> Result<usize> {
        Ok(self.i32()?.cast_unsigned() as usize)
    }

    /// Whether so much lies at an address, which is one for it.
    fn check(&mut self, at: usize, len: usize, align: usize) -> Result<()> {
        if !at.is_multiple_of(align) {
            return Err(unaligned(at, align));
        }
        if len > self.memory.len() || at > self.memory.len() - len {
            return Err(outside(at, len));
        }
        self.bring(len)
    }

    /// Counts what the call brings.
    fn bring(&mut self, bytes: usize) -> Result<()> {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or_else(|| {
            HostError::new(format!("the call brings along more than {CALL_BYTES_MAX} bytes"))
        })?;
        Ok(())
    }

    /// What [`check`](Self::check) said is there.
    fn array<const N: usize>(&self, at: usize) -> [u8; N] {
        self.memory[at..].first_chunk().copied().unwrap_or([0; N])
    }

    fn u32(&self, at: usize) -> usize {
        u32::from_le_bytes(self.array(at)) as usize
    }

    fn text(&mut self, at: usize, len: usize) -> Result<String> {
        self.check(at, len, 1)?;
        let text = str::from_utf8(&self.memory[at..at + len]);
        text.map(str::to_owned)
            .map_err(|_| HostError::new(format!("the {len} bytes at address {at} are not UTF-8")))
    }

    fn list<V: Flat>(&mut self, at: usize, len: usize) -> Result<Vec<V>> {
        self.check(at, len.saturating_mul(V::SIZE), V::ALIGN)?;
        // Here it takes more room than there.
        self.bring(len.saturating_mul(size_of::<V>()))?;
        (0..len).map(|number| V::load(self, at + number * V::SIZE)).collect()
    }
}

impl Block {
    /// Room for one of these.
    pub(super) fn of<V: Flat>() -> Block {
        Block::sized(V::SIZE, V::ALIGN)
    }

    pub(super) fn sized(size: usize, align: usize) -> Block {
        Block { bytes: vec![0; size], align, holes: Vec::new() }
    }

    pub(super) fn put(&mut self, at: usize, bytes: &[u8]) {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// The address of `block` and the number of its elements.
    fn lead_to(&mut self, at: usize, block: Block, len: usize) {
        // What does not fit is refused when room is made for it.
        self.put(at + 4, &u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes());
        self.holes.push(Hole { at, block, dispensable: false });
    }

    /// A module that makes no room does without what this leads to.
    pub(super) fn dispense(&mut self) {
        self.holes.iter_mut().for_each(|hole| hole.dispensable = true);
    }

    /// As the one number that it is.
    pub(super) fn number(&self, kind: &ValType, signed: bool) -> Val {
        let mut wide =
            [if signed && self.bytes.last().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 }; 8];
        let len = self.bytes.len().min(8);
        wide[..len].copy_from_slice(&self.bytes[..len]);
        let wide = u64::from_le_bytes(wide);
        match kind {
            ValType::I64 => Val::I64(wide.cast_signed()),
            ValType::F32 => Val::F32(wide as u32),
            ValType::F64 => Val::F64(wide),
            _ => Val::I32((wide as u32).cast_signed()),
        }
    }
}

/// The next multiple.
pub(super) const fn aligned(at: usize, align: usize) -> usize {
    at.next_multiple_of(align)
}

const fn larger(one: usize, other: usize) -> usize {
    if one > other { one } else { other }
}

macro_rules! integers {
    ($($kind:ty: $number:ident $take:ident)*) => {$(
        impl Flat for $kind {
            const SIZE: usize = size_of::<$kind>();
            const ALIGN: usize = size_of::<$kind>();

            fn numbers(kinds: &mut Vec<ValType>) {
                kinds.push(ValType::$number);
            }

            fn take(lift: &mut Lift<'_>) -> Result<Self> {
                // The upper bits of a small one mean nothing.
                Ok(lift.$take()? as $kind)
            }

            fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
                Ok(<$kind>::from_le_bytes(lift.array(at)))
            }

            fn lower(self, block: &mut Block, at: usize) {
                block.put(at, &self.to_le_bytes());
            }
        }
    )*};
}

integers!(u8: I32 i32 i8: I32 i32 u16: I32 i32 i16: I32 i32 u32: I32 i32 i32: I32 i32 u64: I64 i64 i64: I64 i64);

macro_rules! floats {
    ($($kind:ty: $number:ident)*) => {$(
        impl Flat for $kind {
            const SIZE: usize = size_of::<$kind>();
            const ALIGN: usize = size_of::<$kind>();

            fn numbers(kinds: &mut Vec<ValType>) {
                kinds.push(ValType::$number);
            }

            fn take(lift: &mut Lift<'_>) -> Result<Self> {
                match lift.number()? {
                    Val::$number(bits) => Ok(<$kind>::from_bits(*bits)),
                    _ => Err(HostError::new("a parameter is of another type")),
                }
            }

            fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
                Ok(<$kind>::from_le_bytes(lift.array(at)))
            }

            fn lower(self, block: &mut Block, at: usize) {
                block.put(at, &self.to_le_bytes());
            }
        }
    )*};
}

floats!(f32: F32 f64: F64);

impl Flat for bool {
    const SIZE: usize = 1;
    const ALIGN: usize = 1;

    fn numbers(kinds: &mut Vec<ValType>) {
        u8::numbers(kinds);
    }

    fn take(lift: &mut Lift<'_>) -> Result<Self> {
        Ok(lift.i32()? != 0)
    }

    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
        Ok(u8::load(lift, at)? != 0)
    }

    fn lower(self, block: &mut Block, at: usize) {
        u8::from(self).lower(block, at);
    }
}

impl Flat for char {
    const SIZE: usize = 4;
    const ALIGN: usize = 4;

    fn numbers(kinds: &mut Vec<ValType>) {
        u32::numbers(kinds);
    }

    fn take(lift: &mut Lift<'_>) -> Result<Self> {
        character(u32::take(lift)?)
    }

    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
        character(u32::load(lift, at)?)
    }

    fn lower(self, block: &mut Block, at: usize) {
        u32::from(self).lower(block, at);
    }
}

fn character(number: u32) -> Result<char> {
    char::from_u32(number).ok_or_else(|| HostError::new(format!("{number} is no character")))
}

impl Flat for String {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn numbers(kinds: &mut Vec<ValType>) {
        kinds.extend([ValType::I32, ValType::I32]);
    }

    fn take(lift: &mut Lift<'_>) -> Result<Self> {
        let (at, len) = (lift.address()?, lift.address()?);
        lift.text(at, len)
    }

    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
        lift.text(lift.u32(at), lift.u32(at + 4))
    }

    fn lower(self, block: &mut Block, at: usize) {
        let len = self.len();
        block.lead_to(at, Block { bytes: self.into_bytes(), align: 1, holes: Vec::new() }, len);
    }
}

impl<V: Flat> Flat for Vec<V> {
    const SIZE: usize = 8;
    const ALIGN: usize = 4;

    fn numbers(kinds: &mut Vec<ValType>) {
        kinds.extend([ValType::I32, ValType::I32]);
    }

    fn take(lift: &mut Lift<'_>) -> Result<Self> {
        let (at, len) = (lift.address()?, lift.address()?);
        lift.list(at, len)
    }

    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
        lift.list(lift.u32(at), lift.u32(at + 4))
    }

    fn lower(self, block: &mut Block, at: usize) {
        let len = self.len();
        let mut elements = Block::sized(len * V::SIZE, V::ALIGN);
        for (number, element) in self.into_iter().enumerate() {
            element.lower(&mut elements, number * V::SIZE);
        }
        block.lead_to(at, elements, len);
    }
}

impl<V: Flat> Flat for Option<V> {
    const SIZE: usize = aligned(aligned(1, V::ALIGN) + V::SIZE, V::ALIGN);
    const ALIGN: usize = V::ALIGN;

    fn numbers(kinds: &mut Vec<ValType>) {
        kinds.push(ValType::I32);
        V::numbers(kinds);
    }

    fn take(lift: &mut Lift<'_>) -> Result<Self> {
        if is_case(lift.i32()?.cast_unsigned())? {
            return V::take(lift).map(Some);
        }
        // The numbers of what is not there mean nothing, and are passed all the same.
        let mut kinds = Vec::new();
        V::numbers(&mut kinds);
        kinds.iter().try_for_each(|_| lift.number().map(drop))?;
        Ok(None)
    }

    fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
        let is_there = is_case(u8::load(lift, at)?.into())?;
        is_there.then(|| V::load(lift, at + aligned(1, V::ALIGN))).transpose()
    }

    fn lower(self, block: &mut Block, at: usize) {
        block.put(at, &[u8::from(self.is_some())]);
        if let Some(value) = self {
            value.lower(block, at + aligned(1, V::ALIGN));
        }
    }
}

fn is_case(number: u32) -> Result<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        other => {
            Err(HostError::new(format!("{other} says neither that something is there nor that nothing is")))
        }
    }
}

macro_rules! tuples {
    ($(($($part:ident)*))*) => {$(
        #[allow(unused, non_snake_case, reason = "a part is called as its type is, and there may be none")]
        impl<$($part: Flat),*> Flat for ($($part,)*) {
            const SIZE: usize = {
                let mut at = 0;
                $(at = aligned(at, $part::ALIGN) + $part::SIZE;)*
                aligned(at, Self::ALIGN)
            };
            const ALIGN: usize = {
                let mut align = 1;
                $(align = larger(align, $part::ALIGN);)*
                align
            };

            fn numbers(kinds: &mut Vec<ValType>) {
                $($part::numbers(kinds);)*
            }

            fn take(lift: &mut Lift<'_>) -> Result<Self> {
                Ok(($($part::take(lift)?,)*))
            }

            fn load(lift: &mut Lift<'_>, at: usize) -> Result<Self> {
                let mut end = at;
                $(
                    let at = aligned(end, $part::ALIGN);
                    end = at + $part::SIZE;
                    let $part = $part::load(lift, at)?;
                )*
                Ok(($($part,)*))
            }

            fn lower(self, block: &mut Block, at: usize) {
                let ($($part,)*) = self;
                let mut end = at;
                $(
                    let at = aligned(end, $part::ALIGN);
                    end = at + $part::SIZE;
                    $part.lower(block, at);
                )*
            }
        }
    )*};
}

tuples!(() (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E G));

/// The numbers that `result<V, E>` passes as, as far as that matters: more than one.
pub(super) fn result_numbers<V: Flat, E: Flat>() -> Vec<ValType> {
    let mut kinds = vec![ValType::I32];
    V::numbers(&mut kinds);
    E::numbers(&mut kinds);
    kinds
}

/// `result<V, E>`, in which a module that makes no room does without the error's words.
pub(super) fn lower_result<V: Flat, E: Flat>(result: std::result::Result<V, E>) -> Block {
    let align = larger(V::ALIGN, E::ALIGN);
    let at = aligned(1, align);
    let mut block = Block::sized(aligned(at + larger(V::SIZE, E::SIZE), align), align);
    match result {
        Ok(value) => value.lower(&mut block, at),
        Err(error) => {
            block.put(0, &[1]);
            error.lower(&mut block, at);
            block.dispense();
        }
    }
    block
}
