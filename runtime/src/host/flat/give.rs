//! Bringing a module what its call came to, where it makes room.

use wasmtime::{AsContextMut as _, Caller, Val};

use super::{Block, HostError, Lowered, Result, outside, unaligned};
use crate::guest::Guest;
use crate::p1;

/// What a module exports to make room for what it is given.
const REALLOC: &str = "cabi_realloc";

/// What cannot happen: the signature was made from the same types.
const NO_PLACE: &str = "there is no place for what the call gives";

/// Gives a module what its call came to.
pub(in crate::host) async fn give(
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
