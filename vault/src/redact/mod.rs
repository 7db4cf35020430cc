//! Taking secrets out of a stream of bytes.

mod forms;
mod search;

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use zeroize::{Zeroize as _, Zeroizing};

use crate::Secret;
use forms::Form;
use search::Search;

/// Values of fewer bytes are not searched for: they are found everywhere.
pub const SEARCHED_BYTES_MIN: usize = 6;

/// Secrets to be taken out, each with the name that stands for it. Their forms are worked out when the first byte is
/// looked at.
pub struct Searched {
    secrets: Vec<(String, Secret)>,
    forms: OnceLock<Vec<Form>>,
}

/// Takes secrets out of one stream of bytes, however it is cut into writes.
///
/// Plain, base64, hexadecimal, percent and JSON forms are found, of a text of several lines also each line that is long
/// enough; `[secret NAME]` stands in their place. What may still become a secret is kept back until it is decided, never
/// more than the longest form of a secret and one write.
///
/// It is a net against accidents. Whoever has a secret and wants to tell it finds a form that is not looked for.
pub struct Redactor {
    searched: Arc<Searched>,
    state: Option<State>,
}

impl Searched {
    /// Values and the names that stand for them.
    pub fn new(secrets: Vec<(String, Secret)>) -> Arc<Self> {
        Arc::new(Self { secrets, forms: OnceLock::new() })
    }

    /// Something that is whole, without the secrets.
    pub fn taken_out_of(self: &Arc<Self>, whole: &[u8]) -> Vec<u8> {
        let mut redactor = Redactor::new(Arc::clone(self));
        let mut out = Vec::with_capacity(whole.len());
        redactor.write(whole, &mut out);
        redactor.finish(&mut out);
        out
    }

    fn forms(&self) -> &[Form] {
        self.forms.get_or_init(|| {
            let values = self.secrets.iter().enumerate();
            values.flat_map(|(index, (_, secret))| forms::of(index, secret.expose())).collect()
        })
    }

    fn name(&self, index: usize) -> &str {
        self.secrets.get(index).map_or("", |(name, _)| name)
    }
}

impl Redactor {
    /// For one stream.
    pub fn new(searched: Arc<Searched>) -> Self {
        Self { searched, state: None }
    }

    /// Takes the next bytes of the stream; adds to `out` what is decided by now.
    pub fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let forms = self.searched.forms();
        let state = self.state.get_or_insert_with(|| State::new(forms));
        // In parts, so that what is held back stays within its bound.
        for part in bytes.chunks(PART_BYTES) {
            state.read(part, forms);
            state.give(state.decided(), &self.searched, out);
        }
    }

    /// The stream has ended: what was kept back is no secret, or only the beginning of one.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(mut state) = self.state.take() {
            state.give(state.position, &self.searched, out);
        }
    }
}

/// Names only.
impl fmt::Debug for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.secrets.iter().map(|(name, _)| name)).finish()
    }
}

/// Names only.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redactor").field(&self.searched).finish()
    }
}

/// Looked at before anything is handed on.
const PART_BYTES: usize = 8 << 10;

/// How far one stream has been read. It has no `Debug`: what is held may be a secret.
struct State {
    searches: Vec<Search>,
    /// Bytes that a form can start with.
    starts: [bool; 256],
    /// What was read and not handed on; nothing before it can be part of a secret that is still to be found.
    held: Zeroizing<Vec<u8>>,
    /// Bytes read in all.
    position: u64,
    /// How many of the last bytes are the beginning of some form.
    reach: usize,
    /// What was found among what is held, in order, apart from each other.
    found: Vec<Found>,
}

#[derive(Clone, Copy, Debug)]
struct Found {
    start: u64,
    end: u64,
    secret: usize,
}

impl State {
    fn new(forms: &[Form]) -> Self {
        let mut starts = [false; 256];
        for first in forms.iter().filter_map(|form| form.bytes.first()) {
            starts[usize::from(*first)] = true;
        }
        let longest = forms.iter().map(|form| form.bytes.len()).max().unwrap_or(0);
        // With its room from the start: a vector that grows leaves copies behind.
        let held = Zeroizing::new(Vec::with_capacity(longest + PART_BYTES));
        Self {
            searches: forms.iter().map(|_| Search::default()).collect(),
            starts,
            held,
            position: 0,
            reach: 0,
            found: Vec::new(),
        }
    }

    fn read(&mut self, bytes: &[u8], forms: &[Form]) {
        self.held.extend_from_slice(bytes);
        for &byte in bytes {
            self.position += 1;
            if self.reach == 0 && !self.starts[usize::from(byte)] {
                continue;
            }
            self.reach = 0;
            for (search, form) in self.searches.iter_mut().zip(forms) {
                let complete = search.advance(byte, &form.bytes);
                self.reach = self.reach.max(search.matched());
                if complete {
                    let start = self.position - form.bytes.len() as u64;
                    add(&mut self.found, Found { start, end: self.position, secret: form.secret });
                }
            }
        }
    }

    /// Where what is not decided starts: at the first byte that may belong to a secret still to be found, or to a find
    /// that it would overlap.
    fn decided(&self) -> u64 {
        let open = self.position - self.reach as u64;
        self.found.iter().find(|found| found.end > open).map_or(open, |found| found.start.min(open))
    }

    /// Hands on what comes before a position.
    fn give(&mut self, until: u64, searched: &Searched, out: &mut Vec<u8>) {
        let start = self.position - self.held.len() as u64;
        let index = |position: u64| usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
        let mut given = start;
        let decided = self.found.iter().take_while(|found| found.end <= until).count();
        for found in self.found.drain(..decided) {
            out.extend_from_slice(&self.held[index(given)..index(found.start)]);
            out.extend_from_slice(format!("[secret {}]", searched.name(found.secret)).as_bytes());
            given = found.end;
        }
        out.extend_from_slice(&self.held[index(given)..index(until)]);
        let kept = self.held.len() - index(until);
        self.held.copy_within(index(until).., 0);
        self.held[kept..].zeroize();
        self.held.truncate(kept);
    }
}

/// What overlaps is one find: nothing of either is shown.
fn add(found: &mut Vec<Found>, mut new: Found) {
    while let Some(last) = found.pop_if(|last| last.end > new.start) {
        new = Found { start: last.start.min(new.start), end: last.end.max(new.end), ..last };
    }
    found.push(new);
}
