//! What a job is: from the text a person wrote to the spec the system means, and the life it then leads.
//!
//! A job file flows through [`template`] (variables filled in as data) into a [`document`] (YAML or JSON with
//! the place of every value), is read as a [`manifest`] (the shape people write), and becomes a [`Spec`] once
//! [`validate`] has found nothing wrong. The crate is pure: it reads no file, no clock and no randomness.

pub mod archive;
mod checksum;
pub mod document;
pub mod template;

pub mod download;
pub mod objects;
pub mod partition;
pub mod publication;

pub mod defaults;
pub mod manifest;
pub mod modules;
pub mod read;
mod schema;

pub mod spec;
pub mod validate;

pub mod life;
pub mod outcome;
pub mod retry;
pub mod rollout;
pub mod told;

pub mod digest;
pub mod duration;
pub mod guest_path;
pub mod id;
pub mod labels;
pub mod ownership;
pub mod path;
pub mod problem;
pub mod resources;
pub mod secret;
pub mod time;
pub mod wildcard;

pub use digest::Digest;
pub use document::Document;
pub use id::{EvaluationId, ExecutionId, JobId, NodeId};
pub use manifest::Manifest;
pub use problem::{Problem, Problems};
pub use schema::schema;
pub use spec::Spec;
pub use time::Timestamp;
