//! Codex CLI: rustls program, WebSocket first (426 makes it fall back), trusts `CODEX_CA_CERTIFICATE` and `SSL_CERT_FILE`.

use super::{Coverage, CredentialVariable, KeyHeader, Need, NeedValue, SHELL, STRIPPED_MCP, Sight, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "codex",
    name: "Codex CLI",
    programs: &["codex"],
    measured: Some("0.169.0"),
    config: ".codex/config.toml",
    // `OPENAI_API_KEY` in the environment is not read; outside `codex exec` the key comes from auth.json.
    credentials: &[CredentialVariable { variable: "CODEX_API_KEY", host: "api.openai.com", header: KeyHeader::Bearer }],
    needs: &[Need {
        variable: "CODEX_CA_CERTIFICATE",
        value: NeedValue::Bundle,
        why: "its own variable wins over `SSL_CERT_FILE`, so an inherited one would hide the session's CA",
    }],
    coverage: Coverage {
        llm: Sight::Full,
        http: Sight::Partial("its own sandbox gives shell commands no network at all unless told otherwise"),
        mcp: STRIPPED_MCP,
        shell: SHELL,
    },
};
