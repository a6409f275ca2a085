//! MCP servers and their tools: where they stand, what changed, and how their calls end.

use chrono::{DateTime, Utc};
use reeve_domain::outcome::ToolEnd;
use reeve_domain::server::{Finding, FindingKind, Standing};
use reeve_engine::servers::Start;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Where a server or a tool stands with the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum StandingDto {
    Approved,
    New,
    Changed,
    Gone,
}

impl From<Standing> for StandingDto {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Approved => Self::Approved,
            Standing::New => Self::New,
            Standing::Changed => Self::Changed,
            Standing::Gone => Self::Gone,
        }
    }
}

/// What a server is, as it is shown and approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct IdentityDto {
    /// What approving it names.
    pub digest: String,
    /// `stdio` or `http`.
    pub transport: String,
    /// Program and arguments, without what looks like a secret.
    pub command: Vec<String>,
    /// The program as it was found, and scripts among the arguments.
    pub files: Vec<PinnedFileDto>,
    pub url: Option<String>,
    /// As it calls itself.
    pub name: Option<String>,
    pub version: Option<String>,
}

/// A file that a server is started from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PinnedFileDto {
    pub path: String,
    /// SHA-256 of its content; none: it could not be read.
    pub digest: Option<String>,
}

/// How the person's file starts or reaches a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum DeclarationDto {
    Stdio { command: String, args: Vec<String>, env: BTreeMap<String, String>, cwd: Option<String> },
    Http { url: String, headers: BTreeMap<String, String> },
}

impl From<&Start> for DeclarationDto {
    fn from(start: &Start) -> Self {
        match start {
            Start::Stdio { command, args, env, cwd } => Self::Stdio {
                command: command.clone(),
                args: args.clone(),
                env: env.clone(),
                cwd: cwd.as_ref().map(|cwd| cwd.display().to_string()),
            },
            Start::Http { url, headers } => Self::Http { url: url.clone(), headers: headers.clone() },
        }
    }
}

impl From<DeclarationDto> for Start {
    fn from(from: DeclarationDto) -> Self {
        match from {
            DeclarationDto::Stdio { command, args, env, cwd } => {
                Self::Stdio { command, args, env, cwd: cwd.map(Into::into) }
            }
            DeclarationDto::Http { url, headers } => Self::Http { url, headers },
        }
    }
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ServerDto {
    pub name: String,
    /// None: it is declared and was never seen.
    pub standing: Option<StandingDto>,
    /// `stdio` or `http`.
    pub transport: String,
    /// Started or reached by Reeve's own endpoint, because the person's file declares it.
    pub declared: Option<DeclarationDto>,
    /// As it calls itself.
    pub version: Option<String>,
    /// Tools that it offers now.
    pub tools: u32,
    /// Of them, those that wait for a person; 1 for a server that waits itself.
    pub to_review: u32,
    /// Tools with findings.
    pub findings: u32,
    pub first_seen: Option<DateTime<Utc>>,
    pub changed_at: Option<DateTime<Utc>>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    /// Calls of the last 7 days.
    pub health: HealthDto,
    /// What of it is left alone now, because it failed again and again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<Vec<CutOffDto>>"))]
    pub cut_off: Vec<CutOffDto>,
    /// Where Reeve's endpoint serves it to who shows a session's token; none: the person's file does not declare it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub endpoint: Option<String>,
}

/// A server or a tool whose calls Reeve answers itself until a trial succeeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CutOffDto {
    /// None: the server as a whole.
    pub tool: Option<String>,
    /// In words of Reeve.
    pub why: String,
    pub since: DateTime<Utc>,
    /// When one call may try it again.
    pub next_trial: DateTime<Utc>,
    /// Failures in a row.
    pub failures: u32,
}

/// Answer of `servers.list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ServersDto {
    pub servers: Vec<ServerDto>,
    /// Everything that waits for a person, over all servers.
    pub to_review: u32,
    /// Why the file of declared servers is not in force as it is on disk.
    pub problem: Option<String>,
    /// Path of that file.
    pub file: String,
}

/// How calls ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct EndsDto {
    pub ok: u64,
    pub tool_error: u64,
    pub schema_failure: u64,
    pub timeout: u64,
    /// Turned away by Reeve or a person; no tries.
    pub refused: u64,
    /// Nobody knows what became of them.
    pub unknown: u64,
}

impl EndsDto {
    /// In the order of [`ToolEnd::ALL`].
    #[must_use]
    pub fn of(counts: [u64; ToolEnd::ALL.len()]) -> Self {
        let [ok, tool_error, schema_failure, timeout, refused, unknown] = counts;
        Self { ok, tool_error, schema_failure, timeout, refused, unknown }
    }

    pub fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.tool_error += other.tool_error;
        self.schema_failure += other.schema_failure;
        self.timeout += other.timeout;
        self.refused += other.refused;
        self.unknown += other.unknown;
    }

    /// How many went to the tool.
    #[must_use]
    pub fn tries(&self) -> u64 {
        self.ok + self.tool_error + self.schema_failure + self.timeout + self.unknown
    }

    /// How often it went well; none without any try.
    #[must_use]
    pub fn rate(&self) -> Option<RateDto> {
        let (low, high) = reeve_domain::interval::wilson(self.ok, self.tries())?;
        Some(RateDto { good: self.ok, of: self.tries(), low: millis(low), high: millis(high) })
    }
}

/// Rounded, so that what is shown twice is the same twice.
fn millis(share: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
    let rounded = (share * 1000.0).round() as u32;
    rounded
}

/// How often something went well, with the 95 % Wilson interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct RateDto {
    pub good: u64,
    pub of: u64,
    /// Both ends of the interval in thousandths.
    pub low: u32,
    pub high: u32,
}

/// How a server or a tool does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct HealthDto {
    pub ends: EndsDto,
    pub rate: Option<RateDto>,
}

impl HealthDto {
    #[must_use]
    pub fn of(ends: EndsDto) -> Self {
        Self { rate: ends.rate(), ends }
    }
}

/// What scanning a tool's texts found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum FindingKindDto {
    HiddenCharacters,
    ControlSequence,
    EncodedText,
    Instruction,
    Secrecy,
    AsksForSecrets,
    NamesOtherTool,
    ShadowsTool,
    TooLarge,
}

impl From<FindingKind> for FindingKindDto {
    fn from(kind: FindingKind) -> Self {
        match kind {
            FindingKind::HiddenCharacters => Self::HiddenCharacters,
            FindingKind::ControlSequence => Self::ControlSequence,
            FindingKind::EncodedText => Self::EncodedText,
            FindingKind::Instruction => Self::Instruction,
            FindingKind::Secrecy => Self::Secrecy,
            FindingKind::AsksForSecrets => Self::AsksForSecrets,
            FindingKind::NamesOtherTool => Self::NamesOtherTool,
            FindingKind::ShadowsTool => Self::ShadowsTool,
            FindingKind::TooLarge => Self::TooLarge,
        }
    }
}

/// Something that a person should see before they approve a tool. It blocks nothing by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FindingDto {
    pub kind: FindingKindDto,
    /// Where in the definition: `description`, `inputSchema.properties.path.description`.
    pub place: String,
    /// The words around it on one line, with what is hidden written out.
    pub excerpt: String,
}

impl From<&Finding> for FindingDto {
    fn from(finding: &Finding) -> Self {
        Self { kind: finding.kind.into(), place: finding.place.clone(), excerpt: finding.excerpt.clone() }
    }
}

/// A piece of a text that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DiffPartDto {
    pub kind: DiffKindDto,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum DiffKindDto {
    Same,
    Gone,
    New,
}

/// One field of a definition that is not what was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct FieldDiffDto {
    /// Where in the definition: `description`, `inputSchema.properties.path.type`.
    pub place: String,
    pub parts: Vec<DiffPartDto>,
}

/// One version of a tool's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolVersionDto {
    pub digest: String,
    pub seen_at: DateTime<Utc>,
    pub approved_at: Option<DateTime<Utc>>,
    pub approved_by: Option<String>,
    /// Against the version before it; empty for the first.
    pub diff: Vec<FieldDiffDto>,
}

/// What the results of a tool look like at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ShapeChangeDto {
    /// `rows[].id`; empty for the whole.
    pub path: String,
    /// Types seen before; empty for a field that is new.
    pub before: Vec<String>,
    /// What came; none: the field is missing.
    pub after: Option<String>,
}

/// A result that did not look like those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DriftDto {
    pub at: DateTime<Utc>,
    pub changes: Vec<ShapeChangeDto>,
}

/// One tool of a server. (`ToolDto` is a program on this machine.)
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ServerToolDto {
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub standing: StandingDto,
    /// What approving it names.
    pub digest: String,
    /// As the server claims, in words of the protocol: `readOnlyHint` and so on.
    pub annotations: BTreeMap<String, bool>,
    pub findings: Vec<FindingDto>,
    /// Against what was approved; empty for what is approved or new.
    pub diff: Vec<FieldDiffDto>,
    /// The definition as the server offers it.
    #[cfg_attr(feature = "ts", ts(type = "unknown"))]
    pub definition: Value,
    /// Newest first.
    pub versions: Vec<ToolVersionDto>,
    /// Newest first.
    pub drifts: Vec<DriftDto>,
    pub changed_at: DateTime<Utc>,
    /// Calls of the last 7 days, over all versions.
    pub health: HealthDto,
}

/// A server with everything that is known of it. Answer of `servers.get`, and of `servers.approve`, as it is after the call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ServerDetailDto {
    pub server: ServerDto,
    /// None: it is declared and was never seen.
    pub identity: Option<IdentityDto>,
    /// Identities that were approved, newest first.
    pub approved: Vec<IdentityDto>,
    /// What of the identity is not what was approved last.
    pub diff: Vec<FieldDiffDto>,
    /// By name; those that wait come first.
    pub tools: Vec<ServerToolDto>,
}

/// The calls of one version of one tool by one agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolStatDto {
    pub agent: String,
    pub server: String,
    pub tool: String,
    /// Hash of the definition; none: the tool was never listed.
    pub definition: Option<String>,
    pub ends: EndsDto,
    pub rate: Option<RateDto>,
}

/// Answer of `servers.stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolStatsDto {
    /// By server, tool, agent and definition.
    pub stats: Vec<ToolStatDto>,
    pub total: HealthDto,
    /// There are more calls than were counted; the newest were.
    pub capped: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServerInput {
    pub server: String,
}

/// Input of `servers.approve`: exactly what was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproveServerInput {
    pub server: String,
    /// Digest of the identity; left out: only tools.
    #[serde(default)]
    pub identity: Option<String>,
    #[serde(default)]
    pub tools: Vec<ShownToolDto>,
}

/// A tool as it was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShownToolDto {
    pub name: String,
    pub digest: String,
}

/// Input of `servers.add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddServerInput {
    pub server: String,
    pub declaration: DeclarationDto,
}

/// Input of `servers.stats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StatsInput {
    /// As in the Timeline; empty: everything.
    pub query: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_turned_away_is_no_try() {
        let ends = EndsDto::of([9, 1, 0, 0, 50, 0]);
        let rate = ends.rate().unwrap();
        assert_eq!((rate.good, rate.of, rate.low, rate.high), (9, 10, 596, 982));
        assert_eq!(EndsDto::of([0, 0, 0, 0, 7, 0]).rate(), None);
    }
}
