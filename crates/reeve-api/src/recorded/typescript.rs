//! The files of a recording: each a constant of a type of the contract, so that the console's compiler holds it to the
//! contract as well.

use serde_json::Value;

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
            ("sessions", "SessionDto", true),
            ("budgets", "BudgetLineDto", true),
            ("credentials", "CredentialDto", true),
            ("rules", "RuleDto", true),
        ],
    },
    File {
        name: "operations.ts",
        about: "what happened, newest first, and everything known of each",
        constants: &[
            ("rows", "OperationRowDto", true),
            ("details", "OperationDetailDto", true),
            ("facets", "FacetsDto", false),
        ],
    },
    File {
        name: "approvals.ts",
        about: "what waits and what was decided, and the open card with its facts",
        constants: &[("approvals", "ApprovalsPage", false), ("card", "ApprovalDto", false)],
    },
];

impl File {
    /// Its text from what was told.
    pub fn text(&self, told: &Value) -> String {
        let mut text =
            format!("// Recorded from the engine by `cargo xtask fixtures`, not written by hand: {}.\n", self.about);
        for (_, kind, _) in self.constants {
            text.push_str(&format!("import type {{ {kind} }} from \"../../engine/bindings/{kind}\";\n"));
        }
        for (name, kind, list) in self.constants {
            let list = if *list { "[]" } else { "" };
            let value = serde_json::to_string_pretty(&told[*name]).unwrap();
            text.push_str(&format!("\nexport const {name}: {kind}{list} = {value};\n"));
        }
        text
    }
}
