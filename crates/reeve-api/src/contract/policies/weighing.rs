//! Rules against the record: what a draft would have changed, and what it would do to one operation.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::drafts::DraftDto;
use super::{ReasonDto, RiskDto, RuleDto};
use crate::contract::cards::WidthDto;
use crate::contract::operations::DecisionDto;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ReplayInput {
    pub draft: DraftDto,
    /// Absent: the last 7 days.
    #[serde(default)]
    pub since: Option<DateTime<Utc>>,
}

/// Operations that would newly be decided one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct TallyDto {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub count: u64,
    /// Of these, of high or critical risk.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub grave: u64,
}

/// What would change of operations that look the same to a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ReplayChangeDto {
    pub agent: String,
    pub agent_name: String,
    pub kind: String,
    /// Foreign text.
    pub summary: String,
    pub before: DecisionDto,
    pub after: DecisionDto,
    pub risk: RiskDto,
    /// Why the draft decides so, for the newest of them.
    pub reasons: Vec<ReasonDto>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub times: u64,
    /// The newest of them.
    pub operation: String,
}

/// The rules in force against a draft, over what was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ReplayDto {
    pub since: DateTime<Utc>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub judged: u64,
    /// Whether these were all since then.
    pub complete: bool,
    pub newly_allowed: TallyDto,
    pub newly_asked: TallyDto,
    pub newly_denied: TallyDto,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub same: u64,
    /// What becomes allowed first, the gravest first; not all of them where there are many.
    pub changes: Vec<ReplayChangeDto>,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub took_ms: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct WhatIfInput {
    pub operation: String,
    /// Absent: only the rules in force.
    #[serde(default)]
    pub draft: Option<DraftDto>,
}

/// A rule that was considered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ConsideredDto {
    pub rule: RuleDto,
    /// Its head and conditions hold, without an approval.
    pub matched: bool,
    /// It had a say.
    pub determined: bool,
    /// Why it could not be evaluated.
    pub error: Option<String>,
}

/// One side of a what-if.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SideDto {
    pub decision: DecisionDto,
    pub reasons: Vec<ReasonDto>,
    pub risk: RiskDto,
    pub risk_reasons: Vec<String>,
    pub lifted_by: Vec<String>,
    /// Rules that only observe and would have had a say.
    pub observed: Vec<ReasonDto>,
    pub considered: Vec<ConsideredDto>,
}

/// A fact that was judged; its value may be foreign text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FactDto {
    pub name: String,
    pub value: String,
}

/// One recorded operation, judged again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct WhatIfDto {
    pub operation: String,
    pub at: DateTime<Utc>,
    pub agent_name: String,
    /// Foreign text.
    pub summary: String,
    /// As it was decided then.
    pub recorded: DecisionDto,
    pub now: SideDto,
    pub draft: Option<SideDto>,
    /// Why the draft could not be asked.
    pub draft_problem: Option<String>,
    pub facts: Vec<FactDto>,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum EffectDto {
    Permit,
    Ask,
    Forbid,
}

/// A rule made from a recorded operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ProposeInput {
    pub operation: String,
    pub effect: EffectDto,
    pub width: WidthDto,
    /// Every agent, not only the one that did it.
    pub anyone: bool,
    /// Only in the folder that its session worked in, and below it.
    pub here: bool,
}

/// It is nowhere yet: to be looked at, changed and saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ProposalDto {
    pub text: String,
    /// Foreign text.
    pub summary: String,
    /// `llm`, `http`, `mcp`, `shell` or `file`.
    pub kind: String,
    /// Method of an HTTP request.
    pub method: String,
    pub agent_name: String,
    /// The widths that differ for this operation, the proposed one first.
    pub widths: Vec<WidthDto>,
    /// The folder that its session worked in, where that is known.
    pub cwd: Option<String>,
}
