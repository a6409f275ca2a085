//! Drafts of rules: what would change, what is wrong with it, how the cases come out, and the versions that were kept.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::RuleDto;
use crate::contract::credentials::TypedSecret;
use crate::contract::operations::DecisionDto;

/// What of a file a change replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum PartDto {
    /// All of it; it comes to be where it is not there.
    File,
    /// The rule of this id, as it is in force; with an empty text it is removed.
    Rule { id: String },
    /// Nothing: the text is put at the end.
    New,
    /// The file goes.
    Gone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FileChangeDto {
    /// A plain name such as `mine.cedar`, that of a case file such as `cases/mine.yaml`, or `tools.yaml`.
    pub file: String,
    pub part: PartDto,
    pub text: String,
}

/// A change of the person's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DraftDto {
    pub changes: Vec<FileChangeDto>,
    /// The changes are the person's rules in Cedar whole: files of those that they do not name go.
    #[serde(default)]
    pub complete: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CheckInput {
    pub draft: DraftDto,
}

/// One thing that is wrong, or to be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ProblemDto {
    pub file: String,
    /// 1-based; of the drafted text when `here`, of the file otherwise. 0 where no place is known.
    pub line: u32,
    /// 1-based, in characters; 0 where no place is known.
    pub column: u32,
    /// Characters it spans; 0 where that is not known.
    pub length: u32,
    pub message: String,
    /// It lies in the drafted text.
    pub here: bool,
}

/// How one case came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CaseDto {
    pub name: String,
    pub file: String,
    /// 1-based.
    pub line: u32,
    pub expected: DecisionDto,
    pub decided: DecisionDto,
    pub expected_rule: Option<String>,
    /// Rules that decided.
    pub rules: Vec<String>,
    pub passed: bool,
    /// It is for another preset than the one in use.
    pub skipped: bool,
}

/// Which way a difference can move verdicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum LeaningDto {
    /// Nothing is decided differently.
    Neutral,
    /// Something may be held or denied that was not.
    Tighter,
    /// Something may be allowed that was not.
    Looser,
    /// Either; the text alone does not tell.
    Either,
}

/// One rule that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DifferenceDto {
    /// Absent: it is new.
    pub before: Option<RuleDto>,
    /// Absent: it is gone.
    pub after: Option<RuleDto>,
    pub leaning: LeaningDto,
}

/// One rule for tools that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolDifferenceDto {
    /// `tool_policies.server/tool`, or `tool_governance.…`.
    pub name: String,
    /// It was there before.
    pub before: bool,
    /// It is there after.
    pub after: bool,
    pub leaning: LeaningDto,
}

/// What a draft is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CheckedDto {
    /// Why it does not load; empty when it does.
    pub problems: Vec<ProblemDto>,
    /// Not wrong, but to be seen.
    pub notices: Vec<ProblemDto>,
    /// The person's cases, run against it; empty when it does not load.
    pub cases: Vec<CaseDto>,
    /// Case files that do not load.
    pub case_problems: Vec<ProblemDto>,
    pub differences: Vec<DifferenceDto>,
    /// Rules for tools that differ; absent where none do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub tools: Option<Vec<ToolDifferenceDto>>,
    /// Something would change on disk.
    pub changes: bool,
    /// It may be saved: it loads, its cases pass, and something changes.
    pub ready: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FormatInput {
    pub text: String,
    /// Name of the file; none: it holds rules in Cedar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FormattedDto {
    /// The text, laid out; absent where it does not parse.
    pub text: Option<String>,
    pub problem: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CompleteInput {
    pub text: String,
    /// In UTF-16 code units, as web views count.
    pub offset: u32,
    /// As in [`FormatInput`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub file: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CompletionDto {
    pub text: String,
    /// `keyword`, `fact`, `annotation`, `entity`, `name` or `value`.
    pub kind: String,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CompletionsDto {
    /// Where what is being written begins, in UTF-16 code units.
    pub from: u32,
    pub items: Vec<CompletionDto>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SaveInput {
    pub draft: DraftDto,
    /// The revision it was made on; absent: whatever is in force.
    #[serde(default)]
    pub base: Option<String>,
    /// A sentence for the history.
    #[serde(default)]
    pub note: Option<String>,
    /// The passphrase, where it is asked for because more may pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}

/// How a version of the rules came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum VersionHowDto {
    /// The files as they were when Reeve began to keep versions.
    Found,
    Saved,
    Applied,
    /// By the answer to a held action, or by an edit outside Reeve.
    Outside,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct VersionFileDto {
    pub file: String,
    /// Absent: it was not there.
    pub before: Option<String>,
    /// Absent: it is gone.
    pub after: Option<String>,
}

/// One change of the person's rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct VersionDto {
    pub id: String,
    pub at: DateTime<Utc>,
    pub by: Option<String>,
    pub how: VersionHowDto,
    pub note: Option<String>,
    pub files: Vec<VersionFileDto>,
}
