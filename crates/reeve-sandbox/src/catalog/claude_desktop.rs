//! Claude Desktop: a chat app with local servers. What is here is read in its documentation; it was not run.

use super::{Coverage, DESKTOP_APP, Tool};

/// Relative to the home directory; on Linux the app is unofficial and follows XDG.
const CONFIG: &str = if cfg!(target_os = "macos") {
    "Library/Application Support/Claude/claude_desktop_config.json"
} else if cfg!(windows) {
    "AppData/Roaming/Claude/claude_desktop_config.json"
} else {
    ".config/Claude/claude_desktop_config.json"
};

pub(super) const TOOL: Tool = Tool {
    key: "claude-desktop",
    name: "Claude Desktop",
    programs: &["claude-desktop"],
    measured: None,
    config: CONFIG,
    credentials: &[],
    needs: &[],
    coverage: Coverage { llm: DESKTOP_APP, http: DESKTOP_APP, mcp: DESKTOP_APP, shell: DESKTOP_APP },
};
