//! What a server asks of the agent's side while it works: an answer of the agent's model, or something of the person. Each is an
//! operation before the gate; what is turned away is answered to the server in the words of the protocol.

use reeve_domain::id::OperationId;
use reeve_domain::operation::{McpTransport, Operation};
use reeve_domain::outcome::{Ending, ToolResult};
use reeve_domain::verdict::Denial;
use reeve_engine::{LiveSession, Ruling};
use reeve_protocol::mcp_ask;
use serde_json::{Value, json};

use crate::acting::Acting;
use crate::expired;
use crate::gateway::Gateway;
use crate::link::ServerRef;
use crate::message::{self, Answer};

/// Most things that one answer may ask for.
const MOST_INPUTS: usize = 32;
/// Why what a server or an agent asks for is not passed on: nobody could be answered.
pub const WITHOUT_ID: &str = "something asked for without an id";
/// JSON-RPC code for what a person or a rule turned down, as the specification's examples have it.
const TURNED_DOWN: i64 = -1;

/// What was let through to the agent, until its answer is there.
pub struct Asking(Acting);

impl Asking {
    /// The agent's side answered.
    pub fn answered(mut self, answer: &Answer) {
        let (size, result) = match answer {
            Answer::Result(result) => (result.to_string().len(), ToolResult::Ok),
            Answer::Error(error) => {
                let words = error.get("message").and_then(Value::as_str).unwrap_or("turned down");
                let message = reeve_protocol::redact::words(words).chars().take(500).collect();
                (error.to_string().len(), ToolResult::ToolError { message })
            }
        };
        self.0.outcome.response_bytes = size as u64;
        self.0.outcome.result = Some(result);
        self.0.settle(Ending::Complete);
    }

    /// It went on to the agent's side, whose answer is not seen from here.
    pub fn passed(mut self) {
        self.0.settle(Ending::Complete);
    }

    /// The server does not wait any more, or nobody is there to answer.
    pub fn dropped(mut self) {
        self.0.cut(|_| Ending::Unknown, "nobody waits for it any more");
    }
}

impl Gateway {
    /// Takes what a server asks for through the gate.
    ///
    /// # Errors
    /// The answer for the server, where it is turned away.
    pub async fn ask(
        &self,
        session: &LiveSession,
        server: &ServerRef,
        method: &str,
        params: &Value,
        parent: Option<OperationId>,
    ) -> Result<Asking, Answer> {
        let bytes = params.to_string();
        let (operation, view) = match classify(self, session, server.name.as_str(), server.transport, method, &bytes) {
            Ok((operation, view)) => (Operation { parent, ..operation }, view),
            Err(why) => {
                let detail = format!("{} {method}: {why}", server.name);
                self.record_refused(session, "a request of a server that cannot be read without doubt", detail).await;
                return Err(message::failure(-32602, format!("this cannot be judged: {why}")));
            }
        };
        match self.engine().gate().admit(operation, view).await {
            Ruling::Admitted(admission) => {
                admission.sent();
                let mut acting = Acting::new(admission);
                acting.outcome.request_bytes = bytes.len() as u64;
                Ok(Asking(acting))
            }
            Ruling::Denied(denial) => Err(turned_down(method, &denial)),
        }
    }

    /// Takes what a server asks for inside of an answer through the gate, one after the other.
    ///
    /// # Errors
    /// Why the answer must not reach the agent.
    pub async fn inputs(
        &self,
        session: &LiveSession,
        server: &ServerRef,
        result: &Value,
        parent: Option<OperationId>,
    ) -> Result<(), String> {
        if expired::is_claimed(result) {
            return Err("it speaks under a name that is Reeve's own".to_owned());
        }
        let asked = match result.get("inputRequests") {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Object(asked)) if asked.len() <= MOST_INPUTS => asked,
            Some(_) => return Err("its requests cannot be read, or are too many".to_owned()),
        };
        let mut passing = Vec::new();
        for one in asked.values() {
            let judged = match one.get("method").and_then(Value::as_str) {
                Some(method) if mcp_ask::is_ask(method) => {
                    let params = one.get("params").cloned().unwrap_or_else(|| json!({}));
                    self.ask(session, server, method, &params, parent.clone()).await.map(|asking| passing.push(asking))
                }
                // Where the agent works is no secret to its servers.
                Some("roots/list") => Ok(()),
                _ => Err(message::failure(-32602, "it asks for what Reeve does not know")),
            };
            if let Err(answer) = judged {
                passing.into_iter().for_each(Asking::dropped);
                return Err(words(&answer));
            }
        }
        // Their answers come with the next call.
        passing.into_iter().for_each(Asking::passed);
        Ok(())
    }
}

/// Whether an answer says that the request is not done yet.
#[must_use]
pub fn is_interim(result: &Value) -> bool {
    has_inputs(result) || result.get("resultType").and_then(Value::as_str) == Some("input_required")
}

/// Whether an answer asks for something of the agent's side.
#[must_use]
pub fn has_inputs(result: &Value) -> bool {
    result.get("inputRequests").is_some_and(|asked| !asked.is_null())
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Error(error) => error.get("message").and_then(Value::as_str).unwrap_or("turned down").to_owned(),
        Answer::Result(_) => "a form or page was turned down by Reeve".to_owned(),
    }
}

fn classify(
    gateway: &Gateway,
    session: &LiveSession,
    server: &str,
    transport: McpTransport,
    method: &str,
    params: &str,
) -> Result<(Operation, Value), String> {
    let told = mcp_ask::classify(server, transport, method, params.as_bytes()).map_err(|error| error.to_string())?;
    let operation = Operation {
        id: OperationId::new(),
        at: gateway.engine().now(),
        principal: session.principal(),
        subject: told.subject,
        content: told.content,
        summary: told.summary,
        conversation: None,
        credential: None,
        parent: None,
    };
    Ok((operation, told.view))
}

/// A form or page is declined, as a person would; sampling is turned down by an error.
fn turned_down(method: &str, denial: &Denial) -> Answer {
    if method == "elicitation/create" {
        return Answer::Result(json!({ "action": "decline" }));
    }
    Answer::Error(json!({ "code": TURNED_DOWN, "message": format!("turned down by Reeve: {}", denial.message) }))
}
