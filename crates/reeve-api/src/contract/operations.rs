//! Operations as Timeline rows, their detail, and search over them.

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Reservation, Settlement};
use reeve_domain::chain::Seal;
use reeve_domain::event::Event;
use reeve_domain::verdict::{Decision, Denial, DenialKind, Verdict};
use serde::{Deserialize, Serialize};

use super::notices::NoticeDto;
use super::policies::{ReasonDto, RiskDto};

/// What became of an operation, as glyph and word of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum RowStateDto {
    Allowed,
    Held,
    Approved,
    Refused,
    Expired,
    Withdrawn,
    Denied,
    /// Observe: a rule or a budget would have denied it.
    WouldDeny,
    /// Observe: it would have been held.
    WouldHold,
}

/// One operation in a list: a projection of its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct OperationRowDto {
    pub id: String,
    /// Number of its first record in the chain.
    pub record: u64,
    /// Where the page after this row begins; opaque.
    pub cursor: String,
    pub at: DateTime<Utc>,
    pub agent: String,
    pub agent_name: String,
    pub session: String,
    /// `llm`, `http`, `mcp`, `shell` or `file`.
    pub kind: String,
    pub summary: String,
    pub state: RowStateDto,
    /// Whether its end is recorded; a running or held one is not.
    pub settled: bool,
    pub host: Option<String>,
    pub model: Option<String>,
    /// The rule, or Reeve's own check, that determined it.
    pub rule: Option<String>,
    pub risk: Option<RiskDto>,
    /// nano-USD settled; none while open, and where nothing costs.
    pub cost: Option<i64>,
    /// nano-USD at list price under a flat rate.
    pub worth: Option<i64>,
    /// nano-USD reserved while open.
    pub reserved: Option<i64>,
    /// The provider gave no final count.
    pub estimated: bool,
    pub tokens_in: Option<u64>,
    pub tokens_out: Option<u64>,
    pub tokens_cached: Option<u64>,
    /// Status of the upstream's answer.
    pub status: Option<u16>,
    /// Status that a command ended with; none where a signal ended it.
    pub exit: Option<i32>,
    /// Why it ended badly, where it did.
    pub error: Option<String>,
    /// Milliseconds from admission to the end.
    pub took_ms: Option<u64>,
    /// The credential that was injected.
    pub credential: Option<String>,
    pub approval: Option<String>,
    /// Reeve called the tool itself for a call of the agent's: `preview`, or `probe`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional, type = "\"preview\" | \"probe\""))]
    pub purpose: Option<String>,
    /// The call that Reeve made it for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub part_of: Option<String>,
    /// Nothing was carried out: the result is that of this action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub repeats: Option<String>,
    /// A person pinned it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub pinned: bool,
    /// What a person wrote to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub note: Option<String>,
}

/// One record of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct EventDto {
    pub seq: u64,
    pub at: DateTime<Utc>,
    /// `operation.admitted`, `operation.settled`, …
    pub name: String,
    pub prev: String,
    pub hash: String,
    /// The record as it was hashed.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub body: serde_json::Value,
}

impl From<&Event> for EventDto {
    fn from(event: &Event) -> Self {
        // The body is plain data; a record that cannot be shown is shown as nothing rather than hidden.
        let body = serde_json::to_value(&event.body).unwrap_or(serde_json::Value::Null);
        let name = body.get("event").and_then(|name| name.as_str()).unwrap_or("unknown").to_owned();
        Self { seq: event.seq, at: event.at, name, prev: event.prev.0.clone(), hash: event.hash.0.clone(), body }
    }
}

/// A signed head of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SealDto {
    /// It vouches for every record up to this number.
    pub seq: u64,
    pub at: DateTime<Utc>,
    pub signature: String,
}

impl From<&Seal> for SealDto {
    fn from(seal: &Seal) -> Self {
        Self { seq: seal.seq, at: seal.at, signature: seal.signature.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum DecisionDto {
    Allow,
    Ask,
    Deny,
}

impl From<Decision> for DecisionDto {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allow => Self::Allow,
            Decision::Ask => Self::Ask,
            Decision::Deny => Self::Deny,
        }
    }
}

/// What policy said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct VerdictDto {
    pub decision: DecisionDto,
    pub reasons: Vec<ReasonDto>,
    pub risk: RiskDto,
    pub risk_reasons: Vec<String>,
    /// The policy revision that judged.
    pub revision: String,
    /// Standing approvals that lifted an ask.
    pub lifted_by: Vec<String>,
}

impl From<&Verdict> for VerdictDto {
    fn from(verdict: &Verdict) -> Self {
        Self {
            decision: verdict.decision().into(),
            reasons: verdict.reasons().iter().map(Into::into).collect(),
            risk: verdict.risk().into(),
            risk_reasons: verdict.risk_reasons().to_vec(),
            revision: verdict.revision().to_owned(),
            lifted_by: verdict.lifted_by().to_vec(),
        }
    }
}

/// Why an operation was turned away, by class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum DenialKindDto {
    Policy,
    Refused,
    Expired,
    Budget,
    Unpriced,
    Leak,
    Address,
    Malformed,
    Stopped,
    Unavailable,
    Fault,
}

impl From<DenialKind> for DenialKindDto {
    fn from(kind: DenialKind) -> Self {
        match kind {
            DenialKind::Policy => Self::Policy,
            DenialKind::Refused => Self::Refused,
            DenialKind::Expired => Self::Expired,
            DenialKind::Budget => Self::Budget,
            DenialKind::Unpriced => Self::Unpriced,
            DenialKind::Leak => Self::Leak,
            DenialKind::Address => Self::Address,
            DenialKind::Malformed => Self::Malformed,
            DenialKind::Stopped => Self::Stopped,
            DenialKind::Unavailable => Self::Unavailable,
            DenialKind::Fault => Self::Fault,
        }
    }
}

/// What the agent heard, or in Observe what it would have heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DenialDto {
    pub kind: DenialKindDto,
    pub message: String,
    pub advice: String,
    pub reasons: Vec<ReasonDto>,
}

impl From<&Denial> for DenialDto {
    fn from(denial: &Denial) -> Self {
        Self {
            kind: denial.kind.into(),
            message: denial.message.clone(),
            advice: denial.advice.clone(),
            reasons: denial.reasons.iter().map(Into::into).collect(),
        }
    }
}

/// Reserved, then settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CostDto {
    /// nano-USD.
    pub reserved: i64,
    pub reserved_tokens: u64,
    /// nano-USD; none while open.
    pub settled: Option<i64>,
    /// nano-USD at list price; equals `settled` when metered.
    pub worth: Option<i64>,
    pub tokens: Option<u64>,
    pub estimated: bool,
    pub overrun: bool,
    /// Model key and date of the price that was used.
    pub price: Option<String>,
    /// The budgets it counted in, by account.
    pub accounts: Vec<String>,
}

impl CostDto {
    #[must_use]
    pub fn of(reservation: &Reservation, settlement: Option<&Settlement>) -> Self {
        Self {
            reserved: reservation.amount.0,
            reserved_tokens: reservation.tokens,
            settled: settlement.map(|s| s.amount.0),
            worth: settlement.map(|s| s.worth.0),
            tokens: settlement.map(|s| s.tokens),
            estimated: settlement.is_some_and(|s| s.estimated),
            overrun: settlement.is_some_and(|s| s.overrun),
            price: reservation.price.clone(),
            accounts: reservation.accounts.iter().map(|account| account.key.clone()).collect(),
        }
    }

    /// What it cost in the end.
    pub fn settle(&mut self, settlement: &Settlement) {
        self.settled = Some(settlement.amount.0);
        self.worth = Some(settlement.worth.0);
        self.tokens = Some(settlement.tokens);
        self.estimated = settlement.estimated;
        self.overrun = settlement.overrun;
    }
}

/// Everything known of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct OperationDetailDto {
    pub row: OperationRowDto,
    /// Oldest first.
    pub events: Vec<EventDto>,
    /// The first seal that vouches for all of them.
    pub seal: Option<SealDto>,
    /// The address that was connected to.
    pub ip: Option<String>,
    /// The operation that this one belongs to.
    pub parent: Option<String>,
    pub verdict: Option<VerdictDto>,
    pub denial: Option<DenialDto>,
    pub cost: Option<CostDto>,
    /// What was sent, decoded by Reeve; kept for operations that were held. Foreign text.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub view: Option<serde_json::Value>,
    /// The facts that were judged.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub subject: Option<serde_json::Value>,
    /// What came of it: status, bytes, times.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub outcome: Option<serde_json::Value>,
}

/// Pins an operation or not, and gives it this note or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AnnotateInput {
    pub operation: String,
    pub pinned: bool,
    pub note: Option<String>,
}

/// Which operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct OperationInput {
    pub operation: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SearchInput {
    /// The Timeline's query grammar; empty: everything.
    pub query: String,
    /// A row's `cursor`: only rows older than it.
    #[serde(default)]
    pub before: Option<String>,
    /// At most 500.
    pub limit: u32,
}

/// What cost the most of what a query matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CostliestInput {
    /// The Timeline's query grammar; empty: everything.
    pub query: String,
    /// At most 500; the answer has no further page.
    pub limit: u32,
}

/// A part of the query that was not understood; the rest still ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct QueryProblemDto {
    pub message: String,
    /// Byte offset into the query.
    pub at: u32,
    /// The nearest thing that would be understood.
    pub suggestion: Option<String>,
}

/// Newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SearchPage {
    pub rows: Vec<OperationRowDto>,
    /// What happened beside these actions and matches too, at most 500, the newest. What was decided of actions it has not, so
    /// a query for that finds none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<NoticeDto>>"))]
    pub notices: Vec<NoticeDto>,
    /// Looking for those stopped before the end: there may be more, and older ones.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub notices_capped: bool,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
    pub problems: Vec<QueryProblemDto>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FacetsInput {
    pub query: String,
    /// What the histogram counts, where it shows more than the query does: the same without the range that was brushed.
    #[serde(default)]
    #[cfg_attr(feature = "ts", ts(optional = nullable))]
    pub bins_of: Option<String>,
}

/// Values of a key, for what is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ValuesInput {
    /// Only what matches this is counted.
    pub query: String,
    /// Of the query grammar.
    pub key: String,
    /// Only values that hold this text.
    pub begun: String,
}

/// Most frequent first, at most twenty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ValuesDto {
    pub values: Vec<FacetValueDto>,
    /// Counts are at least these.
    pub capped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FacetValueDto {
    /// As the query writes it.
    pub value: String,
    pub count: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FacetGroupDto {
    /// Key of the query grammar: `decision`, `agent`, `kind`, `host`, `rule`, `risk`, …
    pub key: String,
    pub values: Vec<FacetValueDto>,
}

/// A stretch of time in the histogram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BinDto {
    pub at: DateTime<Utc>,
    /// Everything that passed.
    pub allowed: u64,
    pub held: u64,
    /// Denied, refused and expired.
    pub denied: u64,
}

/// Counts for the present query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FacetsDto {
    pub groups: Vec<FacetGroupDto>,
    /// Operations that match.
    pub matches: u64,
    /// Operations of the query's range of time, whether they match or not.
    pub total: u64,
    /// Counting stopped there: "10k+".
    pub capped: bool,
    /// nano-USD settled by what matches.
    pub cost: i64,
    /// Milliseconds within which 95 of 100 ended.
    pub p95_ms: Option<u64>,
    /// Milliseconds between the starts of two bins.
    pub bin_ms: u64,
    /// Oldest first, without gaps.
    pub bins: Vec<BinDto>,
}

/// Formats of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum ExportFormatDto {
    Jsonl,
    Csv,
}

/// Writes what a query matches to a file, with a manifest beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ExportInput {
    pub query: String,
    pub format: ExportFormatDto,
    /// Absolute path; the manifest is written to the same path with `.manifest.json` added.
    pub path: String,
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ExportedDto {
    pub path: String,
    pub manifest: String,
    pub count: u64,
    pub bytes: u64,
    /// Records from which something was taken out that is, or looks like, a secret; the manifest names each.
    pub redacted: u64,
}
