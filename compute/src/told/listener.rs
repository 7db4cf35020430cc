//! Takes what one guest tells, by its channel or by functions.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use skrei_job::told::{LINE_BYTES_MAX, Message, Progress, Unsound, Values};
use skrei_runtime::{ChannelSink, Mount, MountError, Sandbox};
use skrei_vault::Searched;

use super::{CHANNEL_PATH, CHANNEL_VARIABLE};

/// Takes what one guest tells, however it does: keeps its values, and passes its progress on as it comes.
pub struct Listener {
    heard: Mutex<Heard>,
    /// What nobody is told.
    hidden: Option<Arc<Searched>>,
    progress: Box<dyn Fn(Progress) + Send + Sync>,
}

#[derive(Default)]
struct Heard {
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// It is longer than a line may be; what is left of it is skipped.
    skipping: bool,
    values: Values,
    dropped: u64,
}

impl Listener {
    /// Hands progress to `progress`, which must not block: it is called on the guest's thread.
    pub fn new(progress: impl Fn(Progress) + Send + Sync + 'static) -> Arc<Self> {
        Self::hiding(None, progress)
    }

    /// The same for a guest that has secrets: they are taken out of what it tells, line by line.
    pub(crate) fn hiding(
        hidden: Option<Arc<Searched>>,
        progress: impl Fn(Progress) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { heard: Mutex::default(), hidden, progress: Box::new(progress) })
    }

    /// Has a guest listened to: gives it its channel and tells it where that is, and takes what it tells by functions
    /// ([`host_functions`](super::host_functions)). A guest that was granted something else at the channel's place has none.
    ///
    /// # Errors
    /// None but for a mistake of ours: whether there is room was asked before.
    pub fn listen(self: &Arc<Self>, sandbox: Sandbox) -> Result<Sandbox, MountError> {
        let channel = Mount::channel(Arc::clone(self) as Arc<dyn ChannelSink>, CHANNEL_PATH);
        let sandbox = self.listen_to_calls(sandbox);
        if !sandbox.has_room_for(&channel) {
            return Ok(sandbox);
        }
        Ok(sandbox.mount(channel)?.env(CHANNEL_VARIABLE, CHANNEL_PATH))
    }

    /// Takes what a guest tells by functions alone. It gets no channel: no file and no variable that it was not given.
    #[must_use]
    pub fn listen_to_calls(self: &Arc<Self>, sandbox: Sandbox) -> Sandbox {
        sandbox.data(Arc::clone(self))
    }

    /// Takes a word of progress.
    pub(super) fn progress(&self, fraction: f64, message: &str) -> Result<(), Unsound> {
        let progress = Progress::new(fraction, &self.without_secrets(message)?)?;
        (self.progress)(progress);
        Ok(())
    }

    /// Takes a value, in JSON.
    pub(super) fn value(&self, key: &str, json: &str) -> Result<(), Unsound> {
        let (key, json) = (self.without_secrets(key)?, self.without_secrets(json)?);
        let value = serde_json::from_str(&json).map_err(|_| Unsound::Json)?;
        let Message::Value { key, value } = Message::value(key, value)? else { return Ok(()) };
        if self.heard().values.insert(key, value) { Ok(()) } else { Err(Unsound::Room) }
    }

    /// A part of a message, as others may have it.
    fn without_secrets(&self, text: &str) -> Result<String, Unsound> {
        if text.len() > LINE_BYTES_MAX {
            return Err(Unsound::Length);
        }
        Ok(match &self.hidden {
            Some(hidden) => String::from_utf8_lossy(&hidden.taken_out_of(text.as_bytes())).into_owned(),
            None => text.to_owned(),
        })
    }

    /// The values told so far.
    pub fn values(&self) -> Values {
        self.heard().values.clone()
    }

    /// How many lines were no message, too long, or more than there is room for.
    pub fn dropped(&self) -> u64 {
        self.heard().dropped
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChannelSink for Listener {
    fn write(&self, bytes: &[u8]) {
        // Of one write the latest word is enough.
        let latest = self.heard().take(bytes, self.hidden.as_ref());
        if let Some(progress) = latest {
            (self.progress)(progress);
        }
    }
}

impl Heard {
    fn take(&mut self, bytes: &[u8], hidden: Option<&Arc<Searched>>) -> Option<Progress> {
        let mut latest = None;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if self.skipping || self.line.len() + text.len() > LINE_BYTES_MAX {
                self.skipping = true;
                self.line.clear();
            } else {
                self.line.extend_from_slice(text);
            }
            if ends {
                let mut line = std::mem::take(&mut self.line);
                if let Some(hidden) = hidden {
                    line = hidden.taken_out_of(&line);
                }
                if std::mem::take(&mut self.skipping) {
                    self.dropped += 1;
                } else if !line.trim_ascii().is_empty() {
                    latest = self.line(&line).or(latest);
                }
            }
        }
        latest
    }

    fn line(&mut self, line: &[u8]) -> Option<Progress> {
        let kept = match Message::parse(line) {
            Some(Message::Progress(progress)) => return Some(progress),
            Some(Message::Value { key, value }) => self.values.insert(key, value),
            None => false,
        };
        self.dropped += u64::from(!kept);
        None
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use skrei_vault::Secret;

    use super::*;

    #[test]
    fn a_secret_is_told_to_nobody_however_it_is_written() {
        let secret = Secret::from(b"canary \"in\" a mine".as_slice());
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::hiding(Some(Searched::new(vec![("key".to_owned(), secret)])), {
            let told = Arc::clone(&told);
            move |progress| told.lock().unwrap().push(progress.message)
        });
        listener.write(br#"{"progress":{"fraction":0.5,"message":"found canary \"in"#);
        listener
            .write(b"\\\" a mine\"}}\n{\"value\":{\"key\":\"a\",\"value\":\"canary \\\"in\\\" a mine\"}}\n");
        assert_eq!(*told.lock().unwrap(), ["found [secret key]"]);
        let values = format!("{:?}", listener.values());
        assert!(values.contains("[secret key]") && !values.contains("canary"), "{values}");
    }

    #[test]
    fn what_functions_tell_is_held_to_the_same_bounds_and_has_no_secrets_either() {
        let secret = Secret::from(b"canary in a mine".as_slice());
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::hiding(Some(Searched::new(vec![("key".to_owned(), secret)])), {
            let told = Arc::clone(&told);
            move |progress| told.lock().unwrap().push(progress.message)
        });
        listener.progress(0.5, "found canary in a mine\n").unwrap();
        assert_eq!(*told.lock().unwrap(), ["found [secret key] "]);
        listener.value("bird", r#"{"song":"canary in a mine"}"#).unwrap();
        listener.value("canary in a mine", "1").unwrap();
        let values = format!("{:?}", listener.values());
        assert!(values.contains("[secret key]") && !values.contains("canary"), "{values}");

        let long = "x".repeat(LINE_BYTES_MAX + 1);
        assert_eq!(listener.progress(f64::NAN, ""), Err(Unsound::Fraction));
        assert_eq!(listener.progress(1.1, ""), Err(Unsound::Fraction));
        assert_eq!(listener.progress(0.5, &long), Err(Unsound::Length));
        assert_eq!(listener.value("", "1"), Err(Unsound::Key));
        assert_eq!(listener.value("a", "1 2"), Err(Unsound::Json));
        assert_eq!(
            listener.value("a", &format!("[{}1{}]", "[".repeat(5000), "]".repeat(5000))),
            Err(Unsound::Json)
        );
        assert_eq!(listener.value("a", &format!("{long:?}")), Err(Unsound::Length));
        for number in 0..62 {
            listener.value(&format!("key {number}"), "1").unwrap();
        }
        assert_eq!(listener.value("one more", "1"), Err(Unsound::Room));
        assert_eq!(listener.dropped(), 0, "who told it was told so");
    }

    #[test]
    fn a_line_may_come_in_pieces_and_one_without_end_takes_no_memory() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Listener::new({
            let told = Arc::clone(&told);
            move |progress| told.lock().unwrap().push(progress.message)
        });
        for piece in [r#"{"progress":{"frac"#, r#"tion":0.5,"message":"one"}}"#, "\n\nnonsense\n"] {
            listener.write(piece.as_bytes());
        }
        for _ in 0..100 {
            listener.write(&[b'x'; 4096]);
        }
        assert!(listener.heard().line.len() <= LINE_BYTES_MAX);
        listener.write(b"\n{\"value\":{\"key\":\"a\",\"value\":1}}\n");
        let both = r#"{"progress":{"fraction":0.6,"message":"two"}}
            {"progress":{"fraction":0.7,"message":"three"}}
            "#;
        listener.write(both.as_bytes());
        assert_eq!(*told.lock().unwrap(), ["one", "three"], "the latest of one write");
        assert_eq!((listener.values().iter().count(), listener.dropped()), (1, 2));
    }
}
