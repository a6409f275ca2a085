//! One tool call from the agent's bytes to the server's answer: every stage in its order, each in a room of its own. All
//! transports call this and nothing else.

use std::sync::Arc;
use std::time::Duration;

use reeve_domain::id::{CredentialId, OperationId};
use reeve_domain::obligation::Obligation;
use reeve_domain::operation::{Digest, McpTransport, Operation, Purpose};
use reeve_domain::outcome::{Ending, ToolResult};
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_engine::idempotency::{self, Held};
use reeve_engine::origin::Origin;
use reeve_engine::patience::Patience;
use reeve_engine::{Admission, LiveSession, Ruling};
use reeve_protocol::mcp::{self, ToolCall};
use reeve_protocol::{Classified, denial};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::acting::{Acting, STOPPED};
use crate::asks;
use crate::expired::{self, Linked};
use crate::gateway::Gateway;
use crate::isolation::{LONGEST, unavailable};
use crate::link::ServerRef;
use crate::message::{self, Answer};
use crate::once::{self, Plan, Turn};
use crate::preview::Counted;
use crate::progress::Progress;
use crate::redaction::{self, Answered};
use crate::result::Examined;
use crate::retry::Attempt;
use crate::tasks;
use crate::upstream::{Failure, Upstream};

/// Names in `_meta` by which clients and tracers tell one message from another.
const OF_ONE_MESSAGE: [&str; 15] = [
    "progressToken",
    "claudecode/toolUseId",
    "callId",
    "itemId",
    "threadId",
    "sessionId",
    "windowId",
    "turnId",
    "requestId",
    "x-codex-turn-metadata",
    "x-codex-turn-id",
    "traceparent",
    "tracestate",
    "baggage",
    "reeve/idempotency-key",
];
/// Longest error text of a tool that is recorded, in characters.
const SAID: usize = 500;
/// How long a call may take that Reeve makes by itself.
pub(crate) const LONGEST_ASIDE: Duration = Duration::from_secs(60);

/// A `tools/call` as it came.
#[derive(Debug)]
pub struct Call {
    pub session: Arc<LiveSession>,
    pub server: Arc<ServerRef>,
    pub tool: String,
    pub arguments: Map<String, Value>,
    /// Everything else in its `params`, `_meta` included, and nothing that is Reeve's own.
    pub rest: Map<String, Value>,
    /// The client was sent to the question of the same call before.
    pub linked: Linked,
    pub progress: Option<Arc<Progress>>,
    /// The credential whose placeholder the request carries that brought it, over HTTP.
    pub credential: Option<CredentialId>,
    /// Over whose connection it came, over HTTP.
    pub origin: Origin,
    /// The agent does not wait for it any more.
    pub cancelled: CancellationToken,
    /// Who is asked something for its sake: that time is not its own.
    pub patience: Arc<Patience>,
    /// It has its places among the calls that may run at the same time.
    pub placed: bool,
}

impl Call {
    /// Reads the `params` of a `tools/call`.
    ///
    /// # Errors
    /// A JSON-RPC error for the agent, where they are not those of a tool call.
    pub fn read(
        session: Arc<LiveSession>,
        server: Arc<ServerRef>,
        params: Value,
        progress: Option<Arc<Progress>>,
        cancelled: CancellationToken,
    ) -> Result<Self, Answer> {
        let invalid = |why: &str| message::failure(-32602, format!("this is no tool call: {why}"));
        let Value::Object(mut rest) = params else { return Err(invalid("`params` is not an object")) };
        let Some(Value::String(tool)) = rest.shift_remove("name") else {
            return Err(invalid("`name` is not a text"));
        };
        let arguments = match rest.shift_remove("arguments") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Err(invalid("`arguments` is not an object")),
        };
        // Some servers take a key in any case, and would find another tool than the one that is judged.
        if rest.keys().any(|key| matches!(message::fold(key).as_str(), "name" | "arguments")) {
            return Err(invalid("`name` or `arguments` is written in two ways"));
        }
        let linked = expired::taken_out(&mut rest);
        let (credential, origin, patience) = (None, Origin::default(), Arc::default());
        let placed = false;
        Ok(Self {
            session,
            server,
            tool,
            arguments,
            rest,
            linked,
            progress,
            credential,
            origin,
            cancelled,
            patience,
            placed,
        })
    }

    #[must_use]
    pub fn meta(&self) -> Option<&Value> {
        self.rest.get("_meta")
    }

    /// The ids by which the agent's model asked for this call, as clients pass them on: Claude Code's, then Codex'.
    fn asked_by(&self) -> Vec<&str> {
        let id = |key: &str| self.meta().and_then(|meta| meta.get(key)).and_then(Value::as_str);
        ["claudecode/toolUseId", "callId"].into_iter().filter_map(id).collect()
    }

    /// What goes to the server besides name and arguments, in one spelling; without what differs between a call and its repeat.
    fn besides(&self) -> Option<String> {
        let mut besides = self.rest.clone();
        let meta = besides.get_mut("_meta").and_then(Value::as_object_mut);
        let is_empty = meta.is_some_and(|meta| {
            meta.retain(|name, _| !OF_ONE_MESSAGE.contains(&name.as_str()));
            meta.is_empty()
        });
        if is_empty {
            besides.shift_remove("_meta");
        }
        (!besides.is_empty()).then(|| idempotency::canonical(&Value::Object(besides)))
    }

    /// Names the call to the server by what makes a repeat the same, for servers that look at that themselves.
    fn name_once(&mut self, held: &Held) {
        let meta = self.rest.entry("_meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("reeve/idempotency-key".to_owned(), Value::from(held.key().as_str()));
        }
    }

    /// What is sent: the very arguments that were judged.
    fn params(&self) -> Value {
        let mut params = Map::new();
        params.insert("name".to_owned(), Value::String(self.tool.clone()));
        params.insert("arguments".to_owned(), Value::Object(self.arguments.clone()));
        params.extend(self.rest.clone());
        Value::Object(params)
    }
}

/// What the agent is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Answer(Answer),
    /// The agent cancelled the call: MCP wants no answer then.
    Nothing,
}

impl Reply {
    fn result(result: Value) -> Self {
        Self::Answer(Answer::Result(result))
    }

    /// A denial in Reeve's words, as a result that is an error.
    pub(crate) fn denied(denial: &Denial) -> Self {
        Self::result(denial::tool_result(denial))
    }
}

impl Gateway {
    /// Takes a call through every stage. The upstream sees it only with an admission in hand.
    pub async fn call(&self, call: Call, upstream: &dyn Upstream) -> Reply {
        // Schema: the arguments against the pinned input schema.
        let (mut operation, mut view) = match self.classify(&call).await {
            Ok(classified) => classified,
            Err(why) => return self.unreadable(&call, why).await,
        };
        // Standing: what the person reviewed of this tool. Isolation: whether the server bears another call now. Repeats:
        // what is known of the very same call.
        let (plan, refused) = match self.known(&call, &operation, upstream).await {
            Ok(plan) => (plan, None),
            Err(denial) => (None, Some(denial)),
        };
        if let (Some(plan), Some(view)) = (&plan, view.as_object_mut()) {
            view.insert("idempotency".to_owned(), plan.shown.clone());
        }
        // Preview: a look at what the call would do. What is only answered again does nothing.
        let repeats = plan.as_ref().and_then(|plan| plan.repeats.clone());
        let counted = match (&refused, repeats) {
            (None, None) => self.preview(&call, &mut operation, &mut view, upstream).await,
            (None, Some(of)) => {
                mcp::repeated(&mut operation.subject, of);
                None
            }
            (Some(_), _) => None,
        };
        let admission = match self.admit(&call, (operation, view), plan.as_ref(), refused).await {
            Ok(admission) => admission,
            Err(reply) => return reply,
        };
        let (operation, obligations) = (admission.operation().clone(), admission.obligations().to_vec());
        let mut acting = Acting::new(admission);
        // Slot: one execution for one key.
        let why = format!("{} waits for the same call before it", operation.summary);
        let turn = self.take_turn(&call, &operation, plan.as_ref(), &acting);
        let turn = Progress::during(call.progress.as_deref(), &why, turn).await;
        let held = match turn {
            Turn::Make(held) => held,
            Turn::Repeat { of, result } => {
                let result = self.shown_again(&call, &operation, &obligations, result);
                return self.repeat(&operation, acting, of, result);
            }
            Turn::Refuse(denial) => {
                acting.settle(Ending::NotSent { why: denial.message.clone() });
                return Reply::denied(&denial);
            }
            Turn::Cancelled => {
                acting.settle(Ending::NotSent { why: "the agent cancelled it".to_owned() });
                return Reply::Nothing;
            }
        };
        self.make(call, acting, held, counted, upstream).await
    }

    /// Makes an admitted call that has its slot, and looks at what comes of it.
    async fn make(
        &self,
        mut call: Call,
        mut acting: Acting,
        held: Option<Box<Held>>,
        counted: Option<Counted>,
        upstream: &dyn Upstream,
    ) -> Reply {
        let Some(admission) = acting.admission() else { return Reply::Nothing };
        let (operation, obligations) = (admission.operation().clone(), admission.obligations().to_vec());
        let places = self.turn((&call.server.name, &call.tool), None).await;
        if let Err(why) = places {
            acting.settle(Ending::NotSent { why: why.to_owned() });
            let message = format!("{} was not sent: {why}", operation.summary);
            return Reply::denied(&unavailable(
                &operation,
                message,
                "call it less often at the same time",
                "tool-busy",
            ));
        }
        call.placed = true;
        // After every wait: what was counted still holds, what the tool must not be given is taken out, and the tool is not left
        // alone meanwhile.
        let ready = self.ready(&mut call, &operation, &obligations, counted.as_ref(), upstream).await;
        if let Err(denial) =
            ready.and_then(|()| self.enters((&call.server.name, &call.tool), &operation.id, &operation))
        {
            acting.settle(Ending::NotSent { why: denial.message.clone() });
            return Reply::denied(&denial);
        }
        if let Some(held) = &held {
            call.name_once(held);
            held.sent();
        }
        let attempt = Attempt { operation: &operation, held: held.as_deref(), counted: counted.as_ref() };
        let answered = self.carry_out(&call, &mut acting, attempt, upstream).await;
        let answered = match answered {
            Ok(result) if asks::is_interim(&result) => {
                return self.interim(&call, &operation, acting, held, result).await;
            }
            Ok(result) if tasks::is_unnamed(&call, &result) => {
                Err(Failed::Upstream(Failure::Garbage { why: tasks::UNNAMED.to_owned() }))
            }
            other => other,
        };
        if let Ok(result) = &answered
            && let Some(task) = tasks::begun(&call, result)
        {
            let result = result.clone();
            return self.begins(call, task, (acting, held), result).await;
        }
        // Result: its schema, its shape, its redaction.
        let (answered, instead) = match answered {
            Ok(result) => {
                self.looked_like(&call, &result);
                let examined = self.examine(&call, &operation, &obligations, result).await;
                let Examined { kept, came, data, instead } = examined;
                (acting.outcome.result, acting.outcome.result_data) = (Some(came), data);
                (Ok(kept), instead)
            }
            Err(failed) => (Err(failed), None),
        };
        self.learn(&operation, &acting, held, &answered).await;
        drop(places);
        let reply = conclude(&call, acting, answered.map(|kept| instead.unwrap_or(kept)));
        self.warned(&operation, reply)
    }

    /// Whether the call may go on as far as the person's review, its server and its repeats say.
    async fn known(&self, call: &Call, operation: &Operation, upstream: &dyn Upstream) -> Result<Option<Plan>, Denial> {
        if let Some(denial) = self.standing(&call.server, operation).await {
            return Err(denial);
        }
        let verdict = self.engine().gate().verdict(operation, &call.session, operation.at);
        let plan = self.look_for_repeat(call, operation, verdict.obligations(), upstream).await?;
        // A kept answer asks nothing of the server.
        let answered = plan.as_ref().is_some_and(|plan| plan.repeats.is_some());
        match self.bears((&call.server.name, &call.tool), operation).filter(|_| !answered) {
            Some(denial) => Err(denial),
            None => Ok(plan),
        }
    }

    /// The server needs something of the agent's side before it can go on: the agent makes the call again with it. Nothing is done
    /// yet, and each thing it asks for goes before the gate.
    async fn interim(
        &self,
        call: &Call,
        operation: &Operation,
        mut acting: Acting,
        held: Option<Box<Held>>,
        result: Value,
    ) -> Reply {
        if let Some(held) = held
            && let Err(error) = held.not_made().await
        {
            tracing::error!(%error, "that a call is not over is not kept; a repeat finds its end unknown");
        }
        self.bore(operation, Ok(&result)).await;
        let obligations = acting.admission().map(|admission| admission.obligations().to_vec()).unwrap_or_default();
        let result = match redaction::held_to(&obligations) {
            Some(rules) => redaction::of_result(result, &rules, &self.marks(call)),
            None => Answered::Passed(result),
        };
        let revoked = acting.admission().map(|admission| admission.revoked().clone()).unwrap_or_default();
        let why = format!("{} waits for a person to approve what it asks for", operation.summary);
        let judged = async {
            let result = match result {
                Answered::Passed(result) => result,
                Answered::Blocked(why) => return Err(why),
            };
            let judged = self.inputs(&call.session, &call.server, &result, Some(operation.id.clone()));
            judged.await.map(|()| result)
        };
        let judged = tokio::select! {
            biased;
            () = revoked.cancelled() => return conclude(call, acting, Err(Failed::Revoked)),
            judged = Progress::during(call.progress.as_deref(), &why, judged) => judged,
            () = call.cancelled.cancelled() => return conclude(call, acting, Err(Failed::Upstream(Failure::Cancelled))),
        };
        let result = match judged {
            Ok(result) => result,
            Err(why) => {
                let message = format!("{} asks for what it does not get: {why}", operation.summary);
                let advice = "go on without it, or ask the human";
                let record = Some(operation.id.clone());
                denial::tool_result(&worded(DenialKind::Policy, message, advice, "tool-asks", record))
            }
        };
        acting.outcome.result = Some(said(&result));
        conclude(call, acting, Ok(result))
    }

    /// What the end of a call says of its server, and of every repeat of it. Known before the answer goes out.
    pub(crate) async fn learn(
        &self,
        operation: &Operation,
        acting: &Acting,
        held: Option<Box<Held>>,
        answered: &Result<Value, Failed>,
    ) {
        let sent = acting.admission().is_some_and(Admission::was_sent);
        let answered = answered.as_ref().map_err(|failed| match failed {
            Failed::Revoked => None,
            Failed::Upstream(failure) => Some(failure),
        });
        once::complete(held, sent, answered).await;
        match answered {
            Ok(result) => self.bore(operation, Ok(result)).await,
            Err(Some(failure)) => self.bore(operation, Err(failure)).await,
            Err(None) => {}
        }
    }

    /// Learns what results of the tool look like; nobody waits for it.
    pub(crate) fn looked_like(&self, call: &Call, result: &Value) {
        if result.get("isError").and_then(Value::as_bool) == Some(true) {
            return;
        }
        let (servers, result) = (Arc::clone(self.engine().servers()), result.clone());
        let (server, tool) = (call.server.name.clone(), call.tool.clone());
        tokio::spawn(async move {
            if let Err(error) = servers.note_result(&server, &tool, &result).await {
                tracing::error!(%error, server, tool, "what a result looks like could not be kept");
            }
        });
    }

    /// The answer of the same call before, given again.
    fn repeat(&self, operation: &Operation, mut acting: Acting, of: OperationId, result: Value) -> Reply {
        let text = result.to_string();
        acting.outcome.response_bytes = text.len() as u64;
        acting.outcome.answer = Some(Digest::of(text.as_bytes()));
        acting.outcome.result = Some(said(&result));
        acting.outcome.repeats = Some(of);
        acting.settle(Ending::Complete);
        self.warned(operation, Reply::result(result))
    }

    /// With a word to the agent, where its steps lead nowhere.
    pub(crate) fn warned(&self, operation: &Operation, reply: Reply) -> Reply {
        let Reply::Answer(Answer::Result(mut result)) = reply else { return reply };
        let circle = self.engine().gate().circle(operation, self.engine().now());
        if let (Some(circle), Some(content)) = (circle, result.get_mut("content").and_then(Value::as_array_mut)) {
            let text = format!(
                "Note by Reeve, which governs this call: {}. It leads nowhere; try another way, or ask the human. If it goes on, \
                 the next calls wait for a human.",
                circle.words()
            );
            content.push(json!({ "type": "text", "text": text, "annotations": { "audience": ["assistant"] } }));
        }
        Reply::result(result)
    }

    /// The facts of a call of one of the server's tools: of the agent's own, or of one that Reeve makes by itself.
    pub(crate) async fn facts_of(
        &self,
        call: &Call,
        tool: &str,
        arguments: &Map<String, Value>,
        purpose: Purpose,
    ) -> Result<Classified, String> {
        if let Some(mark) = redaction::mark_among(arguments) {
            return Err(format!("`{mark}` stands for a value that was taken out, and is never written in its place"));
        }
        let schema = self.fits(call, tool, arguments).await;
        let pinned = self.tool_of(&call.server, tool);
        let (rules, marks) = (self.data_rules(call, tool), self.marks(call));
        let arguments = serde_json::to_vec(arguments).map_err(|error| error.to_string())?;
        let classified = mcp::classify(&ToolCall {
            server: &call.server.name,
            transport: call.server.transport,
            tool,
            annotations: pinned.as_ref().map(|pinned| pinned.annotations).unwrap_or_default(),
            schema,
            definition: pinned.as_ref().map(|pinned| &pinned.digest),
            endpoint: call.server.endpoint.as_ref(),
            purpose,
            data: rules.as_ref().map(|rules| (rules, &marks)),
            arguments: &arguments,
        });
        classified.map_err(|error| error.to_string())
    }

    /// The facts that rules judge, and what a person is shown.
    async fn classify(&self, call: &Call) -> Result<(Operation, Value), String> {
        let classified = self.facts_of(call, &call.tool, &call.arguments, Purpose::Call).await?;
        let mut operation = Operation {
            id: OperationId::new(),
            at: self.engine().now(),
            principal: call.session.principal(),
            subject: classified.subject,
            content: classified.content,
            summary: classified.summary,
            conversation: None,
            credential: call.credential.clone(),
            parent: None,
        };
        operation.parent = call.session.parent_of_call(&operation, &call.asked_by());
        call.session.asked_over(&operation.id, &call.origin);
        if call.linked == Linked::Opened {
            call.session.asks_anew(&operation.id);
        }
        let mut view = classified.view;
        // What goes along with the arguments is part of what is approved.
        if let Some(besides) = call.besides() {
            operation.content = Digest::of(format!("{} {besides}", operation.content.as_str()).as_bytes());
            if let (Some(view), Some(inputs)) = (view.as_object_mut(), call.rest.get("inputResponses")) {
                view.insert("inputResponses".to_owned(), once::kept(inputs));
            }
        }
        Ok((operation, view))
    }

    /// Before the gate. The caller hears that it goes on while a person thinks; when it goes, the question stays.
    async fn admit(
        &self,
        call: &Call,
        (operation, view): (Operation, Value),
        plan: Option<&Plan>,
        refused: Option<Denial>,
    ) -> Result<Box<Admission>, Reply> {
        let holds = plan.map(|plan| plan.holds.clone()).unwrap_or_default();
        let why = format!("{} waits for a person to approve it in Reeve", operation.summary);
        let ruled = self.engine().gate().admit_unless(operation, view, holds, refused);
        let ruling = tokio::select! {
            biased;
            ruling = Progress::during(call.progress.as_deref(), &why, ruled) => ruling,
            () = call.cancelled.cancelled() => return Err(Reply::Nothing),
        };
        match ruling {
            Ruling::Admitted(admission) => Ok(admission),
            Ruling::Denied(denial) => {
                let linked = self.linked(call, &denial).await;
                Err(linked.map_or_else(|| Reply::denied(&denial), Reply::result))
            }
        }
    }

    /// Sends it once. `time`: how long it may run.
    pub(crate) async fn forward(
        &self,
        call: &Call,
        acting: &mut Acting,
        time: Duration,
        upstream: &dyn Upstream,
    ) -> Result<Value, Failed> {
        let params = call.params();
        acting.outcome.request_bytes = params.to_string().len() as u64;
        let Some(admission) = acting.admission() else { return Err(Failed::Revoked) };
        let why = format!("{} runs", admission.operation().summary);
        let asked = upstream.request(admission, "tools/call", params, &call.cancelled);
        tokio::select! {
            // What was revoked before is not sent at all, and an answer that comes at the same moment is not passed on.
            biased;
            () = admission.revoked().cancelled() => Err(Failed::Revoked),
            answered = Progress::during(call.progress.as_deref(), &why, asked) => answered.map_err(Failed::Upstream),
            () = call.patience.spent(time) => Err(Failed::Upstream(Failure::Timeout)),
        }
    }

    /// A call that could be read in two ways never becomes an operation.
    async fn unreadable(&self, call: &Call, why: String) -> Reply {
        let summary = format!("{}.{}", call.server.name, call.tool);
        self.record_refused(
            &call.session,
            "a tool call that cannot be read without doubt",
            format!("{summary}: {why}"),
        )
        .await;
        let message = format!("the arguments of {summary} cannot be judged: {why}");
        Reply::denied(&worded(DenialKind::Malformed, message, "send it with plain arguments", "malformed", None))
    }
}

/// Why an admitted call has no result.
pub(crate) enum Failed {
    Revoked,
    Upstream(Failure),
}

/// Settles what came of it, and words it for the agent.
pub(crate) fn conclude(call: &Call, mut acting: Acting, answered: Result<Value, Failed>) -> Reply {
    let record = acting.admission().map(|admission| admission.operation().id.clone());
    let summary = format!("{}.{}", call.server.name, call.tool);
    let failed = |kind, message: String, advice: &str, rule: &str| {
        Reply::denied(&worded(kind, message, advice, rule, record.clone()))
    };
    acting.outcome.status = match &answered {
        Ok(_) => (call.server.transport == McpTransport::Http).then_some(200),
        Err(Failed::Upstream(Failure::Status(status))) => Some(*status),
        Err(_) => None,
    };
    match answered {
        Ok(result) => {
            let text = result.to_string();
            acting.outcome.response_bytes = text.len() as u64;
            acting.outcome.answer = Some(Digest::of(text.as_bytes()));
            acting.settle(Ending::Complete);
            Reply::result(result)
        }
        Err(Failed::Upstream(Failure::Rpc(error))) => {
            acting.outcome.response_bytes = error.to_string().len() as u64;
            let message = error.get("message").and_then(Value::as_str).unwrap_or("an error without words");
            acting.outcome.result = Some(ToolResult::ToolError { message: short(message) });
            acting.settle(Ending::Complete);
            Reply::Answer(Answer::Error(error))
        }
        Err(Failed::Upstream(Failure::Cancelled)) => {
            acting.cut(|_| Ending::CutByClient, "the agent cancelled it");
            Reply::Nothing
        }
        Err(Failed::Revoked) => {
            acting.cut(|why| Ending::CutByReeve { why }, STOPPED);
            let message = format!("{summary} was cut: {STOPPED}");
            failed(DenialKind::Stopped, message, "start again under the rules as they are now", "revoked")
        }
        Err(Failed::Upstream(Failure::Timeout)) => {
            let why = Failure::Timeout.to_string();
            acting.timed_out();
            acting.cut(|why| Ending::CutByReeve { why }, &why);
            let message = format!("{summary} was cut: {why}; whether it took effect is not known");
            failed(DenialKind::Stopped, message, "look whether it took effect before you try again", "timeout")
        }
        Err(Failed::Upstream(failure)) => {
            let why = match &failure {
                Failure::Gone { why } | Failure::Down { why } | Failure::Garbage { why } => why.clone(),
                other => other.to_string(),
            };
            let sent = acting.admission().is_some_and(Admission::was_sent);
            if !sent {
                acting.outcome.result = Some(ToolResult::ToolError { message: short(&why) });
            }
            acting.cut(|why| Ending::CutByUpstream { why }, &why);
            let open = if sent { "; whether it took effect is not known" } else { "" };
            let message = format!("{summary} got no answer: {why}{open}");
            let advice = match &failure {
                Failure::Down { .. } => "go on with something else, and try it again in a while",
                _ => "tell the human that this server fails",
            };
            failed(DenialKind::Fault, message, advice, "server-failed")
        }
    }
}

/// What the tool says of its own result.
pub(crate) fn said(result: &Value) -> ToolResult {
    error_of(result).map_or(ToolResult::Ok, |words| ToolResult::ToolError { message: short(&words) })
}

/// The tool's own words where it says that it failed.
pub(crate) fn error_of(result: &Value) -> Option<String> {
    result.get("isError").and_then(Value::as_bool).filter(|failed| *failed)?;
    let texts = result.get("content").and_then(Value::as_array).into_iter().flatten();
    Some(texts.filter_map(|block| block.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join(" "))
}

/// Foreign words as they are recorded: without what looks like a secret, and not too many.
fn short(words: &str) -> String {
    reeve_protocol::redact::words(words).chars().take(SAID).collect()
}

fn worded(kind: DenialKind, message: String, advice: &str, rule: &str, record: Option<OperationId>) -> Denial {
    Denial { kind, message, advice: advice.to_owned(), reasons: vec![own(rule)], record }
}

/// How long the call may run: the shortest of what is said.
pub(crate) fn limit(obligations: &[Obligation]) -> Duration {
    let said = obligations.iter().filter_map(|obligation| match obligation {
        Obligation::Timeout { seconds } => Some(Duration::from_secs(*seconds)),
        _ => None,
    });
    said.min().unwrap_or(LONGEST)
}

/// A server that is gone, said to whoever still waits for it.
pub(crate) fn gone(server: &str, why: &str) -> Answer {
    Answer::Error(json!({ "code": -32000, "message": format!("the server `{server}` is gone: {why}") }))
}
