//! Claude Code: Bun program, HTTP/1.1, sends its proxy credentials unasked, trusts `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE`.

use super::{Coverage, CredentialVariable, KeyHeader, LOCAL_MCP, Need, NeedValue, SHELL, Sight, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "claude-code",
    name: "Claude Code",
    programs: &["claude"],
    measured: Some("2.1.197"),
    config: ".claude/settings.json",
    credentials: &[
        CredentialVariable {
            variable: "ANTHROPIC_API_KEY",
            host: "api.anthropic.com",
            header: KeyHeader::Named("x-api-key"),
        },
        CredentialVariable { variable: "ANTHROPIC_AUTH_TOKEN", host: "api.anthropic.com", header: KeyHeader::Bearer },
        CredentialVariable {
            variable: "CLAUDE_CODE_OAUTH_TOKEN",
            host: "api.anthropic.com",
            header: KeyHeader::Bearer,
        },
    ],
    needs: &[Need {
        variable: "CLAUDE_STREAM_IDLE_TIMEOUT_MS",
        value: NeedValue::Default("1800000"),
        why: "without it a stream that waits for a human is given up after 300 s, pings or not",
    }],
    coverage: Coverage { llm: Sight::Full, http: Sight::Full, mcp: LOCAL_MCP, shell: SHELL },
};
