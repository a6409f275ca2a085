//! What a person can switch: mode, preset and the holds of each channel.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happens to verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Rules, asks and budgets are recorded as `would_*` and not enforced. Protocol refusals, address checks, the leak
    /// guard and "cannot record" still deny.
    Observe,
    #[default]
    Enforce,
}

impl Mode {
    /// As `config.toml` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }
}

/// A shipped starting policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    #[default]
    Balanced,
    Strict,
}

impl Preset {
    /// As `config.toml` has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Balanced => "balanced",
            Self::Strict => "strict",
        }
    }
}

/// State of protection as the status strip shows it, in order of precedence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Protection {
    /// Everything is denied until *Resume*.
    Stopped,
    /// Something that protection needs does not work.
    Degraded {
        cause: String,
    },
    /// Rules and asks are not enforced until then (`None`: until resumed).
    Paused {
        until: Option<DateTime<Utc>>,
    },
    Observing,
    Protected,
}
