//! Rules, and the reasons a verdict carries.

pub mod drafts;
pub mod weighing;

use chrono::{DateTime, Utc};
use reeve_domain::verdict::{Layer, Reason, Risk};
use serde::{Deserialize, Serialize};

use self::drafts::{ProblemDto, VersionFileDto};
use super::credentials::TypedSecret;
use super::status::PresetDto;

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum LayerDto {
    Organisation,
    Team,
    Mine,
    Project,
    Preset,
    /// Reeve's own check: leak guard, address check, budget, protocol refusal.
    Reeve,
}

impl From<Layer> for LayerDto {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::Organisation => Self::Organisation,
            Layer::Team => Self::Team,
            Layer::Mine => Self::Mine,
            Layer::Project => Self::Project,
            Layer::Preset => Self::Preset,
            Layer::Reeve => Self::Reeve,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum RiskDto {
    Low,
    Medium,
    High,
    Critical,
}

impl From<Risk> for RiskDto {
    fn from(risk: Risk) -> Self {
        match risk {
            Risk::Low => Self::Low,
            Risk::Medium => Self::Medium,
            Risk::High => Self::High,
            Risk::Critical => Self::Critical,
        }
    }
}

/// A rule that determined a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ReasonDto {
    pub rule: String,
    /// The rule's own plain sentence.
    pub text: String,
    pub layer: LayerDto,
    /// Empty for Reeve's own checks.
    pub file: String,
    /// 1-based; 0 for Reeve's own checks.
    pub line: u32,
    /// Whether a standing approval may lift it.
    pub liftable: bool,
}

impl From<&Reason> for ReasonDto {
    fn from(reason: &Reason) -> Self {
        Self {
            rule: reason.rule.to_string(),
            text: reason.text.clone(),
            layer: reason.layer.into(),
            file: reason.file.clone(),
            line: reason.line,
            liftable: reason.liftable,
        }
    }
}

/// What a rule does when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum RuleKindDto {
    Permit,
    Forbid,
    Ask,
    /// Lifts ask rules; written by an *Always*.
    StandingApproval,
}

/// Whether a rule counts, or only says what it would have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum RuleModeDto {
    Enforce,
    Observe,
}

impl From<reeve_policy::RuleKind> for RuleKindDto {
    fn from(kind: reeve_policy::RuleKind) -> Self {
        match kind {
            reeve_policy::RuleKind::Permit => Self::Permit,
            reeve_policy::RuleKind::Forbid => Self::Forbid,
            reeve_policy::RuleKind::Ask => Self::Ask,
            reeve_policy::RuleKind::Standing => Self::StandingApproval,
        }
    }
}

/// One rule of the set in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RuleDto {
    pub id: String,
    pub kind: RuleKindDto,
    pub reason: String,
    pub layer: LayerDto,
    pub file: String,
    /// 1-based.
    pub line: u32,
    pub liftable: bool,
    pub mode: RuleModeDto,
    /// Risk that what it decides has at least.
    pub risk: Option<RiskDto>,
    /// When a permit or standing approval stops counting.
    pub expires: Option<DateTime<Utc>>,
    /// The asks that a standing approval answers.
    pub lifts: Vec<String>,
    /// Folder of the project that brought it along.
    pub project: Option<String>,
    /// Cedar source.
    pub text: String,
}

/// One file of rules, or of the person's cases (`cases/…`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PolicyFileDto {
    pub file: String,
    pub layer: LayerDto,
    /// Where it is; absent for what ships with Reeve.
    pub path: Option<String>,
    /// As it is on disk, also where that does not load.
    pub text: String,
    /// It is one of the person's own, so it may be changed here.
    pub own: bool,
    /// Why it does not load as it is on disk; absent where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub problems: Option<Vec<ProblemDto>>,
    /// What loads and should be seen; absent where there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub notices: Option<Vec<ProblemDto>>,
}

/// How often a rule decided something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RuleHitsDto {
    pub rule: String,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub hits: u64,
}

/// Hits of every rule that had some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct HitsDto {
    pub since: DateTime<Utc>,
    pub rules: Vec<RuleHitsDto>,
}

/// What is in force, and what is wrong with what is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PolicyStateDto {
    pub revision: String,
    pub preset: PresetDto,
    pub rules: u32,
    /// Folder of the person's own policy files.
    pub folder: String,
    pub problem: Option<String>,
    /// The person's own files were changed outside and may let more pass: they wait, and `problem` says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub waiting: Option<WaitingDto>,
    /// Projects whose rules on disk are not all that binds there: broken, or weaker than before; none where all do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub projects: Option<Vec<ProjectProblemDto>>,
}

/// The person's own files as they are on disk and not in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct WaitingDto {
    /// What an answer to it names.
    pub revision: String,
    /// What differs: as it is in force before, as it is on disk after.
    pub files: Vec<VersionFileDto>,
}

/// Takes back what was changed outside and waits: the files are again what is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct TakeBackInput {
    /// Of what was shown: it is refused when the files changed since.
    pub revision: String,
}

/// A project whose rules on disk are not all that binds there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ProjectProblemDto {
    /// Working directory of the sessions.
    pub folder: String,
    pub problem: String,
    /// What an agreement to it names; absent where what is on disk does not load, so that nobody can agree to it.
    pub revision: Option<String>,
}

/// Agrees that the rules of a project became weaker while somebody works there, or loads what waits of the person's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AcknowledgeInput {
    /// Working directory of the sessions, as they name it; or the folder of the person's own policy files.
    pub folder: String,
    /// Of what was shown: the agreement is refused when the rules changed since.
    pub revision: String,
    /// The passphrase, where it is asked for because more may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}
