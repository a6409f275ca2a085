//! The tool mouth: MCP messages between agents and servers, each tool call an operation before the gate, and the commit
//! boundary that validates, previews, bounds and de-duplicates what it lets through.
