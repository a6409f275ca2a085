//! The demo's tool server, over stdio: an office that keeps customers in memory. It can count them, change them and send
//! them mail, and does whatever it is asked: what bounds it stands in front of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, JsonObject, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig, Tool, ToolAnnotations,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde_json::{Value, json};

use crate::error::DemoError;

/// Name that the demo's profile gives the server.
pub const SERVER: &str = "office";
pub const COUNT: &str = "count_customer_records";
pub const UPDATE: &str = "update_customer_records";
pub const SEND: &str = "send_notification_email";

/// Everybody, and of them those who try it out.
pub const CUSTOMERS: u64 = 5_000;
pub const ON_TRIAL: u64 = 13;

#[derive(Debug, Default)]
struct Office {
    sent: AtomicU64,
}

/// Serves until stdin closes.
///
/// # Errors
/// When the client does not speak the protocol, or goes away in the middle of a word.
pub async fn serve() -> Result<(), DemoError> {
    let running = Office::default().serve(rmcp::transport::stdio()).await.map_err(DemoError::tools)?;
    running.waiting().await.map_err(DemoError::tools)?;
    Ok(())
}

impl ServerHandler for Office {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = request.arguments.unwrap_or_default();
        let answer = match request.name.as_ref() {
            COUNT => json!({ "count": chosen(&arguments)? }),
            UPDATE => json!({ "updated": chosen(&arguments)? }),
            SEND => json!({ "sent_today": self.sent.fetch_add(1, Ordering::Relaxed) + 1 }),
            other => return Err(ErrorData::invalid_params(format!("no tool is called `{other}`"), None)),
        };
        Ok(CallToolResponse::Complete(CallToolResult::structured(answer)))
    }
}

/// How many customers the arguments choose: everybody, where they name no plan.
fn chosen(arguments: &JsonObject) -> Result<u64, ErrorData> {
    match arguments.get("plan").map(Value::as_str) {
        None => Ok(CUSTOMERS),
        Some(Some("trial")) => Ok(ON_TRIAL),
        Some(Some("team")) => Ok(CUSTOMERS - ON_TRIAL),
        Some(_) => Err(ErrorData::invalid_params("`plan` is `trial` or `team`", None)),
    }
}

fn tools() -> Vec<Tool> {
    let plan = || json!({ "type": "string", "enum": ["trial", "team"], "description": "only customers of this plan" });
    let records = json!({
        "type": "object",
        "properties": { "plan": plan(), "discount": { "type": "integer", "minimum": 0, "maximum": 100 } },
        "additionalProperties": false,
    });
    let mail = json!({
        "type": "object",
        "properties": { "request_id": { "type": "string" }, "to": { "type": "string" }, "text": { "type": "string" } },
        "required": ["request_id", "to", "text"],
        "additionalProperties": false,
    });
    vec![
        tool(COUNT, "Counts the customers that the same arguments would change.", &records, "count")
            .annotate(ToolAnnotations::new().read_only(true)),
        tool(UPDATE, "Sets the discount of customers, of all of them where no plan is named.", &records, "updated")
            .annotate(ToolAnnotations::new().destructive(true)),
        tool(SEND, "Sends a customer a mail.", &mail, "sent_today")
            .annotate(ToolAnnotations::new().destructive(false).open_world(true)),
    ]
}

fn tool(name: &'static str, description: &'static str, input: &Value, answers: &str) -> Tool {
    let output = json!({ "type": "object", "properties": { answers: { "type": "integer" } }, "required": [answers] });
    Tool::new(name, description, object(input)).with_raw_output_schema(object(&output))
}

fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_choose_everybody_a_plan_or_nobody() {
        let of = |arguments: Value| chosen(arguments.as_object().unwrap());
        assert_eq!(of(json!({})).unwrap(), CUSTOMERS);
        assert_eq!(of(json!({ "plan": "trial", "discount": 20 })).unwrap(), ON_TRIAL);
        assert!(of(json!({ "plan": "gold" })).is_err());
        assert!(of(json!({ "plan": 1 })).is_err());
    }
}
