//! Agents as the console lists them.

use chrono::{DateTime, Utc};
use reeve_domain::agent::Agent;
use serde::{Deserialize, Serialize};

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
    /// What is seen of it, kind by kind; empty for a tool that is not in the catalog, of which nothing was measured.
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

fn coverage(tool: &reeve_sandbox::catalog::Tool) -> Vec<CoverageDto> {
    let seen = &tool.coverage;
    [("llm", seen.llm), ("http", seen.http), ("mcp", seen.mcp), ("shell", seen.shell)]
        .map(|(kind, sight)| CoverageDto {
            kind: kind.to_owned(),
            sight: sight.as_str().to_owned(),
            note: sight.note().map(str::to_owned),
        })
        .to_vec()
}

impl AgentDto {
    /// `running` sessions and nano-USD settled since local midnight are counted by the caller.
    #[must_use]
    pub fn of(agent: &Agent, running: u32, cost_today: i64) -> Self {
        Self {
            id: agent.id.to_string(),
            name: agent.name.clone(),
            tool: agent.tool.clone(),
            team: agent.team.as_ref().map(ToString::to_string),
            registered_at: agent.registered_at,
            paused_at: agent.paused_at,
            removed_at: agent.removed_at,
            running,
            cost_today,
            coverage: agent
                .tool
                .as_deref()
                .and_then(reeve_sandbox::catalog::find_key)
                .map(coverage)
                .unwrap_or_default(),
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
