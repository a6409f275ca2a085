//! Agents as the console lists them.

use chrono::{DateTime, Utc};
use reeve_domain::agent::Agent;
use reeve_sandbox::catalog;
use serde::{Deserialize, Serialize};

use super::policies::{LayerDto, RuleKindDto};

/// A registered agent with what was measured today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AgentDto {
    pub id: String,
    pub name: String,
    /// Key in the catalog of known tools.
    pub tool: Option<String>,
    pub team: Option<String>,
    pub registered_at: DateTime<Utc>,
    /// Since when its operations are denied, where a person has paused it.
    pub paused_at: Option<DateTime<Utc>>,
    pub removed_at: Option<DateTime<Utc>>,
    /// Sessions that run now.
    pub running: u32,
    /// nano-USD settled since local midnight.
    pub cost_today: i64,
    /// Since local midnight: sessions opened or still running, and actions.
    pub sessions_today: u32,
    pub actions_today: u32,
    /// Asked about, whatever the answer was.
    pub held_today: u32,
    pub denied_today: u32,
    /// When it last did something or a session of it began or ended; none: never.
    pub last_seen: Option<DateTime<Utc>>,
    /// What is seen of it, kind by kind, as it was started last; empty for a tool that is not in the catalog, of which nothing
    /// was measured.
    pub coverage: Vec<CoverageDto>,
}

/// How far Reeve sees and can stop one kind of action of a tool that runs governed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct CoverageDto {
    /// `llm`, `http`, `mcp`, `shell`.
    pub kind: String,
    /// `full`, `partial`, `none`, `unknown`.
    pub sight: String,
    /// Why it is not full.
    pub note: Option<String>,
}

/// What was counted of an agent since local midnight.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    pub running: u32,
    /// nano-USD.
    pub cost: i64,
    pub sessions: u32,
    pub actions: u32,
    pub held: u32,
    pub denied: u32,
    pub last_seen: Option<DateTime<Utc>>,
    /// Nothing but servers behind `reeve mcp` is governed in the sessions that run, or in the last one that did.
    pub only_tools: bool,
}

/// An agent with what it costs and which rules concern it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AgentDetailDto {
    pub agent: AgentDto,
    /// Local days, oldest first, today last.
    pub days: Vec<DayCostDto>,
    /// Rules whose heads let them concern it. Their conditions may still narrow them.
    pub rules: Vec<AgentRuleDto>,
    /// Where its program is, for a known tool that is on this machine.
    pub found: Option<ToolDto>,
}

/// What one local day cost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct DayCostDto {
    /// `2026-11-20`, in the engine's own time zone.
    pub day: String,
    /// nano-USD.
    pub cost: i64,
}

/// A rule as far as it concerns an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AgentRuleDto {
    pub id: String,
    pub reason: String,
    pub kind: RuleKindDto,
    pub layer: LayerDto,
    /// Whether it names this agent or its team; else it is for every agent.
    pub named: bool,
}

/// A known tool on this machine. Nothing was started and no settings were read to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ToolDto {
    /// Key in the catalog, which is the agent's id too.
    pub key: String,
    pub name: String,
    /// Path of its program.
    pub program: String,
    /// As its package or folder names it; none where neither does.
    pub version: Option<String>,
    /// The version that coverage was measured with; none: it was never run under Reeve.
    pub measured: Option<String>,
    /// Starts it governed, in a terminal.
    pub command: String,
    /// Whether it is an agent here already.
    pub registered: bool,
    pub coverage: Vec<CoverageDto>,
}

fn coverage(seen: &catalog::Coverage) -> Vec<CoverageDto> {
    [("llm", seen.llm), ("http", seen.http), ("mcp", seen.mcp), ("shell", seen.shell)]
        .map(|(kind, sight)| CoverageDto {
            kind: kind.to_owned(),
            sight: sight.as_str().to_owned(),
            note: sight.note().map(str::to_owned),
        })
        .to_vec()
}

impl AgentDto {
    /// What is counted is the caller's to count.
    #[must_use]
    pub fn of(agent: &Agent, counted: Counted) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.name.clone(),
            tool: agent.tool.clone(),
            team: agent.team.as_ref().map(ToString::to_string),
            registered_at: agent.registered_at,
            paused_at: agent.paused_at,
            removed_at: agent.removed_at,
            running: counted.running,
            cost_today: counted.cost,
            sessions_today: counted.sessions,
            actions_today: counted.actions,
            held_today: counted.held,
            denied_today: counted.denied,
            last_seen: counted.last_seen,
            coverage: if counted.only_tools {
                coverage(&catalog::ONLY_TOOLS)
            } else {
                let tool = agent.tool.as_deref().and_then(catalog::find_key);
                tool.map(|tool| coverage(&tool.coverage)).unwrap_or_default()
            },
        }
    }
}

impl ToolDto {
    #[must_use]
    pub fn of(installed: &catalog::Installed, registered: bool) -> Self {
        let tool = installed.tool;
        let program = tool.programs.first().copied().unwrap_or(tool.key);
        Self {
            key: tool.key.to_owned(),
            name: tool.name.to_owned(),
            program: installed.program.display().to_string(),
            version: installed.version(),
            measured: tool.measured.map(str::to_owned),
            command: format!("reeve run -- {program}"),
            registered,
            coverage: coverage(&tool.coverage),
        }
    }
}

/// Which agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AgentInput {
    pub agent: String,
}

/// Registers an agent before it is started for the first time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AddAgentInput {
    pub agent: String,
    pub name: Option<String>,
}

/// Starts a known tool governed, in a terminal of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StartAgentInput {
    /// Key in the catalog.
    pub tool: String,
    /// Absolute path of the folder to work in.
    pub folder: String,
}

/// A terminal opens; the session appears when the tool begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct StartedDto {
    pub terminal: String,
    /// What runs in it.
    pub command: String,
}
