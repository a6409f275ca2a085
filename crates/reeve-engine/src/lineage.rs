//! What an operation belongs under in its session's tree, as far as the wire says it: a model asks its agent for tool calls;
//! what the agent does until it brings the results back is done for them, and the call that brings them goes on from there.
//! Where several answers wait for results at once and nothing tells them apart, nothing is said.

use parking_lot::Mutex;
use reeve_domain::host::Host;
use reeve_domain::id::OperationId;
use reeve_domain::operation::Operation;
use reeve_domain::outcome::Outcome;

/// Answers that may wait for results in one session; the oldest is forgotten first.
const MOST: usize = 32;

/// Answers of one session that asked for tool calls whose results did not come yet.
#[derive(Debug, Default)]
pub(crate) struct Lineage(Mutex<Vec<Asked>>);

#[derive(Debug)]
struct Asked {
    operation: OperationId,
    conversation: Option<String>,
    host: Host,
    /// Ids of the calls; names where they have none.
    calls: Vec<String>,
    /// What the answer said beside them.
    said: Option<String>,
    /// The call that brings the results: when it is answered, nothing waits any more.
    brought_by: Option<OperationId>,
    /// Its conversation went on without the results. They may still come, but what happens now is not told by them.
    passed_over: bool,
}

impl Lineage {
    /// The operation that this one belongs under. `answers`: the tool calls whose results it brings.
    pub fn parent(&self, operation: &Operation, answers: &[String]) -> Option<OperationId> {
        let mut waiting = self.0.lock();
        let Some(call) = operation.llm() else {
            let one = only(&waiting)?;
            // A client's own reports and log-ins go to where its model is.
            let own = operation.endpoint().is_some_and(|endpoint| same_owner(&endpoint.host, &one.host));
            return (!own).then(|| one.operation.clone());
        };
        if !answers.is_empty() {
            let mut newest = waiting.iter_mut().rev();
            let asked = newest.find(|asked| asked.calls.iter().any(|call| answers.contains(call)))?;
            asked.brought_by = Some(operation.id.clone());
            return Some(asked.operation.clone());
        }
        if !call.tools_offered.is_empty() {
            for asked in waiting.iter_mut().filter(|asked| asked.conversation == operation.conversation) {
                asked.passed_over = true;
            }
        }
        only(&waiting).map(|asked| asked.operation.clone())
    }

    /// The answer that asked for the tool call of one of these ids, as the agent passes them on.
    pub fn asked_for(&self, calls: &[&str]) -> Option<OperationId> {
        let waiting = self.0.lock();
        let mut newest = waiting.iter().rev();
        newest
            .find(|asked| asked.calls.iter().any(|call| calls.contains(&call.as_str())))
            .map(|one| one.operation.clone())
    }

    /// What an answer that still waits for results said beside its calls.
    pub fn said(&self, answer: &OperationId) -> Option<String> {
        self.0.lock().iter().find(|asked| asked.operation == *answer)?.said.clone()
    }

    /// What a model answered: what it asks for is waited for from now on.
    pub fn settled(&self, operation: &Operation, outcome: &Outcome) {
        let Some(call) = operation.llm().filter(|_| outcome.succeeded()) else { return };
        let mut waiting = self.0.lock();
        waiting.retain(|asked| asked.brought_by.as_ref() != Some(&operation.id));
        if outcome.tool_calls.is_empty() {
            return;
        }
        if waiting.len() >= MOST {
            waiting.remove(0);
        }
        let calls = outcome.tool_calls.iter().map(|one| if one.id.is_empty() { &one.name } else { &one.id });
        waiting.push(Asked {
            operation: operation.id.clone(),
            conversation: operation.conversation.clone(),
            host: call.endpoint.host.clone(),
            calls: calls.cloned().collect(),
            said: outcome.said.clone(),
            brought_by: None,
            passed_over: false,
        });
    }
}

fn only(waiting: &[Asked]) -> Option<&Asked> {
    let mut open = waiting.iter().filter(|asked| !asked.passed_over);
    open.next().filter(|_| open.next().is_none())
}

/// Whether the last two labels of both names are the same.
fn same_owner(one: &Host, other: &Host) -> bool {
    let owner = |host: &Host| -> Option<Vec<String>> {
        let mut labels: Vec<String> = host.name()?.rsplit('.').take(2).map(str::to_owned).collect();
        labels.reverse();
        Some(labels)
    };
    owner(one).is_some_and(|owned| Some(owned) == owner(other))
}
