//! Names under which results are served.

use skrei_job::{Digest, ExecutionId};

use crate::store::Held;

/// The ending that Bacalhau's clients unpack.
const ENDING: &str = ".tar.gz";

/// `<execution>-<token>.tar.gz`, the token in 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) execution: ExecutionId,
    token: String,
}

impl Name {
    /// Reads a name; none if it cannot be one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (execution, token) = text.strip_suffix(ENDING)?.rsplit_once('-')?;
        let is_token =
            token.len() == 32 && token.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        is_token.then(|| Self { execution: ExecutionId::new(execution), token: token.to_owned() })
    }

    /// The name of an archive.
    pub(crate) fn of(held: &Held) -> String {
        format!("{}-{}{ENDING}", held.execution, digits(&held.token))
    }

    /// Whether it names this archive. Takes as long whatever is wrong.
    pub(crate) fn is_of(&self, held: &Held) -> bool {
        let hash = |token: &str| Digest::of(token.as_bytes());
        held.execution == self.execution && hash(&digits(&held.token)) == hash(&self.token)
    }
}

fn digits(token: &[u8; 16]) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use skrei_job::{JobId, Timestamp};

    use super::*;

    #[test]
    fn a_name_is_known_by_its_token_alone() {
        let held = Held {
            execution: ExecutionId::new("e-1"),
            job: JobId::new("j-1"),
            token: [0xab; 16],
            digest: Digest::of(b""),
            bytes: 1,
            at: Timestamp::from_nanos(0),
        };
        let name = Name::of(&held);
        assert_eq!(name, format!("e-1-{}.tar.gz", "ab".repeat(16)));
        assert!(Name::parse(&name).unwrap().is_of(&held));
        assert!(!Name::parse(&name.replace("-ab", "-ac")).unwrap().is_of(&held));
        assert!(!Name::parse(&name.replace("e-1", "e-2")).unwrap().is_of(&held));
        for wrong in
            ["e-1.tar.gz", "e-1-ab.tar.gz", &name.to_uppercase(), &name[..name.len() - 3], "", "-.tar.gz"]
        {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
    }
}
