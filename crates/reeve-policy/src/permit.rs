//! Whether anything at all could let a tool be called: what could not is left out of lists of tools.

use reeve_domain::operation::{Action, Operation};

use crate::evaluate::Ruling;
use crate::facts::{Case, Circumstances};
use crate::set::PolicySet;
use crate::slice::Slice;
use crate::source::{Rule, RuleKind};

/// Facts that are the same for every call of one tool in one session.
const FIXED: [&str; 12] = [
    "approved",
    "server",
    "tool",
    "transport",
    "annotated",
    "read_only_hint",
    "destructive_hint",
    "idempotent_hint",
    "open_world_hint",
    "session",
    "user",
    "team",
];

impl PolicySet {
    /// Whether some circumstances could permit a call of the tool that this operation is one call of: other arguments, another
    /// time, a human's yes. `false` only where a rule forbids the tool by what is the same for all its calls; what cannot be
    /// said for sure could be permitted.
    #[must_use]
    pub fn could_permit_tool(&self, operation: &Operation, circumstances: &Circumstances) -> bool {
        if operation.action() != Action::McpToolCall {
            return true;
        }
        let case = Case::new(operation, circumstances);
        let Ok(prepared) = self.prepare(&case) else { return true };
        let is_fixed = |index: &&u32| self.rules.rule(**index).is_some_and(holds_always);
        let members: Vec<u32> = prepared.rules.members.iter().filter(is_fixed).copied().collect();
        let rules = Slice::new(Action::McpToolCall, members.clone(), self.rules.picked(&members));
        !matches!(self.run(&self.rules, &rules, &case, &prepared, true), Ruling::Forbidden(_))
    }
}

fn holds_always(rule: &Rule) -> bool {
    let forbids = matches!(rule.info.kind, RuleKind::Forbid | RuleKind::Ask);
    forbids && !rule.reading.whole && rule.reading.facts.iter().all(|fact| FIXED.contains(&fact.as_str()))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use reeve_domain::operation::{
        Argument, ArgumentValue, Digest, McpToolCall, McpTransport, Purpose, RowCount, SchemaCheck, Subject,
        ToolAnnotations,
    };
    use reeve_domain::settings::Preset;
    use reeve_domain::verdict::{Decision, Layer};

    use super::*;
    use crate::source::Source;
    use crate::tests::http;

    fn call(server: &str, tool: &str, read_only: Option<bool>, argument: &str) -> Operation {
        let subject = Subject::Mcp(McpToolCall {
            server: server.to_owned(),
            transport: McpTransport::Stdio,
            tool: tool.to_owned(),
            annotations: ToolAnnotations { read_only, ..ToolAnnotations::default() },
            arguments: vec![Argument { path: "mode".to_owned(), value: ArgumentValue::Text(argument.to_owned()) }],
            is_whole: true,
            argument_bytes: 9,
            schema: SchemaCheck::Unchecked,
            definition: Some(Digest::of(b"d")),
            endpoint: None,
            purpose: Purpose::Call,
            rows: RowCount::NotCounted,
            data: Vec::new(),
        });
        Operation { subject, summary: format!("{server}.{tool}"), ..http("GET", "unused.example", "/") }
    }

    fn circumstances(first_seen: bool, hour: u32) -> Circumstances {
        let now = DateTime::parse_from_rfc3339(&format!("2026-11-20T{hour:02}:00:00+00:00")).unwrap();
        Circumstances { now, first_seen, first_write: first_seen, cwd: None, grants: Vec::new() }
    }

    const RULES: [(&str, bool); 9] = [
        ("forbid (principal, action == Action::\"mcp.tool_call\", resource == McpTool::\"files/wipe\");", false),
        ("forbid (principal, action == Action::\"mcp.tool_call\", resource in McpServer::\"files\");", false),
        ("forbid (principal, action, resource) when { context has tool && context.tool == \"wipe\" };", false),
        ("forbid (principal, action == Action::\"mcp.tool_call\", resource) unless { context.read_only_hint };", false),
        ("forbid (principal == Agent::\"somebody-else\", action, resource in McpServer::\"files\");", true),
        (
            "forbid (principal, action == Action::\"mcp.tool_call\", resource in McpServer::\"files\") unless { context.approved };",
            true,
        ),
        (
            "forbid (principal, action == Action::\"mcp.tool_call\", resource in McpServer::\"files\") when { context.hour < 8 };",
            true,
        ),
        (
            "forbid (principal, action == Action::\"mcp.tool_call\", resource) when { context.arguments.contains(\"mode=drop\") };",
            true,
        ),
        ("forbid (principal, action == Action::\"mcp.tool_call\", resource in McpServer::\"other\");", true),
    ];

    fn set(preset: Preset, rule: &str) -> PolicySet {
        let text = format!("@id(\"r\")\n@reason(\"a test\")\n{rule}\n");
        let source = Source { layer: Layer::Mine, file: "mine.cedar".to_owned(), text };
        PolicySet::load(preset, &[source], &[]).unwrap()
    }

    #[test]
    fn a_tool_that_a_rule_forbids_whatever_happens_is_left_out_and_no_other() {
        for (rule, could) in RULES {
            let found = set(Preset::Balanced, rule)
                .could_permit_tool(&call("files", "wipe", None, "x"), &circumstances(true, 9));
            assert_eq!(found, could, "{rule}");
        }
    }

    #[test]
    fn no_tool_is_left_out_that_some_circumstances_would_let_be_called() {
        for preset in [Preset::Balanced, Preset::Strict] {
            for (rule, _) in RULES {
                let set = set(preset, rule);
                for (server, tool, reads) in
                    [("files", "wipe", None), ("files", "list", Some(true)), ("other", "wipe", Some(false))]
                {
                    if set.could_permit_tool(&call(server, tool, reads, "x"), &circumstances(true, 12)) {
                        continue;
                    }
                    for argument in ["x", "drop"] {
                        for (first, hour) in [(true, 3), (false, 3), (true, 12), (false, 12), (false, 23)] {
                            let one = call(server, tool, reads, argument);
                            let verdict = set.evaluate(&one, &circumstances(first, hour));
                            assert_eq!(
                                verdict.decision(),
                                Decision::Deny,
                                "{rule}: {server}/{tool} {argument} {first} {hour}"
                            );
                        }
                    }
                }
            }
        }
    }
}
