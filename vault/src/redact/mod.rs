//! Taking secrets out of a stream of bytes.

mod forms;
mod search;
mod sought;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
};

use zeroize::{Zeroize as _, Zeroizing};

use crate::Secret;
use search::{Search, Step};
use sought::{BEGINNING_BYTES, Sought};

/// Values of fewer bytes are not searched for: they are found everywhere.
pub const SEARCHED_BYTES_MIN: usize = 6;

/// Secrets to be taken out, each with the name that stands for it. Their forms are worked out when the first byte is
/// looked at, or before ([`Searched::work_out`]).
pub struct Searched {
    secrets: Vec<(String, Secret)>,
    sought: OnceLock<Sought>,
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
        Arc::new(Self { secrets, sought: OnceLock::new() })
    }

    /// Something that is whole, without the secrets.
    pub fn taken_out_of(self: &Arc<Self>, whole: &[u8]) -> Vec<u8> {
        if whole.len() < SEARCHED_BYTES_MIN || self.sought().is_empty() {
            return whole.to_vec();
        }
        let mut redactor = Redactor::new(Arc::clone(self));
        let mut out = Vec::with_capacity(whole.len());
        redactor.write(whole, &mut out);
        redactor.finish(&mut out);
        out
    }

    /// Works the forms out now, where that can be done beside other work: else the first byte waits for them.
    pub fn work_out(&self) {
        self.sought();
    }

    fn sought(&self) -> &Sought {
        self.sought.get_or_init(|| {
            let values = self.secrets.iter().enumerate();
            Sought::new(values.flat_map(|(index, (_, secret))| forms::of(index, secret.expose())).collect())
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
        let sought = self.searched.sought();
        if sought.is_empty() {
            return out.extend_from_slice(bytes);
        }
        let state = self.state.get_or_insert_default();
        // In parts, so that what is held back stays within its bound.
        for part in bytes.chunks(PART_BYTES) {
            state.read(part, sought);
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
#[derive(Default)]
struct State {
    /// Those forms of which the last bytes are a beginning that tells something, by index.
    searches: BTreeMap<u32, Search>,
    /// What was read and not handed on; nothing before it can be part of a secret that is still to be found.
    held: Zeroizing<Vec<u8>>,
    /// The last bytes read, the last of them the lowest.
    last: u32,
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
    fn read(&mut self, bytes: &[u8], sought: &Sought) {
        self.hold(bytes);
        for &byte in bytes {
            self.position += 1;
            self.last = self.last << 8 | u32::from(byte);
            if !self.searches.is_empty() {
                self.go_on(byte, sought);
            }
            let begun = sought.beginning(self.last);
            if !begun.is_empty() && self.position >= BEGINNING_BYTES as u64 {
                for form in begun {
                    let met = || Search::met(BEGINNING_BYTES, &sought.form(form).bytes);
                    self.searches.entry(form).or_insert_with(met);
                }
            }
        }
        let longest = self.searches.values().map(Search::matched).max();
        self.reach = longest.unwrap_or_else(|| sought.reach(&self.held));
    }

    /// Goes on with what has begun. A form of which too little is left is found again by its beginning.
    fn go_on(&mut self, byte: u8, sought: &Sought) {
        let (position, found) = (self.position, &mut self.found);
        self.searches.retain(|form, search| {
            let form = sought.form(*form);
            let Step { matched, is_end } = search.advance(byte, &form.bytes);
            if is_end {
                let start = position - form.bytes.len() as u64;
                add(found, Found { start, end: position, secret: form.secret });
            }
            matched >= BEGINNING_BYTES
        });
    }

    /// Keeps what was read until it is decided. A vector that grows by itself leaves a copy behind; what this one leaves
    /// is overwritten.
    fn hold(&mut self, bytes: &[u8]) {
        let needed = self.held.len() + bytes.len();
        if needed > self.held.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.held);
            self.held = larger;
        }
        self.held.extend_from_slice(bytes);
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Looks at every form at every place.
    fn naively(values: &[&[u8]], text: &[u8]) -> Vec<u8> {
        let forms = values.iter().enumerate().flat_map(|(index, value)| forms::of(index, value));
        let mut forms: Vec<_> = forms.collect();
        forms.sort_unstable_by(|one, other| one.bytes.as_slice().cmp(&other.bytes));
        let mut is_secret = vec![false; text.len()];
        let mut found = Vec::new();
        for end in 1..=text.len() {
            for form in forms.iter().filter(|form| text[..end].ends_with(&form.bytes)) {
                let start = end - form.bytes.len();
                is_secret[start..end].fill(true);
                add(&mut found, Found { start: start as u64, end: end as u64, secret: form.secret });
            }
        }
        let (mut out, mut at) = (Vec::new(), 0);
        for Found { start, end, secret } in found {
            let (start, end) = (start as usize, end as usize);
            assert!(is_secret[start..end].iter().all(|is| *is) && !is_secret[at..start].contains(&true));
            out.extend_from_slice(&text[at..start]);
            out.extend_from_slice(format!("[secret {secret}]").as_bytes());
            at = end;
        }
        out.extend_from_slice(&text[at..]);
        out
    }

    fn in_writes(values: &[&[u8]], text: &[u8], cuts: &[usize]) -> Vec<u8> {
        let secrets =
            values.iter().enumerate().map(|(index, value)| (index.to_string(), Secret::from(*value)));
        let mut redactor = Redactor::new(Searched::new(secrets.collect()));
        let mut ends: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
        ends.sort_unstable();
        let mut out = Vec::new();
        for window in ends.windows(2) {
            redactor.write(&text[window[0]..window[1]], &mut out);
        }
        redactor.finish(&mut out);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

        #[test]
        fn it_finds_what_a_naive_search_finds_however_the_text_is_written(
            // Of few letters, so that they begin alike, repeat themselves and run into each other.
            values in proptest::collection::vec("[ab]{6,14}|[ab]{3,8}\n[ab]{16,20}\n?", 1..4),
            parts in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), "[ab]{0,6}"), 1..8),
            cuts in proptest::collection::vec(any::<usize>(), 0..16),
        ) {
            let values: Vec<&[u8]> = values.iter().map(String::as_bytes).collect();
            let forms: Vec<_> = values.iter().flat_map(|value| forms::of(0, value)).collect();
            let mut text = Vec::new();
            for (form, cut, between) in parts {
                let form = &form.get(&forms).bytes;
                text.extend_from_slice(&form[..=cut.index(form.len())]);
                text.extend_from_slice(between.as_bytes());
            }
            let expected = naively(&values, &text);
            prop_assert_eq!(in_writes(&values, &text, &cuts), expected);
            let searched = Searched::new(vec![("0".to_owned(), Secret::from(values[0]))]);
            prop_assert_eq!(searched.taken_out_of(&text), naively(&values[..1], &text));
        }
    }

    #[test]
    fn nothing_is_kept_ready_for_a_stream_that_meets_nothing() {
        let searched = Searched::new(vec![("pw".to_owned(), Secret::new(vec![b'x'; 64 << 10]))]);
        let mut redactor = Redactor::new(searched);
        let mut out = Vec::new();
        redactor.write(b"hello, world", &mut out);
        let state = redactor.state.as_ref().unwrap();
        assert_eq!((out.as_slice(), state.searches.len()), (b"hello, world".as_slice(), 0));
        assert!(state.held.capacity() <= 1024, "{}", state.held.capacity());
    }
}
