//! Calls that Reeve makes by itself beside an agent's call, to find something out: operations of their own, under the call,
//! judged, paced, recorded and cut like any.

use reeve_domain::id::OperationId;
use reeve_domain::operation::{Operation, Purpose};
use reeve_domain::outcome::{Ending, ToolResult};
use reeve_engine::Ruling;
use serde_json::{Map, Value, json};

use crate::acting::Acting;
use crate::call::{Call, LONGEST_ASIDE, limit};
use crate::gateway::Gateway;
use crate::redaction;
use crate::upstream::{Failure, Upstream};

impl Gateway {
    /// Calls another tool of the same server, and gives the operation and its result. A person is never asked for it: what policy does not
    /// simply allow is not made.
    ///
    /// # Errors
    /// Why there is no result, for people.
    pub(crate) async fn beside(
        &self,
        call: &Call,
        under: &Operation,
        purpose: Purpose,
        (tool, arguments): (&str, Map<String, Value>),
        upstream: &dyn Upstream,
    ) -> Result<(OperationId, Value), String> {
        let (rules, marks) = (self.data_rules(call, tool), self.marks(call));
        redaction::unchanged(&arguments, rules.as_ref(), &marks)?;
        let facts = self.facts_of(call, tool, &arguments, purpose).await?;
        let operation = Operation {
            id: OperationId::new(),
            at: self.engine().now(),
            principal: under.principal.clone(),
            subject: facts.subject,
            content: facts.content,
            summary: facts.summary,
            conversation: None,
            credential: call.credential.clone(),
            parent: Some(under.id.clone()),
        };
        let id = operation.id.clone();
        if let Some(denial) = self.standing(&call.server, &operation).await {
            return Err(denial.message);
        }
        let verdict = self.engine().gate().verdict(&operation, &call.session, operation.at);
        if verdict.decision() == reeve_domain::verdict::Decision::Ask {
            return Err(format!("`{}` needs a person's approval itself", operation.summary));
        }
        let refused = self.bears((&call.server.name, tool), &operation);
        let own = operation.clone();
        let admission = match self.engine().gate().admit_unless(operation, facts.view, Vec::new(), refused).await {
            Ruling::Admitted(admission) => admission,
            Ruling::Denied(denial) => return Err(denial.message),
        };
        let mut acting = Acting::new(admission);
        let within = call.placed.then_some(call.tool.as_str());
        let turn = self.turn((&call.server.name, tool), within).await;
        let turn = turn.map_err(|why| format!("`{tool}` was not called: {why}"));
        let enters = || self.enters((&call.server.name, tool), &under.id, &own).map_err(|denial| denial.message);
        let places = match turn.and_then(|places| enters().map(|()| places)) {
            Ok(places) => places,
            Err(why) => {
                acting.settle(Ending::NotSent { why: why.clone() });
                return Err(why);
            }
        };
        let params = json!({ "name": tool, "arguments": arguments });
        acting.outcome.request_bytes = params.to_string().len() as u64;
        let Some(admission) = acting.admission() else { return Err("its admission is gone".to_owned()) };
        let longest = limit(admission.obligations()).min(LONGEST_ASIDE);
        let asked = upstream.request(admission, "tools/call", params, &call.cancelled);
        let answered = tokio::select! {
            biased;
            () = admission.revoked().cancelled() => Err(Failure::Cancelled),
            answered = asked => answered,
            () = tokio::time::sleep(longest) => Err(Failure::Timeout),
        };
        drop(places);
        self.bore(&own, answered.as_ref()).await;
        if let Ok(result) = &answered {
            acting.outcome.result_data = redaction::kinds(result, rules.as_ref(), &marks);
            acting.outcome.result = Some(redaction::came(result, rules.as_ref(), &marks));
        }
        Ok((id, ended(tool, acting, answered)?))
    }
}

/// Settles a call that was made: its result, or why there is none.
fn ended(tool: &str, mut acting: Acting, answered: Result<Value, Failure>) -> Result<Value, String> {
    match answered {
        Ok(result) => {
            acting.outcome.response_bytes = result.to_string().len() as u64;
            let failed = match &acting.outcome.result {
                Some(ToolResult::ToolError { message }) => Some(message.clone()),
                _ => None,
            };
            acting.settle(Ending::Complete);
            failed.map_or(Ok(result), |message| Err(format!("`{tool}` failed: {message}")))
        }
        Err(failure) => {
            if failure == Failure::Timeout {
                acting.timed_out();
            }
            let why = failure.to_string();
            acting.cut(|why| Ending::CutByUpstream { why }, &why);
            Err(format!("`{tool}` gave no result: {why}"))
        }
    }
}

/// What stands at a path of a tool's result: in its structured content, else in its text where that is JSON.
pub(crate) fn read(result: &Value, path: &str) -> Option<Value> {
    let structured = result.get("structuredContent").and_then(|content| reeve_engine::idempotency::at(content, path));
    if let Some(found) = structured {
        return Some(found.clone());
    }
    let blocks = result.get("content").and_then(Value::as_array)?;
    let mut texts = blocks.iter().filter_map(|block| block.get("text").and_then(Value::as_str));
    texts.find_map(|text| {
        let parsed: Value = serde_json::from_str(text).ok()?;
        if path.is_empty() { Some(parsed) } else { reeve_engine::idempotency::at(&parsed, path).cloned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_from_its_structure_and_else_from_text_that_is_json() {
        let structured =
            json!({ "structuredContent": { "sent": { "count": 2 } }, "content": [{ "text": "{\"sent\":9}" }] });
        assert_eq!(read(&structured, "sent.count"), Some(json!(2)));
        let text =
            json!({ "content": [{ "type": "text", "text": "done" }, { "type": "text", "text": "{\"sent\":true}" }] });
        assert_eq!(read(&text, "sent"), Some(json!(true)));
        assert_eq!(read(&text, "other"), None);
        assert_eq!(read(&json!({}), "sent"), None);
    }
}
