//! The values there are.

use wasmtime::{Val, ValType};

use super::{Block, Flat, HostError, Lift, Result, aligned, larger};

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
