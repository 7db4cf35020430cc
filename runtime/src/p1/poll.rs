//! Waiting for the first of several things.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use wasmtime::{Caller, Linker};

use super::clock::numbered;
use super::memory::View;
use super::{MODULE, Result, number, parts};
use crate::fs::{Descriptor, Errno, File};
use crate::guest::Guest;

/// Subscriptions in one call: more than any guest can have descriptors and clocks to wait for.
const SUBSCRIPTIONS_MAX: u32 = 4096;
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: usize = 32;

/// `subclockflags`: the timeout is a time on the clock rather than from now.
const ABSOLUTE: u16 = 1;

/// How a subscription lies in memory.
#[derive(Clone, Copy)]
pub(super) enum Layout {
    /// As preview 1 has it.
    Current,
    /// As it was before: a clock had a further number of the guest's own.
    Older,
}

/// A subscription as preview 1 has it.
type Record = [u8; SUBSCRIPTION_BYTES as usize];

impl Layout {
    fn bytes(self) -> u32 {
        match self {
            Layout::Current => SUBSCRIPTION_BYTES,
            Layout::Older => SUBSCRIPTION_BYTES + 8,
        }
    }

    fn record(self, view: &View<'_>, at: u32) -> Result<Record> {
        let Layout::Older = self else { return view.array(at) };
        let older: [u8; SUBSCRIPTION_BYTES as usize + 8] = view.array(at)?;
        let mut record = [0; SUBSCRIPTION_BYTES as usize];
        record[..24].copy_from_slice(&older[..24]);
        if older[8] == EventKind::Clock as u8 {
            record[16..].copy_from_slice(&older[24..]);
        }
        Ok(record)
    }
}

pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    define(linker, MODULE, Layout::Current)
}

/// Defines the function under a module's name.
pub(super) fn define(linker: &mut Linker<Guest>, module: &str, layout: Layout) -> wasmtime::Result<()> {
    linker.func_wrap_async(
        module,
        "poll_oneoff",
        move |mut caller: Caller<'_, Guest>, (subscriptions, events, count, result): (u32, u32, u32, u32)| {
            Box::new(async move {
                let (guest, view) = parts(&mut caller)?;
                let waits = match read_all(guest, &view, layout, subscriptions, count) {
                    Ok(waits) => waits,
                    Err(errno) => return Ok(number(Err(errno))),
                };
                wait(guest, &waits).await;
                let (guest, mut view) = parts(&mut caller)?;
                Ok::<_, wasmtime::Error>(number(report(guest, &mut view, &waits, events, result)))
            })
        },
    )?;
    Ok(())
}

/// One subscription.
struct Wait {
    userdata: u64,
    kind: EventKind,
    on: On,
}

#[derive(Clone, Copy)]
enum EventKind {
    Clock = 0,
    Read = 1,
    Write = 2,
}

/// What a subscription waits on.
enum On {
    Moment(Instant),
    /// A time since the run began, where time is made up.
    Made(Duration),
    Stdin,
    /// Nothing: it is ready, with so many bytes, or wrong.
    Nothing(Result<u64>),
}

fn read_all(guest: &mut Guest, view: &View<'_>, layout: Layout, at: u32, count: u32) -> Result<Vec<Wait>> {
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Inval);
    }
    let addresses = (0..count).map(|index| at.checked_add(index * layout.bytes()));
    addresses.map(|at| read(guest, layout.record(view, at.ok_or(Errno::Fault)?)?)).collect()
}

fn read(guest: &mut Guest, record: Record) -> Result<Wait> {
    let u64_at = |at: usize| u64::from_le_bytes(std::array::from_fn(|byte| record[at + byte]));
    let u32_at = |at: usize| u32::from_le_bytes(std::array::from_fn(|byte| record[at + byte]));
    let (kind, on) = match record[8] {
        0 => {
            let absolute = u16::from_le_bytes([record[40], record[41]]) & ABSOLUTE != 0;
            (EventKind::Clock, moment(guest, u32_at(16), Duration::from_nanos(u64_at(24)), absolute))
        }
        1 => (EventKind::Read, readable(guest, u32_at(16))),
        2 => (EventKind::Write, writable(guest, u32_at(16))),
        _ => return Err(Errno::Inval),
    };
    Ok(Wait { userdata: u64_at(0), kind, on })
}

fn moment(guest: &mut Guest, clock: u32, timeout: Duration, absolute: bool) -> On {
    let clock = match numbered(clock) {
        Ok(clock) => clock,
        Err(errno) => return On::Nothing(Err(errno)),
    };
    let timeout = if absolute { timeout.saturating_sub(guest.sources.now(clock)) } else { timeout };
    if let Some(made) = guest.sources.made() {
        return On::Made(made.elapsed().saturating_add(timeout));
    }
    let now = Instant::now();
    // Further away than the host can count is for ever, as far as any run goes.
    const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
    On::Moment(now.checked_add(timeout).unwrap_or(now + FOR_EVER))
}

fn readable(guest: &mut Guest, fd: u32) -> On {
    match guest.table.get(fd) {
        Ok(Descriptor::Stdin) => On::Stdin,
        Ok(Descriptor::File(file)) => On::Nothing(bytes_left(file)),
        Ok(_) => On::Nothing(Err(Errno::BadF)),
        Err(errno) => On::Nothing(Err(errno)),
    }
}

fn writable(guest: &mut Guest, fd: u32) -> On {
    match guest.table.get(fd) {
        // Any amount; preview 1 wants to hear of at least one byte.
        Ok(Descriptor::Stdout | Descriptor::Stderr | Descriptor::File(_)) => On::Nothing(Ok(1)),
        Ok(_) => On::Nothing(Err(Errno::BadF)),
        Err(errno) => On::Nothing(Err(errno)),
    }
}

fn bytes_left(file: &mut File) -> Result<u64> {
    let position = file.seek(std::io::SeekFrom::Current(0))?;
    Ok(file.stat()?.size_bytes.saturating_sub(position))
}

/// Waits until at least one of them is ready.
async fn wait(guest: &mut Guest, waits: &[Wait]) {
    if waits.iter().any(|wait| matches!(wait.on, On::Nothing(_))) {
        return;
    }
    let first = waits.iter().filter_map(|wait| match wait.on {
        On::Moment(moment) => Some(moment),
        _ => None,
    });
    let mut sleep = first.min().map(|moment| guest.clock.sleep_until(moment));
    let made = waits.iter().filter_map(|wait| if let On::Made(at) = wait.on { Some(at) } else { None }).min();
    if let (Some(at), Some(made)) = (made, guest.sources.made()) {
        // Nobody waits for time that is made up.
        return made.pass(at.saturating_sub(made.elapsed()));
    }
    let on_stdin = waits.iter().any(|wait| matches!(wait.on, On::Stdin));
    poll_fn(|cx| {
        if on_stdin && guest.stdin.lock().poll_ready(cx).is_ready() {
            return Poll::Ready(());
        }
        match &mut sleep {
            Some(sleep) => Pin::new(sleep).poll(cx),
            None => Poll::Pending,
        }
    })
    .await;
}

/// Writes an event for each that is ready, in the order of the subscriptions.
fn report(guest: &mut Guest, view: &mut View<'_>, waits: &[Wait], at: u32, count_at: u32) -> Result<()> {
    let now = Instant::now();
    let (mut at, mut count) = (at, 0);
    for wait in waits {
        let ready = match &wait.on {
            On::Moment(moment) if *moment > now => continue,
            On::Made(at) if guest.sources.made().is_some_and(|made| made.elapsed() < *at) => continue,
            On::Moment(_) | On::Made(_) => Ok(0),
            On::Nothing(ready) => *ready,
            On::Stdin => match guest.stdin.lock().peek() {
                Some(ready) => Ok(ready as u64),
                None => continue,
            },
        };
        view.write(at, &event(wait, ready))?;
        at = at.checked_add(EVENT_BYTES as u32).ok_or(Errno::Fault)?;
        count += 1;
    }
    view.write_u32(count_at, count)
}

fn event(wait: &Wait, ready: Result<u64>) -> [u8; EVENT_BYTES] {
    let mut event = [0; EVENT_BYTES];
    event[0..8].copy_from_slice(&wait.userdata.to_le_bytes());
    event[10] = wait.kind as u8;
    match ready {
        Ok(bytes) => event[16..24].copy_from_slice(&bytes.to_le_bytes()),
        Err(errno) => event[8..10].copy_from_slice(&(errno as u16).to_le_bytes()),
    }
    event
}
