//! What makes two questions alike: who asks, which rules hold it, and what it is aimed at. Their parameters may differ.

use serde::Deserialize;

use crate::approval::{Approval, Resolved};
use crate::id::{AgentId, ApprovalId};
use crate::operation::Action;

/// Questions of one shape are asked about together and counted together. Opaque text, for comparing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape(pub String);

/// The part of a question that its history needs; reads from the same JSON, without its view's bulk.
#[derive(Debug, Clone, Deserialize)]
pub struct Asked {
    pub id: ApprovalId,
    pub agent: AgentId,
    pub summary: String,
    pub asked_at: chrono::DateTime<chrono::Utc>,
    #[serde(default)]
    pub resolved: Option<Resolved>,
    action: Action,
    reasons: Vec<Held>,
    #[serde(default)]
    view: Option<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Held {
    rule: String,
}

/// What an action is aimed at, as its view names it.
#[derive(Debug, Clone, Default, Deserialize)]
struct Target {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    host: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    server: Option<String>,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    program: Option<String>,
}

impl Asked {
    #[must_use]
    pub fn shape(&self) -> Shape {
        let rules = self.reasons.iter().map(|reason| reason.rule.as_str());
        let aimed = self.view.as_ref().map(|v| [&v.method, &v.host, &v.model, &v.server, &v.tool, &v.program]);
        shape(&self.agent, self.action, rules, aimed.map(|all| all.map(Option::as_deref)).unwrap_or_default())
    }
}

impl Approval {
    #[must_use]
    pub fn shape(&self) -> Shape {
        let rules = self.reasons.iter().map(|reason| reason.rule.as_str());
        let aimed = ["method", "host", "model", "server", "tool", "program"].map(|key| self.view.get(key)?.as_str());
        shape(&self.agent, self.action, rules, aimed)
    }
}

fn shape<'a>(agent: &AgentId, action: Action, rules: impl Iterator<Item = &'a str>, aimed: [Option<&str>; 6]) -> Shape {
    let mut rules: Vec<&str> = rules.collect();
    rules.sort_unstable();
    let aimed = aimed.map(Option::unwrap_or_default).join("\n");
    Shape(format!("{agent}\n{}\n{}\n{aimed}", action.as_str(), rules.join(",")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, host: &str, path: &str, rule: &str) -> Asked {
        let text = serde_json::json!({
            "id": "ask_00000000000000000000000001", "agent": "codex", "summary": path, "asked_at": "2026-11-20T14:03:00Z",
            "action": "http.request", "reasons": [{ "rule": rule, "text": "t" }],
            "view": { "method": method, "host": host, "path": path, "body": { "bytes": 9 } },
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn the_path_may_differ_and_method_host_and_rule_may_not() {
        let one = asked("POST", "api.example.com", "/a", "ask-first-write").shape();
        assert_eq!(one, asked("POST", "api.example.com", "/b", "ask-first-write").shape());
        assert_ne!(one, asked("PUT", "api.example.com", "/a", "ask-first-write").shape());
        assert_ne!(one, asked("POST", "evil.example.com", "/a", "ask-first-write").shape());
        assert_ne!(one, asked("POST", "api.example.com", "/a", "ask-other").shape());
    }
}
