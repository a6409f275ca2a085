//! The files of a recording: each a constant of a type of the contract, so that the console's compiler holds it to the
//! contract as well.

use serde_json::Value;

use super::still::Still;

/// One file of the recording.
pub struct File {
    pub name: &'static str,
    /// What it is, for the reader.
    about: &'static str,
    /// Name of the constant, its type, and whether it is a list of that type.
    constants: &'static [(&'static str, &'static str, bool)],
}

pub const FILES: &[File] = &[
    File {
        name: "state.ts",
        about: "the state of protection and what is registered",
        constants: &[
            ("status", "StatusDto", false),
            ("agents", "AgentDto", true),
            ("agent", "AgentDetailDto", false),
            ("sessions", "SessionDto", true),
            ("sums", "SessionsPage", false),
            ("budgets", "BudgetLineDto", true),
            ("prices", "PricesDto", false),
            ("credentials", "CredentialDto", true),
            ("settings", "SettingsDto", false),
        ],
    },
    File {
        name: "policies.ts",
        about: "the rules in force, the files they stand in, and how often each decided",
        constants: &[("rules", "RuleDto", true), ("policyFiles", "PolicyFileDto", true), ("hits", "HitsDto", false)],
    },
    File {
        name: "weighed.ts",
        about: "rules before they are written, with what they would have changed; the first stands for what was asked, the second for the answer",
        constants: &[
            ("previewed", "PreviewInput", true),
            ("previews", "PreviewDto", true),
            ("drafts", "DraftDto", true),
            ("checks", "CheckedDto", true),
            ("replays", "ReplayDto", true),
            ("whatIfs", "WhatIfDto", true),
            ("proposed", "ProposeInput", true),
            ("proposals", "ProposalDto", true),
        ],
    },
    File { name: "flows.ts", about: "each session as a waterfall", constants: &[("flows", "FlowDto", true)] },
    File {
        name: "servers.ts",
        about: "MCP servers with their tools, what waits for a review, and how their calls ended",
        constants: &[
            ("servers", "ServersDto", false),
            ("serverDetails", "ServerDetailDto", true),
            ("toolStats", "ToolStatsDto", false),
        ],
    },
    File {
        name: "operations.ts",
        about: "what happened, newest first",
        constants: &[("rows", "OperationRowDto", true), ("facets", "FacetsDto", false)],
    },
    File {
        name: "details.ts",
        about: "everything known of each action, newest first",
        constants: &[("details", "OperationDetailDto", true)],
    },
    File {
        name: "approvals.ts",
        about: "what waits and what was decided, each open card with its facts, and what is suggested",
        constants: &[
            ("approvals", "ApprovalsPage", false),
            ("cards", "ApprovalDto", true),
            ("suggestions", "SuggestionsDto", false),
        ],
    },
];

/// Columns that a value may take to stay on one line.
const COLUMNS: usize = 160;

impl File {
    /// Its text from what was told, held still.
    pub fn text(&self, told: &Value, still: &mut Still) -> String {
        let mut text =
            format!("// Recorded from the engine by `cargo xtask fixtures`, not written by hand: {}.\n", self.about);
        for (_, kind, _) in self.constants {
            text.push_str(&format!("import type {{ {kind} }} from \"../../engine/bindings/{kind}\";\n"));
        }
        for (name, kind, list) in self.constants {
            let list = if *list { "[]" } else { "" };
            let value = still.text(&serde_json::to_string_pretty(&told[*name]).unwrap());
            let value: Value = serde_json::from_str(&value).unwrap();
            text.push_str(&format!("\nexport const {name}: {kind}{list} = "));
            print(&value, 0, &mut text);
            text.push_str(";\n");
        }
        text
    }
}

/// What fits stands on one line; of the rest each part on its own.
fn print(value: &Value, depth: usize, text: &mut String) {
    let flat = flat(value);
    let inside = "  ".repeat(depth + 1);
    let (open, close, parts): (_, _, Vec<(String, &Value)>) = match value {
        Value::Array(items) => ('[', ']', items.iter().map(|item| (String::new(), item)).collect()),
        Value::Object(fields) => {
            ('{', '}', fields.iter().map(|(key, value)| (format!("{}: ", Value::from(key.as_str())), value)).collect())
        }
        _ => return text.push_str(&flat),
    };
    if depth > 0 && inside.len() + flat.len() <= COLUMNS || parts.is_empty() {
        return text.push_str(&flat);
    }
    text.push(open);
    text.push('\n');
    for (key, part) in parts {
        text.push_str(&inside);
        text.push_str(&key);
        print(part, depth + 1, text);
        text.push_str(",\n");
    }
    text.push_str(&"  ".repeat(depth));
    text.push(close);
}

fn flat(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{}: {}", Value::from(key.as_str()), flat(value));
            format!("{{ {} }}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        plain => plain.to_string(),
    }
}
