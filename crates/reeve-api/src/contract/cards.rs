//! What a card says beside the question itself, and what a person may choose on it.

use chrono::{DateTime, Utc};
use reeve_engine::decide::{Lasting, Rule};
use reeve_policy::Width;
use serde::{Deserialize, Serialize};

use super::approvals::{ApprovalDto, ScopeDto};
use super::budgets::UnitDto;
use super::credentials::TypedSecret;
use super::policies::RiskDto;

/// Facts around a held action: all computed by the engine when the card is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CardFactsDto {
    pub before: BeforeDto,
    /// Program and arguments the session was started with; empty for `reeve env`.
    pub command: Vec<String>,
    /// The branch or commit that is checked out in the session's folder, as git's files say. Foreign text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub branch: Option<String>,
    /// The program that asks, where it is none that the session started: its path, empty where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub stranger: Option<String>,
    /// What the model said when it asked for this, its end and without secrets. Foreign text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub said: Option<String>,
    /// nano-USD that the session has cost so far.
    pub session_cost: i64,
    pub credential: Option<CardCredentialDto>,
    /// Every budget that this call counts in, the tightest first; empty for what costs nothing.
    pub accounts: Vec<CardAccountDto>,
    /// Date of the price list, `2026-11-18`, where a price is known.
    pub price_date: Option<String>,
    /// nano-USD: the part of the estimate that the input is.
    pub estimate_in: Option<i64>,
    /// Most tokens that the input can be.
    pub input_tokens: Option<u64>,
    /// Allowing it needs the passphrase.
    pub needs_proof: bool,
    /// A passphrase is set.
    pub proof_set: bool,
    /// Allowed by hand so often in 24 hours.
    pub allowed_lately: u32,
}

/// What was decided about the same shape before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BeforeDto {
    pub asked: u32,
    pub approved: u32,
    pub refused: u32,
    /// Over so many days.
    pub days: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CardCredentialDto {
    pub id: String,
    pub name: String,
    /// Where in the request it is put, in words: `header authorization`.
    pub slot: Option<String>,
}

/// A budget as the held call finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CardAccountDto {
    pub budget: String,
    pub account: String,
    pub unit: UnitDto,
    pub limit: i64,
    pub settled: i64,
    pub reserved: i64,
    /// Below zero after an overrun.
    pub free: i64,
    /// The most that this call may take of it.
    pub needed: i64,
}

/// What an answer left in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum LeftDto {
    /// For a session or until some time.
    Grant { id: String, text: String },
    /// A rule in a file.
    Rule { id: String, text: String },
}

/// How much a rule covers that *Always* writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum WidthDto {
    /// The path up to its last segment, the model, the tool, or this command alone.
    Useful,
    /// This address or these arguments alone.
    Exact,
    /// Every path of the host.
    Host,
}

impl From<Width> for WidthDto {
    fn from(width: Width) -> Self {
        match width {
            Width::Useful => Self::Useful,
            Width::Exact => Self::Exact,
            Width::Host => Self::Host,
        }
    }
}

impl From<WidthDto> for Width {
    fn from(width: WidthDto) -> Self {
        match width {
            WidthDto::Useful => Self::Useful,
            WidthDto::Exact => Self::Exact,
            WidthDto::Host => Self::Host,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum LastingDto {
    Days30,
    Forever,
    Until { at: DateTime<Utc> },
}

/// The choices about a rule; the same ones always give the same text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RuleChoiceDto {
    pub width: WidthDto,
    pub lasting: LastingDto,
    /// Every agent that works in the same folder, not only the one that asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub anyone: bool,
    /// Only in the folder of the session that asked, and below it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub here: bool,
    /// The rule as a person edited it; the other choices then say nothing any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub text: Option<String>,
}

impl From<RuleChoiceDto> for Rule {
    fn from(choice: RuleChoiceDto) -> Self {
        Self {
            width: choice.width.into(),
            anyone: choice.anyone,
            here: choice.here,
            text: choice.text,
            lasting: match choice.lasting {
                LastingDto::Days30 => Lasting::Days30,
                LastingDto::Forever => Lasting::Forever,
                LastingDto::Until { at } => Lasting::Until(at),
            },
        }
    }
}

/// Asks for the rule before it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PreviewInput {
    pub approval: String,
    pub rule: RuleChoiceDto,
}

/// The rule before it is written, and what it would have changed of the last seven days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PreviewDto {
    pub text: String,
    pub file: String,
    pub days: u32,
    /// Recorded actions that were judged again.
    pub judged: u64,
    /// Whether these were all.
    pub complete: bool,
    /// So many more would have been allowed.
    pub allowed: u64,
    /// Of these, of high or critical risk.
    pub grave: u64,
    /// Kinds of them, the gravest first; at most 50.
    pub changes: Vec<PreviewChangeDto>,
    /// Writing it needs the passphrase.
    pub needs_proof: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PreviewChangeDto {
    pub agent_name: String,
    /// Foreign text.
    pub summary: String,
    pub kind: String,
    pub risk: RiskDto,
    pub times: u64,
    /// The newest of them.
    pub operation: String,
}

/// A yes after the answer: `once` to what expired, `always` to what expired or was allowed by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct LateInput {
    pub approval: String,
    /// From `approvals.get`.
    pub nonce: String,
    pub scope: ScopeDto,
    #[serde(default)]
    pub rule: Option<RuleChoiceDto>,
    #[serde(default)]
    pub proof: Option<TypedSecret>,
}

/// Raises one budget for the session of a held call, and lets the call through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RaiseInput {
    pub approval: String,
    /// From `approvals.get`.
    pub nonce: String,
    pub budget: String,
    /// nano-USD or tokens, as the budget counts.
    pub by: i64,
    #[serde(default)]
    pub reading_ms: Option<u64>,
    #[serde(default)]
    pub proof: Option<TypedSecret>,
}

/// Something a person may want to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum SuggestionDto {
    /// The same shape was allowed by hand so often in 24 hours.
    MakeRule { question: Box<ApprovalDto>, times: u32 },
    /// A standing rule ends soon.
    Expiring { rule: String, reason: String, at: DateTime<Utc> },
    /// A rule of the person's own decided nothing for so many days.
    Unused { rule: String, reason: String, days: u32 },
    /// A permission that covers more than the one agent or the one address that used it.
    #[serde(rename_all = "camelCase")]
    Tighten {
        rule: String,
        reason: String,
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        times: u64,
        /// What people call the only agent.
        agent_name: Option<String>,
        /// The only path. Foreign text.
        path: Option<String>,
    },
    /// Everything was only observed for a day.
    ReadyToEnforce {
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        actions: u64,
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        held: u64,
        #[cfg_attr(feature = "ts", ts(type = "number"))]
        denied: u64,
        /// There are more of all three: counting stopped.
        capped: bool,
    },
    /// A secret is as old as its reminder says.
    Rotate { credential: String, name: String, days: u32 },
}

/// What the inbox proposes; nothing of it happens by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SuggestionsDto {
    pub suggestions: Vec<SuggestionDto>,
    /// Median time over the last ten decisions in the window; none while there are fewer.
    pub reading_median_ms: Option<u64>,
}

/// How a human is proven where the risk demands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PresenceDto {
    /// A passphrase is set.
    pub set: bool,
    /// Also what is high needs it, not only what is critical.
    pub also_high: bool,
    /// The system's own method, where Reeve knows one: it asks instead, while it can.
    pub system: Option<SystemMethodDto>,
}

/// The system's own method of proving a human.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SystemMethodDto {
    pub name: String,
    /// Why it cannot ask now; then the passphrase is asked for.
    pub problem: Option<String>,
}

/// What the system's confirmation is worth: the proof of the next call that needs one, once, within a minute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ConfirmedDto {
    pub proof: TypedSecret,
}

/// Changes the passphrase, or what needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SetPresenceInput {
    /// The present one, where one is set.
    #[serde(default)]
    pub old: Option<TypedSecret>,
    #[serde(default)]
    pub new: Option<TypedSecret>,
    #[serde(default)]
    pub also_high: Option<bool>,
}

/// The mark of this person's windows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct MarkDto {
    /// Two plain words.
    pub words: String,
    /// 0 to 5: the colour of the stripe.
    pub stripe: u8,
}
