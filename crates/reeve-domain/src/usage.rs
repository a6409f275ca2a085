//! Tokens and other billable units of one model call, normalised so that no field overlaps another.

use serde::{Deserialize, Serialize};

/// What a provider reported for one call. Every field is apart from the others: `input` never contains what `cache_read`,
/// the writes or the audio fields count, `output` contains reasoning unless `reasoning` is given apart by the protocol reader.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Uncached prompt tokens.
    pub input: u64,
    /// Prompt tokens read from cache.
    pub cache_read: u64,
    /// Prompt tokens written to cache for 5 minutes (Anthropic), or as the provider does by default.
    pub cache_write: u64,
    /// Prompt tokens written to cache for one hour or longer.
    pub cache_write_1h: u64,
    /// Uncached prompt tokens that came as audio, where the dialect reports them apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_input: u64,
    /// Audio prompt tokens read from cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_cache_read: u64,
    /// Generated tokens without `reasoning` and `audio_output`.
    pub output: u64,
    /// Reasoning tokens, where the dialect reports them apart from the output (Gemini's thoughts); else 0.
    pub reasoning: u64,
    /// Generated tokens that came as audio, where the dialect reports them apart.
    #[serde(skip_serializing_if = "is_zero")]
    pub audio_output: u64,
    /// Searches the provider ran.
    pub web_searches: u64,
    /// The tier that was billed (`standard`, `priority`, `batch`, `flex`, …), as the answer names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// Price multipliers that apply, by their key in the price table (`us`, `fast`, …).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub multipliers: Vec<String>,
}

impl Usage {
    /// All prompt tokens, cached or not: what a price tier is chosen by.
    #[must_use]
    pub fn total_input(&self) -> u64 {
        let counts = [
            self.input,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_input,
            self.audio_cache_read,
        ];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    /// All generated tokens.
    #[must_use]
    pub fn total_output(&self) -> u64 {
        self.output.saturating_add(self.reasoning).saturating_add(self.audio_output)
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.total_input().saturating_add(self.total_output())
    }
}

/// For serde, which hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
