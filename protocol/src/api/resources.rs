//! Amounts in numeric form: zero is left out (reference 1.4).

use serde::{Deserialize, Serialize};
use skrei_job::resources::Resources as Amounts;
use utoipa::ToSchema;

/// Amounts of a node or an execution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct Resources {
    /// Cores.
    #[serde(rename = "CPU", skip_serializing_if = "is_zero")]
    pub cpu: f64,
    /// Bytes.
    #[serde(rename = "Memory", skip_serializing_if = "is_none")]
    pub memory: u64,
    /// Bytes.
    #[serde(rename = "Disk", skip_serializing_if = "is_none")]
    pub disk: u64,
    /// Pieces.
    #[serde(rename = "GPU", skip_serializing_if = "is_none")]
    pub gpu: u64,
}

impl From<Amounts> for Resources {
    fn from(amounts: Amounts) -> Self {
        Self {
            cpu: amounts.cpu_millis as f64 / 1000.0,
            memory: amounts.memory_bytes,
            disk: amounts.disk_bytes,
            gpu: amounts.gpus,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(amount: &f64) -> bool {
    *amount == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_none(amount: &u64) -> bool {
    *amount == 0
}
