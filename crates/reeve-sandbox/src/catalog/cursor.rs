//! Cursor: an editor. What is here is read in its documentation; it was not run.

use super::{Coverage, DESKTOP_APP, Tool};

pub(super) const TOOL: Tool = Tool {
    key: "cursor",
    name: "Cursor",
    programs: &["cursor"],
    measured: None,
    config: ".cursor/mcp.json",
    credentials: &[],
    needs: &[],
    coverage: Coverage { llm: DESKTOP_APP, http: DESKTOP_APP, mcp: DESKTOP_APP, shell: DESKTOP_APP },
};
