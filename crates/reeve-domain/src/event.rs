//! One committed audit record: what happened, typed, without secrets.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::approval::{Approval, Resolved, Surface};
use crate::budget::{Reservation, Settlement};
use crate::chain::Removal;
use crate::health::{LoopCase, LoopStage, Refusal};
use crate::id::{AgentId, ApprovalId, CredentialId, OperationId, SessionId};
use crate::operation::{Digest, Operation};
use crate::outcome::Outcome;
use crate::server::{ServerIdentity, ShapeChange, ToolSeen};
use crate::session::{Session, SessionEnd};
use crate::settings::Mode;
use crate::verdict::{Denial, Verdict};

/// What happened. The serialised tag is the event's name: `noun.past`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum EventBody {
    #[serde(rename = "engine.started")]
    EngineStarted { version: String, swept: u64 },
    #[serde(rename = "engine.stopped")]
    EngineStopped { why: String },
    #[serde(rename = "session.opened")]
    SessionOpened { session: Session },
    #[serde(rename = "session.ended")]
    SessionEnded { because: SessionEnd },
    /// The operation passed the gate; durable before the first byte goes upstream.
    #[serde(rename = "operation.admitted")]
    OperationAdmitted {
        operation: Operation,
        verdict: Verdict,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reservation: Option<Reservation>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
        /// What would have happened in *Enforce*: `deny` or `ask`, with the denial's words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        would: Option<Denial>,
        mode: Mode,
    },
    /// The operation was turned away; nothing went upstream.
    #[serde(rename = "operation.denied")]
    OperationDenied {
        operation: Operation,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verdict: Option<Verdict>,
        denial: Denial,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<ApprovalId>,
    },
    /// So many more were turned away within a minute than are recorded one by one.
    #[serde(rename = "operations.denied")]
    OperationsDenied {
        more: u64,
        /// They were of high risk, or leaks.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        grave: bool,
    },
    /// What came of it, and what it cost.
    #[serde(rename = "operation.settled")]
    OperationSettled {
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settlement: Option<Settlement>,
    },
    /// The mouth let go of an admission without settling it, or the engine died; charged by the rules of the sweep.
    #[serde(rename = "operation.abandoned")]
    OperationAbandoned {
        why: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settlement: Option<Settlement>,
    },
    /// How a person marked it for themselves, as it is from now on.
    #[serde(rename = "operation.marked")]
    OperationMarked {
        pinned: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        by: String,
    },
    #[serde(rename = "approval.requested")]
    ApprovalRequested { approval: Approval, operation: Operation, verdict: Verdict },
    #[serde(rename = "approval.joined")]
    ApprovalJoined { approval: ApprovalId },
    #[serde(rename = "approval.extended")]
    ApprovalExtended { approval: ApprovalId, until: DateTime<Utc> },
    #[serde(rename = "approval.resolved")]
    ApprovalResolved { approval: ApprovalId, resolved: Resolved },
    /// What an answer had put in force (a grant, a rule) was taken back by a human.
    #[serde(rename = "approval.undone")]
    ApprovalUndone { approval: ApprovalId, what: String, by: String },
    #[serde(rename = "budget.overrun")]
    BudgetOverrun { reserved: i64, settled: i64 },
    #[serde(rename = "budget.changed")]
    BudgetChanged { what: String },
    #[serde(rename = "policy.reloaded")]
    PolicyReloaded { revision: String, files: Vec<String> },
    /// A file does not load; the last good set stays.
    #[serde(rename = "policy.rejected")]
    PolicyRejected { problem: String },
    /// The person's own files were changed outside and may let more pass; what was in force stays until a person loads them.
    #[serde(rename = "policy.waiting")]
    PolicyWaiting { problem: String },
    #[serde(rename = "policy.changed")]
    PolicyChanged { what: String, text: String },
    #[serde(rename = "credential.added")]
    CredentialAdded { credential: CredentialId },
    #[serde(rename = "credential.replaced")]
    CredentialReplaced { credential: CredentialId },
    #[serde(rename = "credential.removed")]
    CredentialRemoved { credential: CredentialId },
    #[serde(rename = "credential.bound")]
    CredentialBound { credential: CredentialId, place: String },
    #[serde(rename = "credential.unbound")]
    CredentialUnbound { credential: CredentialId, place: String },
    /// When a human wants to be reminded of replacing it.
    #[serde(rename = "credential.reminder_set")]
    CredentialReminderSet {
        credential: CredentialId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<u32>,
    },
    #[serde(rename = "credential.injected")]
    CredentialInjected { credential: CredentialId },
    /// An upstream echoed a credential, and it was masked.
    #[serde(rename = "credential.masked")]
    CredentialMasked { credential: CredentialId, times: u64 },
    /// The answer to a request with a credential could not be decoded, so an echo inside it could not be masked.
    #[serde(rename = "credential.unmasked")]
    CredentialUnmasked { credential: CredentialId, why: String, blocked: bool },
    /// A placeholder or a bound secret was on its way to another place.
    #[serde(rename = "credential.leak_stopped")]
    CredentialLeakStopped { credential: CredentialId, place: String },
    /// So many more leaks of it were stopped within a minute than are recorded one by one.
    #[serde(rename = "credential.leaks_stopped")]
    CredentialLeaksStopped {
        credential: CredentialId,
        more: u64,
        first: DateTime<Utc>,
        last: DateTime<Utc>,
        /// Where the last one was going.
        place: String,
    },
    /// A place refuses a credential again and again: until it takes it once, requests with it are answered here.
    #[serde(rename = "credential.refused")]
    CredentialRefused { credential: CredentialId, host: String, refusal: Refusal, since: DateTime<Utc> },
    /// The place takes it again, or it was replaced.
    #[serde(rename = "credential.accepted")]
    CredentialAccepted { credential: CredentialId, host: String },
    /// A server or a tool (`server/tool`) fails again and again: until a trial succeeds, its calls are answered here.
    #[serde(rename = "tool.cut_off")]
    ToolCutOff { place: String, why: String, failures: u32 },
    /// A trial succeeded.
    #[serde(rename = "tool.back")]
    ToolBack { place: String },
    /// A call that is to have its effect once went out, and nobody knows whether it did; a repeat meets that.
    #[serde(rename = "call.lost")]
    CallLost { server: String, tool: String, what: String, why: String },
    /// A server crashed in the middle of a connection, and is started again after so long.
    #[serde(rename = "server.crashed")]
    ServerCrashed { server: String, why: String, again_ms: u64 },
    /// It runs again.
    #[serde(rename = "server.restarted")]
    ServerRestarted { server: String },
    /// An agent's steps lead nowhere.
    #[serde(rename = "agent.looped")]
    AgentLooped { case: LoopCase, stage: LoopStage, times: u32, what: String },
    /// Bytes that never became an operation: no or wrong token, malformed head, unknown bytes after CONNECT.
    #[serde(rename = "connection.refused")]
    ConnectionRefused { why: String, detail: String },
    /// The process that owns the connection is not the session's.
    #[serde(rename = "connection.unattributed")]
    ConnectionUnattributed { detail: String },
    #[serde(rename = "mode.changed")]
    ModeChanged { what: String },
    /// A human was to be proven for something: who said to be there, and whether they were.
    #[serde(rename = "presence.checked")]
    PresenceChecked { what: String, by: String, surface: Surface, passed: bool },
    /// The oldest part of the record goes, by the person's setting or by their hand.
    #[serde(rename = "records.removed")]
    RecordsRemoved {
        removal: Removal,
        /// The human who wiped the record.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// What the last verification before it found, where it found something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    #[serde(rename = "clock.went_backwards")]
    ClockWentBackwards { seconds: u64 },
    #[serde(rename = "agent.registered")]
    AgentRegistered { agent: AgentId },
    #[serde(rename = "agent.removed")]
    AgentRemoved { agent: AgentId },
    #[serde(rename = "agent.paused")]
    AgentPaused {
        agent: AgentId,
        /// The human, or `reeve` where an agent flooded the human with questions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    #[serde(rename = "agent.resumed")]
    AgentResumed {
        agent: AgentId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
    },
    /// An MCP server was seen for the first time, or is not what it was.
    #[serde(rename = "server.seen")]
    ServerSeen { server: String, identity: ServerIdentity, changed: bool },
    /// A person let a server be used as it is, with these tools.
    #[serde(rename = "server.approved")]
    ServerApproved { server: String, identity: ServerIdentity, tools: Vec<ToolSeen>, by: String },
    #[serde(rename = "server.forgotten")]
    ServerForgotten { server: String, by: String },
    /// What a server offers is not what it offered before.
    #[serde(rename = "tools.changed")]
    ToolsChanged {
        server: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        new: Vec<ToolSeen>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        changed: Vec<ToolSeen>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        gone: Vec<String>,
    },
    /// Results of a tool do not look as they did.
    #[serde(rename = "shape.drifted")]
    ShapeDrifted { server: String, tool: String, definition: Digest, changes: Vec<ShapeChange> },
}

/// An event before it is committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub agent: Option<AgentId>,
    pub session: Option<SessionId>,
    pub operation: Option<OperationId>,
    pub body: EventBody,
}

impl Draft {
    /// An event of the engine itself.
    #[must_use]
    pub fn engine(body: EventBody) -> Self {
        Self { agent: None, session: None, operation: None, body }
    }

    /// An event about an operation.
    #[must_use]
    pub fn of(operation: &Operation, body: EventBody) -> Self {
        Self {
            agent: Some(operation.principal.agent.clone()),
            session: Some(operation.principal.session.clone()),
            operation: Some(operation.id.clone()),
            body,
        }
    }
}

/// A committed event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Format version of the record.
    pub v: u32,
    /// 1-based, without gaps.
    pub seq: u64,
    /// Wall clock, UTC, to the millisecond.
    pub at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    pub body: EventBody,
    /// Hash of the event before; 64 zeros for the first.
    pub prev: Digest,
    /// `SHA-256(prev ‖ canonical bytes of everything but the hash)`.
    pub hash: Digest,
}
