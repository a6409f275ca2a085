//! What happened beside actions, as lines between the rows of the Timeline.

use chrono::{DateTime, Utc};
use reeve_domain::notice::{Notice, Tone};
use serde::{Deserialize, Serialize};

/// What a reader should make of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum ToneDto {
    /// Something works again, or a person settled it.
    Good,
    /// Something does not work.
    Bad,
    /// Somebody should look at it.
    Waits,
    Plain,
}

/// A breaker that opened, a credential that is refused, a loop, a server that waits for a review, rules that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NoticeDto {
    /// Number of its record in the chain.
    pub record: u64,
    pub at: DateTime<Utc>,
    /// `tool.cut_off`, `credential.refused`, …
    pub event: String,
    pub tone: ToneDto,
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub session: Option<String>,
    /// The action at whose end it was noticed.
    pub operation: Option<String>,
    pub server: Option<String>,
    pub credential: Option<String>,
    /// Values of others stand in backticks.
    pub summary: String,
    /// The rest of it, a sentence or a value each.
    pub more: Vec<String>,
}

impl NoticeDto {
    /// `name`: what people call its agent.
    #[must_use]
    pub fn of(notice: Notice, name: Option<String>) -> Self {
        Self {
            record: notice.record,
            at: notice.at,
            event: notice.event.to_owned(),
            tone: match notice.tone {
                Tone::Good => ToneDto::Good,
                Tone::Bad => ToneDto::Bad,
                Tone::Waits => ToneDto::Waits,
                Tone::Plain => ToneDto::Plain,
            },
            agent: notice.agent.map(|agent| agent.to_string()),
            agent_name: name,
            session: notice.session.map(|session| session.to_string()),
            operation: notice.operation.map(|operation| operation.to_string()),
            server: notice.server,
            credential: notice.credential.map(|credential| credential.to_string()),
            summary: notice.summary,
            more: notice.more,
        }
    }
}
