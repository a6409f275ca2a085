//! What goes wrong again and again: credentials that a place refuses, servers and tools that fail, agents that run in circles.

use serde::{Deserialize, Serialize};

/// Why a place refuses a credential, as far as its answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    Expired,
    /// Taken back, or its account is closed.
    Revoked,
    /// Not known there: mistyped, or of another place.
    Invalid,
    /// Known, and not for this.
    WrongScope,
    /// The clock of this machine is wrong.
    ClockSkew,
    /// Too many requests, told as a 403: the credential is good.
    RateLimited,
    Unsaid,
}

impl Refusal {
    /// Whether the next request with this credential meets the same: a limit passes by itself, and what a credential may not
    /// do says nothing of what it may.
    #[must_use]
    pub fn is_of_the_credential(self) -> bool {
        !matches!(self, Self::RateLimited | Self::WrongScope)
    }

    /// For people and agents: "it …".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Expired => "has expired",
            Self::Revoked => "was revoked",
            Self::Invalid => "is not known there",
            Self::WrongScope => "may not do this",
            Self::ClockSkew => "was refused because of this machine's clock",
            Self::RateLimited => "is limited for now",
            Self::Unsaid => "was refused",
        }
    }
}

/// What steps that do not lead on look like: two hashes each, of what was tried and of what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopCase {
    /// The same was tried, and the same came.
    Stuck,
    /// Other things were tried, and the same failure came.
    Stagnant,
    /// The same was tried very often within seconds, whatever came.
    Burst,
}

impl LoopCase {
    /// As the query grammar writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stuck => "stuck",
            Self::Stagnant => "stagnant",
            Self::Burst => "burst",
        }
    }

    /// For the agent and for people.
    #[must_use]
    pub fn words(self, times: u32) -> String {
        match self {
            Self::Stuck => format!("the same was tried {times} times with the same result"),
            Self::Stagnant => format!("{times} tries in a row, different ones, failed in the same way"),
            Self::Burst => format!("the same was tried {times} times within ten seconds"),
        }
    }
}

/// What is done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoopStage {
    /// The agent is told.
    Warned,
    /// The next one waits for a human.
    Held,
    /// The agent is paused.
    Paused,
}

impl LoopStage {
    /// As the query grammar writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warned => "warned",
            Self::Held => "held",
            Self::Paused => "paused",
        }
    }
}

/// A loop that one step brought to a further stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looped {
    pub case: LoopCase,
    pub stage: LoopStage,
}

impl Looped {
    /// Both, as the query grammar writes them.
    #[must_use]
    pub fn words(self) -> [&'static str; 2] {
        [self.stage.as_str(), self.case.as_str()]
    }
}
