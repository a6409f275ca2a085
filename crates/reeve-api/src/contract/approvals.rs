//! Held operations as cards, and the answer to one.

use chrono::{DateTime, Utc};
use reeve_domain::approval::{Approval, GrantScope, Resolution, Resolved, Surface};
use reeve_domain::operation::Digest;
use serde::{Deserialize, Serialize};

use super::cards::{CardFactsDto, LeftDto, RuleChoiceDto, WidthDto};
use super::credentials::TypedSecret;
use super::operations::QueryProblemDto;
use super::policies::{ReasonDto, RiskDto};

/// How far an approval reaches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ScopeDto {
    Once,
    Session,
    Until { at: DateTime<Utc> },
    Always,
}

impl From<&GrantScope> for ScopeDto {
    fn from(scope: &GrantScope) -> Self {
        match scope {
            GrantScope::Once => Self::Once,
            GrantScope::Session => Self::Session,
            GrantScope::Until { at } => Self::Until { at: *at },
            GrantScope::Always => Self::Always,
        }
    }
}

impl From<&ScopeDto> for GrantScope {
    fn from(scope: &ScopeDto) -> Self {
        match scope {
            ScopeDto::Once => Self::Once,
            ScopeDto::Session => Self::Session,
            ScopeDto::Until { at } => Self::Until { at: *at },
            ScopeDto::Always => Self::Always,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ResolutionDto {
    Approved {
        scope: ScopeDto,
    },
    Refused {
        /// What the agent hears.
        reason: Option<String>,
    },
    Expired,
    Withdrawn,
}

impl From<&Resolution> for ResolutionDto {
    fn from(resolution: &Resolution) -> Self {
        match resolution {
            Resolution::Approved { scope } => Self::Approved { scope: scope.into() },
            Resolution::Refused { reason } => Self::Refused { reason: reason.clone() },
            Resolution::Expired => Self::Expired,
            Resolution::Withdrawn => Self::Withdrawn,
        }
    }
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum SurfaceDto {
    MainWindow,
    Tray,
    Cli,
    Demo,
    Engine,
}

impl From<Surface> for SurfaceDto {
    fn from(surface: Surface) -> Self {
        match surface {
            Surface::MainWindow => Self::MainWindow,
            Surface::Tray => Self::Tray,
            Surface::Cli => Self::Cli,
            Surface::Demo => Self::Demo,
            Surface::Engine => Self::Engine,
        }
    }
}

/// Who answered, how, and how long they looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ResolvedDto {
    pub resolution: ResolutionDto,
    pub by: String,
    pub surface: SurfaceDto,
    pub at: DateTime<Utc>,
    pub reading_ms: Option<u64>,
}

impl From<&Resolved> for ResolvedDto {
    fn from(resolved: &Resolved) -> Self {
        Self {
            resolution: (&resolved.resolution).into(),
            by: resolved.by.clone(),
            surface: resolved.surface.into(),
            at: resolved.at,
            reading_ms: resolved.reading_ms,
        }
    }
}

/// What was fixed when the card was shown: answering needs the nonce, and what is written is this text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ArmingDto {
    /// One use; bound to the fingerprint.
    pub nonce: String,
    /// Milliseconds that the card must have been shown before an answer counts.
    pub arms_after_ms: u32,
    /// The standing approval that *Allow for session* gives, as Cedar text.
    pub session_text: Option<String>,
    /// The standing approval that *Always allow* writes.
    pub always_text: Option<String>,
    /// The file that *Always allow* writes to.
    pub always_file: Option<String>,
    /// How wide a rule may be, the proposed width first; empty where none is offered.
    pub widths: Vec<WidthDto>,
    /// Why neither is offered: the rule's owner does not allow standing approvals.
    pub not_liftable: Option<String>,
}

/// A held operation, or one that was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ApprovalDto {
    pub id: String,
    pub operation: String,
    pub agent: String,
    pub agent_name: String,
    pub session: String,
    pub user: String,
    pub cwd: String,
    /// `llm`, `http`, `mcp`, `shell` or `file`.
    pub kind: String,
    /// Foreign text.
    pub summary: String,
    pub fingerprint: String,
    pub output_limit: Option<u64>,
    pub reasons: Vec<ReasonDto>,
    pub risk: RiskDto,
    pub risk_reasons: Vec<String>,
    /// What will be sent, decoded by Reeve. Foreign text.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub view: serde_json::Value,
    /// nano-USD, worst case.
    pub estimate: Option<i64>,
    /// Why a budget does not afford it any more.
    pub unaffordable: Option<String>,
    pub asked_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Requests that wait on this answer or have waited.
    pub joined: u32,
    pub resolved: Option<ResolvedDto>,
    pub used_at: Option<DateTime<Utc>>,
    /// Questions that are alike but for their parameters have the same.
    pub shape: String,
    /// What the answer left in force, where it still is.
    pub left: Option<LeftDto>,
    /// Only from `approvals.get`: of an open question, asking for it is what shows the card; of one that expired or was
    /// allowed, it is what a late yes needs.
    pub arming: Option<ArmingDto>,
    /// Only from `approvals.get`.
    pub facts: Option<CardFactsDto>,
}

impl ApprovalDto {
    /// `arming`, `facts` and `left` stay empty; the commands fill them in.
    #[must_use]
    pub fn of(approval: &Approval, agent_name: &str) -> Self {
        Self {
            id: approval.id.to_string(),
            operation: approval.operation.to_string(),
            agent: approval.agent.to_string(),
            agent_name: agent_name.to_owned(),
            session: approval.session.to_string(),
            user: approval.user.clone(),
            cwd: approval.cwd.clone(),
            kind: approval.action.kind().to_owned(),
            summary: approval.summary.clone(),
            fingerprint: approval.fingerprint.0.clone(),
            output_limit: approval.output_limit,
            reasons: approval.reasons.iter().map(Into::into).collect(),
            risk: approval.risk.into(),
            risk_reasons: approval.risk_reasons.clone(),
            view: approval.view.clone(),
            estimate: approval.estimate.map(|amount| amount.0),
            unaffordable: approval.unaffordable.clone(),
            asked_at: approval.asked_at,
            expires_at: approval.expires_at,
            joined: approval.joined,
            resolved: approval.resolved.as_ref().map(Into::into),
            used_at: approval.used_at,
            shape: Digest::of(approval.shape().0.as_bytes()).0.chars().take(16).collect(),
            left: None,
            arming: None,
            facts: None,
        }
    }
}

/// Which question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ApprovalInput {
    pub approval: String,
}

/// Open questions, and the newest answered ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ApprovalsPage {
    pub open: Vec<ApprovalDto>,
    /// Newest first, at most 200.
    pub resolved: Vec<ApprovalDto>,
}

/// Which answered questions are sought, however long ago they were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AnsweredInput {
    /// Of the actions that they are about, in the Timeline's query grammar; empty: all of them.
    pub query: String,
    /// Those that nobody answered, instead of those that somebody did.
    pub expired: bool,
    /// `next` of the page before: only questions about older actions.
    #[serde(default)]
    pub before: Option<String>,
    /// Actions that are looked at, at most 500: several of them may have one question.
    pub limit: u32,
}

/// Questions by the age of what they are about, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AnsweredPage {
    pub approvals: Vec<ApprovalDto>,
    /// Where the next page begins; none at the end.
    pub next: Option<String>,
    pub problems: Vec<QueryProblemDto>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum AnswerDto {
    Approve { scope: ScopeDto },
    Refuse { reason: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ResolveInput {
    pub approval: String,
    /// From `approvals.get`.
    pub nonce: String,
    pub answer: AnswerDto,
    /// How long the card was in view, in milliseconds.
    #[serde(default)]
    pub reading_ms: Option<u64>,
    /// What was chosen about the rule that *Always* writes; none: as proposed.
    #[serde(default)]
    pub rule: Option<RuleChoiceDto>,
    /// The passphrase, where the risk demands it.
    #[serde(default)]
    pub proof: Option<TypedSecret>,
}
