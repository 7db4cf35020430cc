//! Artifacts: content held by the orchestrator under its digest.

use serde::{Deserialize, Serialize};
use skrei_job::Digest;
use utoipa::ToSchema;

/// The most bytes in one piece of an artifact.
pub const ARTIFACT_PIECE_BYTES_MAX: usize = 8 << 20;

/// Header of answers that says how much of an artifact has come in.
pub const UPLOAD_OFFSET: &str = "upload-offset";

/// Answer of `PUT /orchestrator/artifacts/{digest}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Artifact {
    /// What it contains.
    #[schema(value_type = String, example = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}
