//! Reading and writing.

use std::future::poll_fn;
use std::io::IoSlice;

use wasmtime::{Caller, Linker};

use super::memory::{Span, View};
use super::{MODULE, Result, call, number};
use crate::Stream;
use crate::fs::{Descriptor, Errno, File};
use crate::guest::Guest;

/// Bytes moved in one call; the guest asks again for more. Host calls on files cannot be interrupted, so this
/// bounds how long one takes.
const BYTES_MAX: u32 = 16 << 20;

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        MODULE,
        "fd_read",
        |mut caller: Caller<'_, Guest>, (fd, buffers, count, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                if matches!(caller.data_mut().table.get(fd), Ok(Descriptor::Stdin)) {
                    let ready = poll_fn(|cx| caller.data_mut().stdin.lock().poll_ready(cx)).await;
                    if let Err(error) = ready {
                        return Ok(number(Err(error.into())));
                    }
                }
                call(&mut caller, |guest, view| {
                    let spans = view.buffers(buffers, count)?;
                    let read = read(guest, view, fd, &spans)?;
                    view.write_u32(result, read)
                })
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_pread",
        |mut caller: Caller<'_, Guest>, fd: u32, buffers: u32, count: u32, offset: u64, result: u32| {
            call(&mut caller, |guest, view| {
                let spans = view.buffers(buffers, count)?;
                let file = positioned(guest, fd)?;
                let read = scatter(view, &spans, |buffer, done| file.read_at(buffer, offset + done))?;
                view.write_u32(result, read)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut caller: Caller<'_, Guest>, fd: u32, buffers: u32, count: u32, result: u32| {
            call(&mut caller, |guest, view| {
                let spans = view.buffers(buffers, count)?;
                let written = write(guest, view, fd, &spans)?;
                view.write_u32(result, written)
            })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_pwrite",
        |mut caller: Caller<'_, Guest>, fd: u32, buffers: u32, count: u32, offset: u64, result: u32| {
            call(&mut caller, |guest, view| {
                let spans = view.buffers(buffers, count)?;
                let written = write_at(positioned(guest, fd)?, view, &spans, offset)?;
                view.write_u32(result, written)
            })
        },
    )?;
    Ok(())
}

fn read(guest: &mut Guest, view: &mut View<'_>, fd: u32, spans: &[Span]) -> Result<u32> {
    let Guest { table, stdin, .. } = guest;
    match table.get(fd)? {
        Descriptor::Stdin => {
            let mut stdin = stdin.lock();
            scatter(view, spans, |buffer, _| Ok(stdin.take(buffer)))
        }
        Descriptor::Stdout | Descriptor::Stderr => Err(Errno::BadF),
        Descriptor::Preopen(_) | Descriptor::Dir(_) => Err(Errno::IsDir),
        Descriptor::File(file) => scatter(view, spans, |buffer, _| file.read(buffer)),
    }
}

fn write(guest: &mut Guest, view: &View<'_>, fd: u32, spans: &[Span]) -> Result<u32> {
    let Guest { table, output, .. } = guest;
    let stream = match table.get(fd)? {
        Descriptor::Stdin => return Err(Errno::BadF),
        Descriptor::Stdout => Stream::Stdout,
        Descriptor::Stderr => Stream::Stderr,
        Descriptor::Preopen(_) | Descriptor::Dir(_) => return Err(Errno::BadF),
        Descriptor::File(file) => {
            let slices = gather(view, spans)?.map(IoSlice::new).collect::<Vec<_>>();
            return bytes(file.write(&slices)?);
        }
    };
    let (mut output, mut written) = (output.lock(), 0);
    for slice in gather(view, spans)?.filter(|slice| !slice.is_empty()) {
        output.write(stream, slice);
        written += slice.len();
    }
    bytes(written)
}

fn write_at(file: &File, view: &View<'_>, spans: &[Span], offset: u64) -> Result<u32> {
    let mut done = 0;
    for slice in gather(view, spans)? {
        let at = offset.checked_add(done as u64).ok_or(Errno::Inval)?;
        let written = match file.write_at(slice, at) {
            Ok(written) => written,
            // What was written is said first; the next call says what is wrong.
            Err(_) if done > 0 => break,
            Err(errno) => return Err(errno),
        };
        done += written;
        if written < slice.len() {
            break;
        }
    }
    bytes(done)
}

/// A file read or written at a position; streams and directories have none.
fn positioned(guest: &mut Guest, fd: u32) -> Result<&mut File> {
    match guest.table.get(fd)? {
        Descriptor::File(file) => Ok(file),
        Descriptor::Preopen(_) | Descriptor::Dir(_) => Err(Errno::IsDir),
        Descriptor::Stdin | Descriptor::Stdout | Descriptor::Stderr => Err(Errno::SPipe),
    }
}

/// Fills buffers one after the other until `read`, given a buffer and the bytes read so far, falls short.
fn scatter(
    view: &mut View<'_>,
    spans: &[Span],
    mut read: impl FnMut(&mut [u8], u64) -> Result<usize>,
) -> Result<u32> {
    let mut done = 0;
    for span in bounded(spans) {
        let filled = read(view.bytes_mut(span)?, u64::from(done))?;
        done += bytes(filled)?;
        if filled < span.len as usize {
            break;
        }
    }
    Ok(done)
}

/// The contents of buffers, all of them checked before any is used.
fn gather<'v>(view: &'v View<'_>, spans: &[Span]) -> Result<impl Iterator<Item = &'v [u8]>> {
    let slices = bounded(spans).map(|span| view.bytes(span)).collect::<Result<Vec<_>>>()?;
    Ok(slices.into_iter())
}

/// As many bytes of the buffers as one call moves.
fn bounded(spans: &[Span]) -> impl Iterator<Item = Span> {
    spans.iter().scan(BYTES_MAX, |left, span| {
        let len = span.len.min(*left);
        *left -= len;
        Some(Span { at: span.at, len })
    })
}

fn bytes(count: usize) -> Result<u32> {
    u32::try_from(count).map_err(|_| Errno::Overflow)
}
