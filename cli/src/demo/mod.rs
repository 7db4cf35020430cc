//! The parts of `skrei demo`: a certificate that is good for nothing, the job that deploys it, and a look at what
//! arrived.

pub(crate) mod arrived;
pub(crate) mod certificate;
pub(crate) mod files;
