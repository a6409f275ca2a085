//! Whether anything could let a session call a tool: what could not is left out of its lists.

use reeve_domain::id::OperationId;
use reeve_domain::operation::{Digest, McpToolCall, McpTransport, Operation, Purpose, RowCount, SchemaCheck, Subject};
use reeve_domain::server::ToolRecord;

use crate::{Engine, LiveSession};

impl Engine {
    /// Whether some circumstances could let this session call this tool, by the rules in force and those of its project.
    #[must_use]
    pub fn could_permit(&self, live: &LiveSession, transport: McpTransport, tool: &ToolRecord) -> bool {
        let operation = Operation {
            id: OperationId::new(),
            at: self.now(),
            principal: live.principal(),
            subject: Subject::Mcp(McpToolCall {
                server: tool.server.clone(),
                transport,
                tool: tool.name.clone(),
                annotations: tool.annotations,
                arguments: Vec::new(),
                is_whole: true,
                argument_bytes: 0,
                schema: SchemaCheck::Unchecked,
                definition: Some(tool.digest.clone()),
                endpoint: None,
                purpose: Purpose::Call,
                rows: RowCount::NotCounted,
                data: Vec::new(),
            }),
            content: Digest::of(b""),
            summary: String::new(),
            conversation: None,
            credential: None,
            parent: None,
        };
        self.gate().could_permit(&operation, live)
    }
}
