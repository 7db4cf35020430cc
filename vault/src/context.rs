//! What a ciphertext is for.

/// What a ciphertext is for: it opens only for whoever names the same purpose and the same facts in the same order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context(Vec<u8>);

impl Context {
    /// A purpose: a fixed text of the caller's.
    pub fn new(purpose: &'static str) -> Self {
        Self(Vec::new()).with(purpose)
    }

    /// The same with one more fact.
    #[must_use]
    pub fn with(mut self, fact: impl AsRef<[u8]>) -> Self {
        // With its length before it, so that no two lists of facts look the same.
        let fact = fact.as_ref();
        self.0.extend((fact.len() as u64).to_be_bytes());
        self.0.extend(fact);
        self
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_do_not_run_into_each_other() {
        let one = Context::new("p").with("ab").with("c");
        assert_ne!(one, Context::new("p").with("a").with("bc"));
        assert_ne!(one, Context::new("p").with("abc"));
        assert_eq!(one, Context::new("p").with("ab").with("c"));
    }
}
