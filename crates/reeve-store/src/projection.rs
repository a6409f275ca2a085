//! The projection: one searchable row per operation, made from its events and from nothing that cannot be made again.

use reeve_domain::approval::{Approval, Resolution, Resolved};
use reeve_domain::event::{Event, EventBody};
use reeve_domain::health::Looped;
use reeve_domain::id::CredentialId;
use reeve_domain::operation::{Action, Digest, Operation};
use reeve_domain::outcome::{Ending, Outcome, ToolEnd, ToolResult};
use reeve_domain::query::{Decided, OperationRow};
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Decision, Reason, Verdict};
use rusqlite::Connection;

use crate::audit_log::Chain;
use crate::error::StoreError;
use crate::search::words;
use crate::tables::{approvals, operations, sessions};
use crate::unit::{Indexing, Unit, index};

/// Most text of a shown view that is searchable, in bytes.
const VIEW_TEXT: usize = 8 << 10;

/// Documents that a rebuild gathers before it writes them.
const REPLAYED_AT_ONCE: usize = 1000;

/// Brings the row of the event's operation up to date, and its document in the index.
pub fn project(unit: &mut Unit<'_>, event: &Event) -> Result<(), StoreError> {
    let Some(id) = &event.operation else { return Ok(()) };
    let known = operations::find(unit.conn, id)?;
    let was_indexed = known.as_ref().is_some_and(|row| !row.open);
    let Some(row) = next(unit, known, event)? else { return Ok(()) };
    unit.chain.row = unit.chain.row.max(row.id);
    operations::put(unit.conn, &row, unit.chain.stamp)?;
    if was_indexed {
        unit.indexing.push(Indexing::Remove { id: row.id });
    }
    if !row.open {
        let document = words::document(&row);
        words::remember(unit, &document)?;
        unit.indexing.push(Indexing::Add { id: row.id, text: document.text, words: document.words });
    }
    Ok(())
}

/// The row after this event; `None` when the event changes none.
fn next(unit: &mut Unit<'_>, known: Option<OperationRow>, event: &Event) -> Result<Option<OperationRow>, StoreError> {
    match &event.body {
        EventBody::OperationAdmitted { operation, verdict, reservation, approval, would, mode } => {
            let mut row = begin(unit, known, event, operation, Some(verdict))?;
            row.decision = Decided::admitted(approval.is_some(), would.as_ref(), verdict);
            set_rules(&mut row, verdict.reasons());
            // What lifted an ask decided too: before what would have asked where nobody was asked, else behind what asked.
            let unasked = approval.is_none() && verdict.decision() == Decision::Allow;
            let at = if unasked { 0 } else { row.rules.len() };
            row.rules.splice(at..at, verdict.lifted_by().iter().cloned());
            row.mode = Some(*mode);
            row.observed = *mode == Mode::Observe;
            if let Some(id) = approval {
                row.approval = Some(id.clone());
                let answer = approvals::find(unit.conn, id)?.and_then(|approval| approval.resolved);
                answer.iter().for_each(|answer| set_answer(&mut row, answer));
            }
            if let Some(reservation) = reservation {
                row.reserved = Some(reservation.amount);
                row.budgets = reservation.accounts.iter().map(|account| account.budget.clone()).collect();
                row.budgets.dedup();
            }
            row.first_seen = first_seen(unit, operation)?;
            row.open = true;
            Ok(Some(row))
        }
        EventBody::OperationDenied { operation, verdict, denial, approval } => {
            let mut row = begin(unit, known, event, operation, verdict.as_ref())?;
            row.decision = Decided::denied(denial.kind);
            let judged = verdict.as_ref().map(Verdict::reasons).unwrap_or_default();
            set_rules(&mut row, if denial.reasons.is_empty() { judged } else { &denial.reasons });
            row.approval = approval.clone().or(row.approval);
            row.end = operation.mcp().map(|_| ToolEnd::Refused);
            row.open = false;
            Ok(Some(row))
        }
        EventBody::ApprovalRequested { approval, operation, verdict } => {
            let mut row = begin(unit, known, event, operation, Some(verdict))?;
            hold(&mut row, approval);
            set_rules(&mut row, verdict.reasons());
            Ok(Some(row))
        }
        body => Ok(known.and_then(|mut row| change(&mut row, body).then_some(row))),
    }
}

/// What changes a row that is there already; whether it does.
fn change(row: &mut OperationRow, body: &EventBody) -> bool {
    match body {
        EventBody::ApprovalResolved { resolved, .. } => {
            set_answer(row, resolved);
            if row.decision == Decided::Held {
                row.decision = match resolved.resolution {
                    Resolution::Approved { .. } => Decided::Approved,
                    Resolution::Refused { .. } => Decided::Refused,
                    Resolution::Expired => Decided::Expired,
                    Resolution::Withdrawn => Decided::Withdrawn,
                };
                row.end = is_call(row).then_some(ToolEnd::Refused);
                // If its client still waits, what follows says more.
                row.open = false;
            }
        }
        EventBody::OperationSettled { outcome, settlement } => {
            set_outcome(row, outcome);
            row.end = is_call(row).then(|| ToolEnd::of(outcome));
            row.open = false;
            if let Some(settlement) = settlement {
                row.cost = Some(settlement.amount);
                row.worth = Some(settlement.worth);
                row.estimated = settlement.estimated;
            }
        }
        EventBody::OperationAbandoned { why, settlement } => {
            row.error = Some(why.clone());
            row.end = is_call(row).then_some(ToolEnd::Unknown);
            row.open = false;
            if let Some(settlement) = settlement {
                row.cost = Some(settlement.amount);
                row.worth = Some(settlement.worth);
                row.estimated = settlement.estimated;
            }
        }
        EventBody::OperationMarked { pinned, note, .. } => {
            row.pinned = *pinned;
            row.note.clone_from(note);
        }
        EventBody::AgentLooped { case, stage, .. } => row.looped = Some(Looped { case: *case, stage: *stage }),
        EventBody::CredentialInjected { credential } => {
            row.injected = true;
            add_credential(row, credential);
        }
        EventBody::CredentialMasked { credential, .. } => {
            row.redacted = true;
            add_credential(row, credential);
        }
        EventBody::CredentialLeakStopped { credential, .. } | EventBody::CredentialUnmasked { credential, .. } => {
            add_credential(row, credential)
        }
        _ => return false,
    }
    true
}

/// Of a tool; what a server asks for has no tool.
fn is_call(row: &OperationRow) -> bool {
    row.kind == Action::McpToolCall.kind() && !row.tools.is_empty()
}

fn begin(
    unit: &Unit<'_>,
    known: Option<OperationRow>,
    event: &Event,
    operation: &Operation,
    verdict: Option<&Verdict>,
) -> Result<OperationRow, StoreError> {
    let mut row = match known {
        Some(row) => row,
        None => blank(unit.chain.row + 1, event, operation, sessions::cwd(unit.conn, &operation.principal.session)?),
    };
    row.risk = verdict.map(Verdict::risk).or(row.risk);
    if let Some(verdict) = verdict {
        row.observing = verdict.observed().iter().map(|reason| reason.rule.to_string()).collect();
    }
    Ok(row)
}

fn blank(id: u64, event: &Event, operation: &Operation, cwd: Option<String>) -> OperationRow {
    let endpoint = operation.endpoint();
    let (llm, mcp, shell) = (operation.llm(), operation.mcp(), operation.shell());
    OperationRow {
        id,
        operation: operation.id.clone(),
        record: event.seq,
        hash: event.hash.clone(),
        at: event.at,
        agent: operation.principal.agent.clone(),
        session: operation.principal.session.clone(),
        user: operation.principal.user.clone(),
        team: operation.principal.team.clone(),
        cwd,
        parent: operation.parent.clone(),
        conversation: operation.conversation.clone(),
        kind: operation.action().kind().to_owned(),
        summary: operation.summary.clone(),
        host: endpoint.map(|endpoint| endpoint.host.to_string()),
        port: endpoint.map(|endpoint| endpoint.port),
        method: endpoint.map(|endpoint| endpoint.method.clone()),
        path: endpoint.map(|endpoint| endpoint.path.shown().to_owned()),
        server: operation.mcp_server().map(str::to_owned),
        definition: mcp.and_then(|call| call.definition.clone()),
        end: None,
        looped: None,
        programs: shell.map(|line| line.programs().into_iter().map(str::to_owned).collect()).unwrap_or_default(),
        exit: None,
        model: llm.map(|call| call.model.clone()),
        provider: llm.map(|call| call.provider.clone()),
        decision: Decided::Denied,
        rules: Vec::new(),
        observing: Vec::new(),
        risk: None,
        mode: None,
        approval: None,
        approver: None,
        surface: None,
        scope: None,
        reserved: None,
        cost: None,
        worth: None,
        estimated: false,
        tokens_in: None,
        tokens_out: None,
        tokens_cached: None,
        budgets: Vec::new(),
        status: None,
        error: None,
        ip: None,
        latency_ms: None,
        first_byte_ms: None,
        request_bytes: 0,
        response_bytes: 0,
        credentials: operation.credential.iter().cloned().collect(),
        tools: mcp.map(|call| call.tool.clone()).into_iter().collect(),
        purpose: mcp.map(|call| call.purpose).unwrap_or_default(),
        repeats: None,
        first_seen: false,
        injected: false,
        redacted: false,
        observed: false,
        pinned: false,
        note: None,
        open: false,
        view_text: None,
    }
}

fn hold(row: &mut OperationRow, approval: &Approval) {
    row.decision = Decided::Held;
    row.approval = Some(approval.id.clone());
    row.open = true;
    let mut text = String::new();
    gather(&approval.view, &mut text);
    row.view_text = (!text.is_empty()).then_some(text);
}

/// The texts of a view, as far as they are searchable.
fn gather(view: &serde_json::Value, into: &mut String) {
    use serde_json::Value;
    match view {
        Value::String(text) => {
            let room = VIEW_TEXT.saturating_sub(into.len() + 1);
            let cut = (0..=room.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            if cut > 0 {
                if !into.is_empty() {
                    into.push('\n');
                }
                into.push_str(text.get(..cut).unwrap_or_default());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        // By key, because a record read back from its canonical text has its keys sorted.
        Value::Object(map) => {
            let mut fields: Vec<_> = map.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            fields.into_iter().for_each(|(_, item)| gather(item, into));
        }
        _ => {}
    }
}

fn set_rules(row: &mut OperationRow, reasons: &[Reason]) {
    row.rules = reasons.iter().map(|reason| reason.rule.to_string()).collect();
    row.rules.dedup();
}

fn set_answer(row: &mut OperationRow, resolved: &Resolved) {
    row.approver = Some(resolved.by.clone());
    row.surface = Some(resolved.surface);
    if let Resolution::Approved { scope } = &resolved.resolution {
        row.scope = Some(scope.clone());
    }
}

fn set_outcome(row: &mut OperationRow, outcome: &Outcome) {
    row.error = match &outcome.ending {
        Ending::NotSent { why } | Ending::CutByUpstream { why } | Ending::CutByReeve { why } => Some(why.clone()),
        Ending::CutByClient => Some("the client hung up".to_owned()),
        Ending::Unknown => Some("what became of it is not known".to_owned()),
        Ending::Complete => None,
    };
    row.status = outcome.status;
    if let Some(usage) = &outcome.usage {
        row.tokens_in = Some(usage.total_input());
        row.tokens_out = Some(usage.total_output());
        row.tokens_cached = Some(usage.cache_read);
    }
    row.ip.clone_from(&outcome.peer);
    row.latency_ms = Some(outcome.total_ms);
    row.first_byte_ms = outcome.first_byte_ms;
    row.request_bytes = outcome.request_bytes;
    row.response_bytes = outcome.response_bytes;
    row.tools.extend(outcome.tool_calls.iter().map(|call| call.name.clone()));
    match &outcome.result {
        Some(ToolResult::Exited { code }) => row.exit = *code,
        Some(ToolResult::ToolError { message }) => row.error = Some(message.clone()),
        Some(ToolResult::SchemaFailure { .. }) => {
            row.error = Some("the result does not fit the tool's schema".to_owned());
        }
        Some(ToolResult::TimedOut { .. }) => row.error = Some("the tool did not answer in time".to_owned()),
        Some(ToolResult::Ok) | None => {}
    }
    row.repeats.clone_from(&outcome.repeats);
    row.injected |= !outcome.injected.is_empty();
    row.redacted |= outcome.masked > 0;
    outcome.injected.iter().for_each(|credential| add_credential(row, credential));
}

fn add_credential(row: &mut OperationRow, credential: &CredentialId) {
    if !row.credentials.contains(credential) {
        row.credentials.push(credential.clone());
    }
}

/// Whether this is the agent's first operation at one of its places ([`Operation::places`]) that passed; remembers them, and
/// whether it was more than a read.
fn first_seen(unit: &mut Unit<'_>, operation: &Operation) -> Result<bool, StoreError> {
    let (agent, writes) = (operation.principal.agent.to_string(), !operation.only_reads());
    let mut first = false;
    for place in operation.places() {
        let reached = (agent.clone(), place, writes);
        if unit.caches.reached.contains(&reached) {
            continue;
        }
        let sql = "INSERT OR IGNORE INTO reached (agent, host) VALUES (?1, ?2)";
        first |= unit.conn.prepare_cached(sql)?.execute((&reached.0, &reached.1))? > 0;
        if writes {
            let sql = "UPDATE reached SET wrote = 1 WHERE agent = ?1 AND host = ?2";
            unit.conn.prepare_cached(sql)?.execute((&reached.0, &reached.1))?;
        }
        unit.caches.bound();
        unit.caches.reached.insert(reached);
    }
    Ok(first)
}

/// Makes every row and document again from the events.
pub fn rebuild(unit: &mut Unit<'_>) -> Result<u64, StoreError> {
    unit.caches.clear();
    unit.conn.execute_batch(
        "DELETE FROM operations; DELETE FROM bodies; DELETE FROM dictionary; \
         DELETE FROM reached WHERE kept = 0; \
         INSERT INTO operations_fts (operations_fts) VALUES ('delete-all');",
    )?;
    let kept = unit.chain.clone();
    unit.chain.row = 0;
    // Commands before this one in the batch are among the events; if this fails, their documents still have to be written.
    let waiting = std::mem::take(unit.indexing);
    let replayed = replay(unit);
    if replayed.is_err() {
        *unit.indexing = waiting;
    }
    *unit.chain = Chain { row: unit.chain.row, ..kept };
    replayed
}

fn replay(unit: &mut Unit<'_>) -> Result<u64, StoreError> {
    let conn: &Connection = unit.conn;
    let mut statement =
        conn.prepare("SELECT record, hash, stamp FROM events WHERE operation IS NOT NULL ORDER BY seq")?;
    let mut rows = statement.query(())?;
    let mut replayed = 0;
    while let Some(row) = rows.next()? {
        let record: String = row.get(0)?;
        let event = reeve_domain::chain::read(&record, Digest(row.get(1)?))?;
        unit.chain.stamp = row.get(2)?;
        project(unit, &event)?;
        replayed += 1;
        if unit.indexing.len() >= REPLAYED_AT_ONCE {
            index(conn, unit.indexing)?;
        }
    }
    Ok(replayed)
}
