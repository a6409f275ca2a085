//! opencode: Bun program, HTTP/1.1, trusts `NODE_EXTRA_CA_CERTS` and `SSL_CERT_FILE`, speaks to whichever provider is set up.

use super::{Coverage, CredentialVariable, KeyHeader, LOCAL_MCP, SHELL, Sight, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "opencode",
    name: "opencode",
    programs: &["opencode"],
    measured: Some("1.18.33"),
    config: ".config/opencode/opencode.json",
    credentials: &[
        CredentialVariable {
            variable: "ANTHROPIC_API_KEY",
            host: "api.anthropic.com",
            header: KeyHeader::Named("x-api-key"),
        },
        CredentialVariable { variable: "OPENAI_API_KEY", host: "api.openai.com", header: KeyHeader::Bearer },
    ],
    needs: &[],
    coverage: Coverage { llm: Sight::Full, http: Sight::Full, mcp: LOCAL_MCP, shell: SHELL },
};
