//! The sentences of the gate's own denials. How a sentence travels to a client is `protocol::denial`'s business.

use reeve_domain::health::Refusal;
use reeve_domain::id::RuleId;
use reeve_domain::operation::Operation;
use reeve_domain::server::Standing;
use reeve_domain::verdict::{Denial, DenialKind, Layer, Reason, Verdict};
use reeve_store::StoreError;

use crate::breakers::{Open, Place};
use crate::budgets::Shortfall;
use crate::error::EngineError;
use crate::servers::Held;

/// Name of the check that holds new and changed tools.
pub const REVIEW_RULE: &str = "reeve-tool-review";

fn denial(operation: &Operation, kind: DenialKind, message: String, advice: &str, reasons: Vec<Reason>) -> Denial {
    Denial { kind, message, advice: advice.to_owned(), reasons, record: Some(operation.id.clone()) }
}

fn rules(verdict: &Verdict) -> String {
    let names: Vec<String> = verdict
        .reasons()
        .iter()
        .map(|r| if r.text.is_empty() { format!("`{}`", r.rule) } else { format!("`{}` ({})", r.rule, r.text) })
        .collect();
    if names.is_empty() { "the preset's default".to_owned() } else { names.join(", ") }
}

/// A rule forbids it.
#[must_use]
pub fn by_policy(operation: &Operation, verdict: &Verdict) -> Denial {
    let message = format!("{} is denied by {}", operation.summary, rules(verdict));
    denial(
        operation,
        DenialKind::Policy,
        message,
        "do it another way, or ask the human to change the rule",
        verdict.reasons().to_vec(),
    )
}

/// *Observe*: what enforcing would have asked.
#[must_use]
pub(crate) fn would_ask(operation: &Operation, verdict: &Verdict) -> Denial {
    let message = format!("{} would be held by {}", operation.summary, rules(verdict));
    denial(operation, DenialKind::Expired, message, "", verdict.reasons().to_vec())
}

/// A human refused it.
#[must_use]
pub(crate) fn refused(operation: &Operation, verdict: &Verdict, reason: Option<String>) -> Denial {
    let said = reason.map(|r| format!(": {r}")).unwrap_or_default();
    let message = format!("a human refused {}{said}", operation.summary);
    denial(
        operation,
        DenialKind::Refused,
        message,
        "do something else, or ask the human first",
        verdict.reasons().to_vec(),
    )
}

/// Nobody answered.
#[must_use]
pub(crate) fn expired(operation: &Operation, verdict: &Verdict) -> Denial {
    let message = format!("nobody approved {} in time (held by {})", operation.summary, rules(verdict));
    denial(
        operation,
        DenialKind::Expired,
        message,
        "tell the human that it waits in Reeve's Inbox under Expired",
        verdict.reasons().to_vec(),
    )
}

/// Too many open questions.
#[must_use]
pub(crate) fn too_many(operation: &Operation) -> Denial {
    let message = format!("{} was not even asked about: too many questions of this agent are open", operation.summary);
    denial(
        operation,
        DenialKind::Policy,
        message,
        "stop: the agent is paused until the human resumes it",
        vec![own("too-many-questions")],
    )
}

/// No budget for it.
#[must_use]
pub(crate) fn by_budget(operation: &Operation, short: &Shortfall) -> Denial {
    let kind = match short {
        Shortfall::Unpriced { .. } => DenialKind::Unpriced,
        Shortfall::Exhausted { .. } => DenialKind::Budget,
    };
    let rule = match short {
        Shortfall::Unpriced { .. } => "unpriced-model".to_owned(),
        Shortfall::Exhausted { account, .. } => account.budget.to_string(),
    };
    denial(operation, kind, short.message(), &short.advice(), vec![own(&rule)])
}

/// A person has not looked at the tool as it is.
#[must_use]
pub(crate) fn to_review(operation: &Operation, server: &str, tool: &str, held: Held) -> Denial {
    let why = match held {
        Held::Unlisted => format!("the server `{server}` never offered a tool `{tool}`"),
        Held::Server(Standing::Changed) => format!("the server `{server}` is not what a human approved"),
        Held::Server(_) => format!("no human has looked at the server `{server}` yet"),
        Held::Tool(Standing::Gone) => format!("the server `{server}` offers `{tool}` no more"),
        Held::Tool(Standing::Changed) => format!("`{tool}` is not what a human approved"),
        Held::Tool(_) => format!("no human has looked at `{tool}` yet"),
    };
    let message = format!("{} is not used: {why}", operation.summary);
    let advice = "ask the human to look at it in Reeve under Agents, Tools and servers, or with `reeve mcp approve`";
    denial(operation, DenialKind::Policy, message, advice, vec![own(REVIEW_RULE)])
}

/// The session is over.
#[must_use]
pub(crate) fn session_over(operation: &Operation) -> Denial {
    let message = format!("{} came after its session ended", operation.summary);
    denial(operation, DenialKind::Stopped, message, "start a new session with `reeve run`", vec![own("session-ended")])
}

/// *Stop all* is in force.
#[must_use]
pub(crate) fn all_stopped(operation: &Operation) -> Denial {
    let message = format!("{} is denied: everything is stopped", operation.summary);
    denial(operation, DenialKind::Stopped, message, "the human must resume first", vec![own("stop-all")])
}

/// A person has paused the agent.
#[must_use]
pub(crate) fn agent_paused(operation: &Operation) -> Denial {
    let message = format!("{} is denied: agent `{}` is paused", operation.summary, operation.principal.agent);
    denial(operation, DenialKind::Stopped, message, "the human must resume the agent first", vec![own("agent-paused")])
}

/// The credential it needs cannot be injected.
#[must_use]
pub(crate) fn credential(operation: &Operation, why: &str) -> Denial {
    let message = format!("{} was refused: {why}", operation.summary);
    denial(
        operation,
        DenialKind::Fault,
        message,
        "ask the human to check the credential (`reeve cred list`, `reeve doctor`)",
        vec![own("credential-unavailable")],
    )
}

/// If it cannot be recorded, it does not happen.
#[must_use]
pub(crate) fn cannot_record(operation: &Operation, error: &EngineError) -> Denial {
    let why = match error {
        EngineError::Store(StoreError::Full) => ": the disk is full",
        EngineError::Store(StoreError::ReadOnly) => ": the record is read-only",
        _ => "",
    };
    // The agent hears our own words and a number; what the system said is in the log under the same number.
    let number = format!("{:08x}", rand::random::<u32>());
    tracing::error!(%error, number, operation = %operation.id, "an operation could not be recorded");
    let message = format!("{} was refused, because Reeve cannot record it{why} (error {number})", operation.summary);
    denial(operation, DenialKind::Fault, message, "ask the human to run `reeve doctor`", vec![own("cannot-record")])
}

/// A path that no operation takes.
#[must_use]
pub(crate) fn impossible() -> Denial {
    Denial {
        kind: DenialKind::Fault,
        message: "refused, because Reeve contradicted itself".to_owned(),
        advice: "ask the human to report this".to_owned(),
        reasons: vec![own("internal-fault")],
        record: None,
    }
}

/// Its host refused the credential again and again.
#[must_use]
pub(crate) fn credential_refused(operation: &Operation, place: &Place, open: &Open) -> Denial {
    let words = open.refusal.unwrap_or(Refusal::Unsaid).words();
    let (since, until) = (open.since.format("%H:%M:%S UTC"), open.until.format("%H:%M:%S UTC"));
    let message = format!(
        "{} was not sent: credential `{place}` {words}, {} times in a row since {since}; the human was told then, and the \
         next trial is at {until}",
        operation.summary, open.failures
    );
    let advice = "go on with something else; the human can replace or test the credential (`reeve cred test`)";
    denial(operation, DenialKind::Unavailable, message, advice, vec![own("credential-refused")])
}

/// A reason that is a check of Reeve's own, with what it found.
#[must_use]
pub fn own_because(rule: &str, text: &str) -> Reason {
    Reason { text: text.to_owned(), ..own(rule) }
}

/// A reason that is a check of Reeve's own and not a rule in a file.
#[must_use]
pub fn own(rule: &str) -> Reason {
    Reason {
        // Every name given here is a slug; a budget's id is one by type.
        rule: RuleId::parse(rule).unwrap_or_else(|_| fallback_rule()),
        text: String::new(),
        layer: Layer::Reeve,
        file: String::new(),
        line: 0,
        liftable: false,
    }
}

#[expect(clippy::expect_used, reason = "a literal slug")]
fn fallback_rule() -> RuleId {
    RuleId::parse("reeve").expect("`reeve` is a slug")
}
