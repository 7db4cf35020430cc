//! The redactor as a filter of the sandbox.

use std::sync::Arc;

use skrei_runtime::OutputFilter;
use skrei_vault::{Redactor, Searched};

/// Takes an execution's secrets out of one stream of its guest.
pub(super) struct Redacting(Redactor);

impl Redacting {
    pub(super) fn new(searched: &Arc<Searched>) -> Self {
        Self(Redactor::new(Arc::clone(searched)))
    }
}

impl OutputFilter for Redacting {
    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.write(bytes, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.0.finish(out);
    }
}
