//! GitHub Copilot CLI: takes a key only when it looks like GitHub's; WebSocket first (426 makes it fall back).

use super::{Coverage, CredentialVariable, KeyHeader, LOCAL_MCP, SHELL, Sight, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "copilot",
    name: "Copilot CLI",
    programs: &["copilot"],
    measured: Some("1.0.102"),
    config: ".copilot/settings.json",
    credentials: &[
        CredentialVariable { variable: "COPILOT_GITHUB_TOKEN", host: "api.github.com", header: KeyHeader::Bearer },
        CredentialVariable { variable: "GH_TOKEN", host: "api.github.com", header: KeyHeader::Bearer },
        CredentialVariable { variable: "GITHUB_TOKEN", host: "api.github.com", header: KeyHeader::Bearer },
    ],
    needs: &[],
    coverage: Coverage {
        llm: Sight::Partial(
            "calls are seen and metered; a stored token needs a binding for the API host of its plan too",
        ),
        http: Sight::Full,
        mcp: LOCAL_MCP,
        shell: SHELL,
    },
};
