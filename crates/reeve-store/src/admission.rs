//! The commands around an operation: admit, deny, settle, abandon, and the sweep after a crash. Each is one step of the
//! writer: what it reserves, uses and records stands or falls together.

use reeve_domain::approval::{Approval, Resolution, Resolved, Surface};
use reeve_domain::budget::{Account, Balance, Reservation, Settlement};
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_domain::id::{ApprovalId, OperationId, RuleId};
use reeve_domain::operation::Operation;
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::session::SessionEnd;
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Denial, DenialKind, Layer, Reason, Verdict};

use crate::error::StoreError;
use crate::ledger;
use crate::slots;
use crate::tables::asked::Asked;
use crate::tables::{approvals, asked, operations, sessions};
use crate::unit::Unit;

/// Makes the reservation from the balances found inside the transaction (in the order of [`Admit::accounts`]), or says why
/// it cannot be made. Runs on the writer: it must be quick and must not block.
pub type Fit = Box<dyn FnOnce(&[Balance]) -> Result<Reservation, Denial> + Send>;

/// Whether nobody put a stop to it since it was decided. Runs on the writer: what was stopped in an earlier record is not
/// admitted in a later one.
pub type Still = Box<dyn FnOnce() -> Result<(), Denial> + Send>;

/// An operation that passed verdict and human, on its way into the record.
pub struct Admit {
    pub operation: Operation,
    pub verdict: Verdict,
    /// What the reservation counts in.
    pub accounts: Vec<Account>,
    /// `None`: it spends nothing.
    pub reserve: Option<Fit>,
    pub approval: Option<ApprovalUse>,
    /// What *Enforce* would have done instead.
    pub would: Option<Denial>,
    pub mode: Mode,
    /// Asked right before it is recorded: says why it may not happen any more, where that is so.
    pub still: Option<Still>,
    /// What it counts as, where its session may ask for that only so often.
    pub counting: Option<Counting>,
}

/// What a call to a model counts as of what its session may ask for only so often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counting {
    /// Answers it asks for. They are candidates where it asks for several, or asks the same as a call before it.
    pub answers: u64,
    /// The client says that it asks for a candidate.
    pub competes: bool,
    pub judges: bool,
    pub max_candidates: Option<u64>,
    pub max_judged: Option<u64>,
    /// A limit that is passed turns it away; otherwise that is only recorded.
    pub binds: bool,
}

/// By which answer an operation passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalUse {
    pub id: ApprovalId,
    /// Whether the operation waited for this answer, alone or with identical ones. One that came later finds the answer
    /// only if nobody has used it.
    pub waited: bool,
}

/// What became of it. Either way it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    Yes { event: Event, reservation: Option<Reservation> },
    No { event: Event, denial: Denial },
}

pub fn admit(unit: &mut Unit<'_>, admit: Admit) -> Result<Admitted, StoreError> {
    let Admit { operation, verdict, accounts, reserve, approval, mut would, mode, still, counting } = admit;
    if let Some(Err(denial)) = still.map(|still| still()) {
        return refuse(unit, operation, verdict, denial, approval.map(|using| using.id));
    }
    let balances = ledger::balances(unit.conn, &accounts)?;
    let fitted = reserve.map(|fit| fit(&balances)).transpose();
    let approval_id = approval.as_ref().map(|using| using.id.clone());
    let reservation = match fitted {
        Ok(reservation) => reservation,
        Err(denial) => return refuse(unit, operation, verdict, denial, approval_id),
    };
    let mut answer = None;
    if let Some(using) = &approval {
        let (found, uses) = approvals::get(unit.conn, &using.id)?;
        if !answers(&found, uses, using.waited, &operation) {
            return refuse(unit, operation, verdict, spent(), approval_id);
        }
        answer = Some(found);
    }
    // Last of what may refuse: only what goes on is counted, and only what goes on uses its approval.
    match counting.as_ref().map(|counting| count(unit, &operation, counting)).transpose()?.flatten() {
        Some(denial) if counting.is_some_and(|counting| counting.binds) => {
            return refuse(unit, operation, verdict, denial, approval_id);
        }
        passed => would = would.or(passed),
    }
    if let Some(found) = answer {
        approvals::use_once(unit.conn, found, unit.now())?;
    }
    let reservation = reservation.map(|reservation| ledger::reserve(unit.conn, reservation)).transpose()?;
    let body = EventBody::OperationAdmitted {
        operation: operation.clone(),
        verdict,
        reservation: reservation.clone(),
        approval: approval_id,
        would,
        mode,
    };
    let event = unit.append(Draft::of(&operation, body))?;
    Ok(Admitted::Yes { event, reservation })
}

/// Counts a call, and says which limit of its session that passes; a limit that binds leaves it uncounted.
fn count(unit: &Unit<'_>, operation: &Operation, counting: &Counting) -> Result<Option<Denial>, StoreError> {
    let session = &operation.principal.session;
    let before = asked::of_question(unit.conn, session, operation.question())?;
    let answers = before.answers.saturating_add(counting.answers);
    let named = before.candidates.saturating_add(if counting.competes { counting.answers } else { 0 });
    let now = Asked {
        answers,
        candidates: named.max(if answers > 1 { answers } else { 0 }),
        judged: before.judged.saturating_add(u64::from(counting.judges)),
    };
    let (candidates, judged) = asked::of_session(unit.conn, session)?;
    let over = |total: u64, before: u64, now: u64, max: Option<u64>| {
        let after = (total - before.min(total)).saturating_add(now);
        max.filter(|max| now > before && after > *max).map(|max| (after, max))
    };
    let passed = over(candidates, before.candidates, now.candidates, counting.max_candidates)
        .map(|(after, max)| (after, max, "session-max-candidates", "candidate answers"))
        .or_else(|| {
            over(judged, before.judged, now.judged, counting.max_judged)
                .map(|(after, max)| (after, max, "session-max-judge-calls", "calls that judge"))
        });
    if passed.is_none() || !counting.binds {
        asked::put(unit.conn, session, operation.question(), now)?;
    }
    Ok(passed.map(|(after, max, rule, what)| Denial {
        kind: DenialKind::Budget,
        message: format!("{} would make {after} {what} in this session, and {max} are allowed", operation.summary),
        advice: "go on with the answers there are, or ask the human to raise the limit in limits.yaml".to_owned(),
        reasons: own(rule).into_iter().collect(),
        record: None,
    }))
}

/// What a call to a model that came to nothing had been counted as. Of one question either all calls judge or none, as long as
/// nobody changes which models do.
fn uncount(unit: &Unit<'_>, operation: &Operation, outcome: &Outcome) -> Result<(), StoreError> {
    let refused =
        outcome.status.is_some_and(|status| status >= 400) || matches!(outcome.ending, Ending::NotSent { .. });
    let Some(call) = operation.llm().filter(|_| refused) else { return Ok(()) };
    let session = &operation.principal.session;
    let before = asked::of_question(unit.conn, session, operation.question())?;
    if before == Asked::default() {
        return Ok(());
    }
    let answers = before.answers.saturating_sub(call.candidates.max(1));
    let candidates = if answers > 1 { before.candidates.min(answers) } else { 0 };
    asked::put(
        unit.conn,
        session,
        operation.question(),
        Asked { answers, candidates, judged: before.judged.saturating_sub(1) },
    )
}

/// A limit of Reeve's own, as a reason.
fn own(rule: &str) -> Option<Reason> {
    let rule = RuleId::parse(rule).ok()?;
    let (text, file) = (String::new(), String::new());
    Some(Reason { rule, text, layer: Layer::Reeve, file, line: 0, liftable: false })
}

/// Whether this answer lets this very operation through, now: approved, for the same agent, human and fingerprint, and not
/// used more often than operations waited for it.
fn answers(approval: &Approval, uses: u32, waited: bool, operation: &Operation) -> bool {
    let approved = approval.resolved.as_ref().is_some_and(|r| matches!(r.resolution, Resolution::Approved { .. }));
    let left = if waited { uses < approval.joined } else { uses == 0 };
    approved
        && left
        && approval.agent == operation.principal.agent
        && approval.user == operation.principal.user
        && approval.fingerprint == operation.fingerprint(approval.output_limit)
}

fn spent() -> Denial {
    Denial {
        kind: DenialKind::Expired,
        message: "the approval for this was used already, or was given for something else".to_owned(),
        advice: "repeat it once, so that the human is asked again".to_owned(),
        reasons: Vec::new(),
        record: None,
    }
}

fn refuse(
    unit: &mut Unit<'_>,
    operation: Operation,
    verdict: Verdict,
    mut denial: Denial,
    approval: Option<ApprovalId>,
) -> Result<Admitted, StoreError> {
    denial.record = Some(operation.id.clone());
    let event = deny(unit, operation, Some(verdict), denial.clone(), approval)?;
    Ok(Admitted::No { event, denial })
}

pub fn deny(
    unit: &mut Unit<'_>,
    operation: Operation,
    verdict: Option<Verdict>,
    denial: Denial,
    approval: Option<ApprovalId>,
) -> Result<Event, StoreError> {
    let draft = |body| Draft {
        agent: Some(operation.principal.agent.clone()),
        session: Some(operation.principal.session.clone()),
        operation: Some(operation.id.clone()),
        body,
    };
    unit.append(draft(EventBody::OperationDenied { operation: operation.clone(), verdict, denial, approval }))
}

/// Fails unless the operation was admitted and has no end yet.
fn check_under_way(unit: &Unit<'_>, id: &OperationId) -> Result<(), StoreError> {
    match operations::state(unit.conn, id)? {
        None => Err(StoreError::NotFound { what: "operation", name: id.to_string() }),
        Some((true, decided)) if decided.passed() => Ok(()),
        Some(_) => Err(StoreError::Closed { what: "operation", name: id.to_string() }),
    }
}

pub fn settle(
    unit: &mut Unit<'_>,
    operation: &Operation,
    outcome: Outcome,
    settlement: Option<Settlement>,
) -> Result<Event, StoreError> {
    check_under_way(unit, &operation.id)?;
    uncount(unit, operation, &outcome)?;
    let closed = ledger::close(unit.conn, &operation.id, settlement, (Some(&operation.principal.agent), unit.now()))?;
    let overrun = closed.as_ref().and_then(|closed| closed.overrun);
    let settlement = closed.map(|closed| closed.settlement);
    let event = unit.append(Draft::of(operation, EventBody::OperationSettled { outcome, settlement }))?;
    if let Some((reserved, settled)) = overrun {
        unit.append(Draft::of(operation, EventBody::BudgetOverrun { reserved, settled }))?;
    }
    Ok(event)
}

pub fn abandon(
    unit: &mut Unit<'_>,
    operation: &OperationId,
    why: String,
    settlement: Option<Settlement>,
) -> Result<Event, StoreError> {
    check_under_way(unit, operation)?;
    let row = operations::find(unit.conn, operation)?;
    let spender = (row.as_ref().map(|row| &row.agent), unit.now());
    let closed = ledger::close(unit.conn, operation, settlement, spender)?;
    unit.append(Draft {
        agent: row.as_ref().map(|row| row.agent.clone()),
        session: row.map(|row| row.session),
        operation: Some(operation.clone()),
        body: EventBody::OperationAbandoned { why, settlement: closed.map(|closed| closed.settlement) },
    })
}

pub fn ask(
    unit: &mut Unit<'_>,
    approval: Approval,
    operation: Operation,
    verdict: Verdict,
) -> Result<Event, StoreError> {
    approvals::insert(unit.conn, &approval)?;
    let draft = Draft::of(&operation.clone(), EventBody::ApprovalRequested { approval, operation, verdict });
    unit.append(draft)
}

fn about(approval: &Approval, body: EventBody) -> Draft {
    Draft {
        agent: Some(approval.agent.clone()),
        session: Some(approval.session.clone()),
        operation: Some(approval.operation.clone()),
        body,
    }
}

pub fn join(unit: &mut Unit<'_>, id: &ApprovalId) -> Result<Event, StoreError> {
    let mut approval = approvals::get_open(unit.conn, id)?;
    approval.joined = approval.joined.saturating_add(1);
    approvals::update(unit.conn, &approval)?;
    unit.append(about(&approval, EventBody::ApprovalJoined { approval: id.clone() }))
}

pub fn extend(unit: &mut Unit<'_>, id: &ApprovalId, until: chrono::DateTime<chrono::Utc>) -> Result<Event, StoreError> {
    let mut approval = approvals::get_open(unit.conn, id)?;
    approval.expires_at = until;
    approvals::update(unit.conn, &approval)?;
    unit.append(about(&approval, EventBody::ApprovalExtended { approval: id.clone(), until }))
}

pub fn resolve(unit: &mut Unit<'_>, id: &ApprovalId, resolved: Resolved) -> Result<Event, StoreError> {
    let approval = approvals::get_open(unit.conn, id)?;
    approvals::resolve(unit.conn, approval.clone(), &resolved)?;
    unit.append(about(&approval, EventBody::ApprovalResolved { approval: id.clone(), resolved }))
}

/// A yes to a question that nobody answered in time: for the next one who asks the very same.
pub fn resolve_late(unit: &mut Unit<'_>, id: &ApprovalId, resolved: Resolved) -> Result<Event, StoreError> {
    let (approval, _) = approvals::get(unit.conn, id)?;
    let expired = approval.resolved.as_ref().is_some_and(|r| r.resolution == Resolution::Expired);
    if !expired {
        return Err(StoreError::Closed { what: "question", name: id.to_string() });
    }
    approvals::resolve(unit.conn, approval.clone(), &resolved)?;
    unit.append(about(&approval, EventBody::ApprovalResolved { approval: id.clone(), resolved }))
}

/// After a stop that was not clean: what was under way is charged whole, open questions expire, open sessions end. Returns
/// how many operations were charged or closed.
pub fn sweep(unit: &mut Unit<'_>) -> Result<u64, StoreError> {
    slots::lose_all(unit)?;
    let at = unit.now();
    for approval in approvals::all_open(unit.conn)? {
        let resolution = Resolution::Expired;
        let by = "reeve".to_owned();
        resolve(unit, &approval.id, Resolved { resolution, by, surface: Surface::Engine, at, reading_ms: None })?;
    }
    let mut swept = 0;
    for row in operations::all_open(unit.conn)?.into_iter().rev() {
        if row.decision.passed() {
            abandon(unit, &row.operation, "the engine stopped before it ended".to_owned(), None)?;
            swept += 1;
        }
    }
    for session in sessions::all_open(unit.conn)? {
        unit.append(Draft {
            agent: Some(session.agent),
            session: Some(session.id),
            operation: None,
            body: EventBody::SessionEnded { because: SessionEnd::EngineStopped },
        })?;
    }
    Ok(swept)
}
