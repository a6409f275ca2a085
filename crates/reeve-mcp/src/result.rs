//! What a tool answered, before the agent gets it: held against the tool's output schema, and freed of what must not leave it.

use reeve_domain::obligation::{DataAction, Obligation, SchemaMode};
use reeve_domain::operation::{DataKind, Operation, SchemaCheck, SchemaProblem};
use reeve_domain::outcome::ToolResult;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_protocol::denial;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::gateway::Gateway;
use crate::redaction::{self, Answered};

/// Most problems that one answer names.
const NAMED: usize = 3;

/// A result after it was looked at.
pub(crate) struct Examined {
    /// As it may be kept for repeats.
    pub kept: Value,
    /// What the record says of it.
    pub came: ToolResult,
    /// Kinds of personal data in it, where its rules want to know.
    pub data: Vec<DataKind>,
    /// What the agent gets instead.
    pub instead: Option<Value>,
}

impl Gateway {
    /// Holds arguments against what the tool's definition says of them, as far as its rules want that.
    pub(crate) async fn fits(&self, call: &Call, tool: &str, arguments: &Map<String, Value>) -> SchemaCheck {
        let known = self.tool_of(&call.server, tool);
        let Some(schema) = known.as_ref().and_then(|known| known.definition.get("inputSchema")) else {
            return SchemaCheck::Unchecked;
        };
        let said = call.session.tool_rules(self.engine().policies(), &call.server.name, tool).into_iter();
        let mode = said.filter_map(|rules| rules.schema).map(|mode| mode.value).max();
        match mode.unwrap_or(SchemaMode::Observe) {
            SchemaMode::Off => SchemaCheck::Unchecked,
            SchemaMode::Observe | SchemaMode::Enforce => {
                self.schemas().check(schema, Value::Object(arguments.clone())).await
            }
        }
    }

    /// Looks at what a tool answered.
    pub(crate) async fn examine(
        &self,
        call: &Call,
        operation: &Operation,
        obligations: &[Obligation],
        result: Value,
    ) -> Examined {
        let problems = self.unfit(call, obligations, &result).await;
        let (rules, marks) = (redaction::held_to(obligations), self.marks(call));
        let rules = rules.as_ref();
        let data = redaction::kinds(&result, rules, &marks);
        let came = redaction::came(&result, rules, &marks);
        let failed = matches!(came, ToolResult::ToolError { .. });
        let answered = match rules {
            Some(rules) => redaction::of_result(result, rules, &marks),
            None => Answered::Passed(result),
        };
        let enforced = mode(obligations) == SchemaMode::Enforce;
        match answered {
            Answered::Passed(result) => {
                let instead = (enforced && !problems.is_empty()).then(|| unfit(operation, &problems));
                let came = if problems.is_empty() { came } else { ToolResult::SchemaFailure { problems } };
                // What personal data the rules keep out of records is not kept for repeats either.
                let keeps_out = rules.is_some_and(|rules| rules.result >= DataAction::Redact && !rules.for_call);
                let kept = if keeps_out { withheld(failed) } else { result.clone() };
                Examined { kept, came, data, instead: instead.or(Some(result)) }
            }
            Answered::Blocked(why) => {
                let made = if failed { "failed" } else { "was carried out" };
                let message = format!("{} {made}, and its result is held back: {why}", operation.summary);
                let instead = held_back(operation, message, "go on without it, or ask the human", "tool-blocked-data");
                Examined { kept: withheld(failed), came, data, instead: Some(instead) }
            }
        }
    }

    /// A kept result as the rules of now let it out: they may be stricter than those it was kept under.
    pub(crate) fn shown_again(
        &self,
        call: &Call,
        operation: &Operation,
        obligations: &[Obligation],
        kept: Value,
    ) -> Value {
        let Some(rules) = redaction::held_to(obligations) else { return kept };
        match redaction::of_result(kept, &rules, &self.marks(call)) {
            Answered::Passed(result) => result,
            Answered::Blocked(why) => {
                let message =
                    format!("{} was carried out before, and its result is held back: {why}", operation.summary);
                held_back(operation, message, "go on without it, or ask the human", "tool-blocked-data")
            }
        }
    }

    async fn unfit(&self, call: &Call, obligations: &[Obligation], result: &Value) -> Vec<SchemaProblem> {
        let known = self.tool_of(&call.server, &call.tool);
        let schema = known.as_ref().and_then(|known| known.definition.get("outputSchema"));
        let failed = result.get("isError").and_then(Value::as_bool) == Some(true);
        let Some(schema) = schema.filter(|_| !failed && mode(obligations) != SchemaMode::Off) else {
            return Vec::new();
        };
        let Some(content) = result.get("structuredContent") else {
            let path = "structuredContent".to_owned();
            return vec![SchemaProblem { path, expected: "given".to_owned(), found: "missing".to_owned() }];
        };
        match self.schemas().check(schema, content.clone()).await {
            SchemaCheck::Fails { problems } => problems,
            SchemaCheck::Fits | SchemaCheck::Unchecked => Vec::new(),
        }
    }
}

/// Where no rule says otherwise, what does not fit is recorded and passes.
fn mode(obligations: &[Obligation]) -> SchemaMode {
    let said = obligations.iter().filter_map(|obligation| match obligation {
        Obligation::CheckSchema { mode } => Some(*mode),
        _ => None,
    });
    said.max().unwrap_or(SchemaMode::Observe)
}

fn unfit(operation: &Operation, problems: &[SchemaProblem]) -> Value {
    let told = problems.iter().take(NAMED).map(|problem| match problem.path.as_str() {
        "" => format!("it must be {}, and is {}", problem.expected, problem.found),
        path => format!("`{path}` must be {}, and is {}", problem.expected, problem.found),
    });
    let told = told.collect::<Vec<_>>().join("; ");
    let message =
        format!("{} was carried out, and its result does not fit the tool's own schema: {told}", operation.summary);
    held_back(operation, message, "do not make the call again; tell the human that this tool fails", "tool-schema")
}

fn held_back(operation: &Operation, message: String, advice: &str, rule: &str) -> Value {
    let (advice, record) = (advice.to_owned(), Some(operation.id.clone()));
    denial::tool_result(&Denial { kind: DenialKind::Policy, message, advice, reasons: vec![own(rule)], record })
}

/// What a repeat gets of a result that is not kept. A call that failed stays one that failed: it may be made again.
fn withheld(failed: bool) -> Value {
    let text = "This call was made before; its result is not kept.";
    json!({ "content": [{ "type": "text", "text": text }], "isError": failed })
}
