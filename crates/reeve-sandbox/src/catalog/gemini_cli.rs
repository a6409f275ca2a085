//! Gemini CLI: Node program that trusts `NODE_EXTRA_CA_CERTS` alone, and only from the real process environment.

use super::{Coverage, CredentialVariable, KeyHeader, SHELL, STRIPPED_MCP, Sight, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "gemini-cli",
    name: "Gemini CLI",
    programs: &["gemini"],
    measured: Some("0.61.0"),
    config: ".gemini/settings.json",
    credentials: &[
        CredentialVariable {
            variable: "GEMINI_API_KEY",
            host: "generativelanguage.googleapis.com",
            header: KeyHeader::Named("x-goog-api-key"),
        },
        CredentialVariable {
            variable: "GOOGLE_API_KEY",
            host: "generativelanguage.googleapis.com",
            header: KeyHeader::Named("x-goog-api-key"),
        },
    ],
    // `NODE_EXTRA_CA_CERTS`, all it needs, is among the common variables.
    needs: &[],
    coverage: Coverage { llm: Sight::Full, http: Sight::Full, mcp: STRIPPED_MCP, shell: SHELL },
};
