//! What an allow carries with it.

use serde::{Deserialize, Serialize};

/// Something that must happen for the permission to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "obligation", rename_all = "snake_case")]
pub enum Obligation {
    /// The output limit in the request is lowered to this many tokens before it is sent.
    ClampOutput { tokens: u64 },
    /// The whole exchange must end within this time.
    Timeout { seconds: u64 },
    /// The name may resolve to addresses inside these ranges (CIDR), which are refused otherwise.
    PermitAddresses { ranges: Vec<String> },
    /// An answer whose coding cannot be decoded is blocked instead of passed on.
    BlockUndecodable,
}
