//! The gate: every operation of every mouth passes `admit`, and nothing else makes an `Admission`.

mod recent;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::approval::Approval;
use reeve_domain::budget::{Cap, Reservation, Settlement};
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, Event, EventBody};
use reeve_domain::grant::Grant;
use reeve_domain::id::{ApprovalId, OperationId};
use reeve_domain::operation::{Billing, Operation, Subject};
use reeve_domain::outcome::Outcome;
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Decision, Denial, Reason, Verdict};
use reeve_policy::Circumstances;
use reeve_store::{Admit, Admitted, Store};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::agents::Agents;
use crate::approvals::{Answer, Approvals, Claim, Question};
use crate::breakers::Breakers;
use crate::budgets::{Quote, Shortfall};
use crate::credentials::{Credentials, Injection};
use crate::denials;
use crate::error::EngineError;
use crate::grants::Grants;
use crate::loops::Loops;
use crate::owed::{End, Owed};
use crate::policies::Policies;
use crate::prices::Prices;
use crate::protection::ProtectionState;
use crate::raises::Raises;
use crate::refusals::Refusals;
use crate::seen::SeenHosts;
use crate::sessions::{LiveSession, Sessions};
use crate::settings::Settings;

/// What the gate says. A denial is a value, so that no `?` can turn it into an internal error.
#[must_use]
#[derive(Debug)]
pub enum Ruling {
    Admitted(Box<Admission>),
    Denied(Denial),
}

/// Shared by all mouths; cheap to clone.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub store: Store,
    pub clock: Arc<dyn Clock>,
    pub settings: Arc<Settings>,
    pub sessions: Arc<Sessions>,
    pub agents: Arc<Agents>,
    pub policies: Arc<Policies>,
    pub grants: Arc<Grants>,
    pub approvals: Arc<Approvals>,
    pub raises: Arc<Raises>,
    pub credentials: Arc<Credentials>,
    pub prices: Arc<Prices>,
    pub protection: Arc<ProtectionState>,
    pub seen: SeenHosts,
    pub running: Mutex<HashMap<OperationId, Running>>,
    pub owed: Arc<Owed>,
    pub refusals: Refusals,
    pub breakers: Arc<Breakers>,
    pub loops: Arc<Loops>,
}

/// An admitted operation that has not been settled yet.
#[derive(Debug)]
pub(crate) struct Running {
    operation: Arc<Operation>,
    revoked: CancellationToken,
}

/// An operation with what was found out about it on its way through the gate.
struct Case {
    operation: Operation,
    live: Arc<LiveSession>,
    verdict: Verdict,
    quote: Option<Quote>,
    mode: Mode,
    now: DateTime<Utc>,
    /// It waited already, because its agent asks faster than anybody reads.
    slowed: bool,
    /// What its mouth holds it for besides.
    holds: Vec<Reason>,
    /// What its mouth turns it away for.
    refused: Option<Denial>,
}

/// How an operation got past verdict and budget.
struct Passed {
    reservation: Option<Reservation>,
    /// By the limits in force when it passed.
    quote: Option<Quote>,
    approval: Option<Approved>,
    would: Option<Denial>,
    passes: Over,
}

/// Which caps do not bind this once.
enum Over {
    /// *Observe*: whatever the balances say.
    All,
    /// Those that the card named when a human said yes.
    Caps(Vec<Cap>),
}

/// The human's yes that an operation passes by.
struct Approved {
    id: ApprovalId,
    waited: bool,
    /// Let go of when the use is recorded, or will not be.
    _claim: Claim,
}

impl Gate {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    pub(crate) fn prices(&self) -> &Prices {
        &self.0.prices
    }

    /// Decides, asks, reserves and records, in this order. `view` is what a human is shown when it must be asked: made
    /// from the very bytes that will be sent. May wait for a human; dropping the future detaches from the question.
    pub async fn admit(&self, operation: Operation, view: Value) -> Ruling {
        self.admit_held(operation, view, Vec::new()).await
    }

    /// The same for an operation that its mouth wants a human to see, whatever allows it.
    pub async fn admit_held(&self, operation: Operation, view: Value, holds: Vec<Reason>) -> Ruling {
        self.admit_unless(operation, view, holds, None).await
    }

    /// The same for an operation that a check of the mouth's own turns away: with its words, or, where nothing but observing
    /// is done, recorded with them.
    pub async fn admit_unless(
        &self,
        operation: Operation,
        view: Value,
        holds: Vec<Reason>,
        refused: Option<Denial>,
    ) -> Ruling {
        // While something that ended is not on disk, nothing else begins.
        if self.0.owed.any()
            && let Err(error) = self.0.owed.pay().await
        {
            return self.turn_away(TurnedAway::unrecorded(operation, error)).await;
        }
        let mut case = match self.judge(operation, holds) {
            Ok(case) => case,
            Err(turned_away) => return self.turn_away(*turned_away).await,
        };
        case.refused = refused;
        let passed = loop {
            match self.pass(&mut case, &view).await {
                Ok(Some(passed)) => break passed,
                // Judged anew.
                Ok(None) => {}
                Err((denial, approval)) => {
                    return self.turn_away(TurnedAway::after(case, denial, approval)).await;
                }
            }
        };
        let injection = match self.injection(&case) {
            Ok(injection) => injection,
            Err(denial) => return self.turn_away(TurnedAway::after(case, denial, None)).await,
        };
        // On a task of its own: a caller that goes away between the commit and its answer leaves an admission that is
        // dropped, and so abandoned, instead of money that nobody settles.
        let gate = self.clone();
        let committing = tokio::spawn(async move { gate.commit(case, passed, injection).await });
        committing.await.unwrap_or_else(|_| Ruling::Denied(denials::impossible()))
    }

    /// Who acts, what policy says of it, and what it may cost.
    fn judge(&self, mut operation: Operation, holds: Vec<Reason>) -> Result<Case, Box<TurnedAway>> {
        let now = self.0.clock.now();
        // Which login the client shows says nothing once Reeve puts a key of its own into the request.
        if operation.credential.is_some()
            && let Subject::Llm(call) = &mut operation.subject
        {
            call.billing = Billing::Metered;
        }
        let away = |operation: Operation, denial: Denial| {
            Box::new(TurnedAway { operation, verdict: None, denial, approval: None })
        };
        let live = self.0.sessions.find(&operation.principal.session);
        let Some(live) = live.filter(|live| !live.ended().is_cancelled()) else {
            let denial = denials::session_over(&operation);
            return Err(away(operation, denial));
        };
        if self.0.protection.stopped() {
            let denial = denials::all_stopped(&operation);
            return Err(away(operation, denial));
        }
        if self.0.agents.is_paused(&operation.principal.agent) {
            let denial = denials::agent_paused(&operation);
            return Err(away(operation, denial));
        }
        let mode = self.0.protection.mode_for(&live.session, now);
        if let Some(denial) = self.refused_credential(&operation, mode, now) {
            return Err(away(operation, denial));
        }
        let verdict = self.held_besides(&operation, self.verdict(&operation, &live, now), &holds, now);
        let quote = self.quote(&operation);
        Ok(Case { operation, live, verdict, quote, mode, now, slowed: false, holds, refused: None })
    }

    /// What policy says of it right now, with the grants in force.
    #[must_use]
    pub fn verdict(&self, operation: &Operation, live: &LiveSession, now: DateTime<Utc>) -> Verdict {
        self.verdict_with(operation, live, None, now)
    }

    /// The same, where one more grant were in force.
    pub(crate) fn verdict_with(
        &self,
        operation: &Operation,
        live: &LiveSession,
        grant: Option<&Grant>,
        now: DateTime<Utc>,
    ) -> Verdict {
        let mut grants = self.0.grants.for_session(&live.session, now);
        grants.extend(grant.cloned());
        let cwd = Some(live.session.cwd.clone());
        self.judged_by(operation, live, &self.circumstances(operation, cwd, grants, now))
    }

    /// What policy would say of an operation that belongs to no session that runs: without grants and project rules. `cwd`:
    /// the folder it would be done in.
    #[must_use]
    pub(crate) fn foresee(&self, operation: &Operation, cwd: Option<&str>) -> Verdict {
        let cwd = cwd.map(str::to_owned);
        let circumstances = self.circumstances(operation, cwd, Vec::new(), self.0.clock.now());
        self.0.policies.in_force().set.evaluate(operation, &circumstances)
    }

    fn circumstances(
        &self,
        operation: &Operation,
        cwd: Option<String>,
        grants: Vec<Grant>,
        now: DateTime<Utc>,
    ) -> Circumstances {
        let (first_seen, first_write) = self.0.seen.firsts(operation);
        let now = now.with_timezone(&chrono::Local).fixed_offset();
        Circumstances { now, first_seen, first_write, cwd, grants }
    }

    /// Whether some circumstances could permit a call of the tool that this operation is one call of.
    pub(crate) fn could_permit(&self, operation: &Operation, live: &LiveSession) -> bool {
        let cwd = Some(live.session.cwd.clone());
        let circumstances = self.circumstances(operation, cwd, Vec::new(), self.0.clock.now());
        let projects = live.project.load();
        let could = |set: &Arc<reeve_policy::PolicySet>| set.could_permit_tool(operation, &circumstances);
        projects.iter().all(could) && could(&self.0.policies.in_force().set)
    }

    /// The set in force, or the sets with the project's rules on top: the strictest of them decides.
    fn judged_by(&self, operation: &Operation, live: &LiveSession, circumstances: &Circumstances) -> Verdict {
        let projects = live.project.load();
        let strictest = projects.iter().map(|set| set.evaluate(operation, circumstances)).reduce(stricter);
        strictest.unwrap_or_else(|| self.0.policies.in_force().set.evaluate(operation, circumstances))
    }

    /// Verdict, then affordability, then the human. `None`: it waited, and the case was judged anew.
    async fn pass(&self, case: &mut Case, view: &Value) -> Result<Option<Passed>, (Denial, Option<ApprovalId>)> {
        let observing = case.mode == Mode::Observe;
        let mut would = case.refused.clone();
        if let Some(denial) = would.take_if(|_| !observing) {
            return Err((denial, None));
        }
        let asks = match case.verdict.decision() {
            Decision::Deny if observing => {
                would = would.or_else(|| Some(denials::by_policy(&case.operation, &case.verdict)));
                false
            }
            Decision::Deny => return Err((denials::by_policy(&case.operation, &case.verdict), None)),
            Decision::Ask if observing => {
                would = would.or_else(|| Some(denials::would_ask(&case.operation, &case.verdict)));
                false
            }
            Decision::Ask => true,
            Decision::Allow => false,
        };
        let fitted = self.fit(case).await.map_err(|fault| (fault, None))?;
        match fitted {
            Ok(reservation) if asks => self.ask(case, reservation, None, view).await,
            Ok(reservation) => {
                let passes = Over::Caps(Vec::new());
                Ok(Some(Passed { reservation, quote: case.quote.clone(), approval: None, would, passes }))
            }
            Err(short) if observing => {
                let would = would.or_else(|| Some(denials::by_budget(&case.operation, &short)));
                let reservation = case.quote.as_ref().map(Quote::whole);
                let passes = Over::All;
                Ok(Some(Passed { reservation, quote: case.quote.clone(), approval: None, would, passes }))
            }
            Err(short) if short.asks() => {
                let beyond = case.quote.as_ref().map(|quote| quote.beyond(&short));
                self.ask(case, beyond, Some(short), view).await
            }
            Err(short) => Err((denials::by_budget(&case.operation, &short), None)),
        }
    }

    /// What the call may reserve by the balances of this moment. No money is locked: that happens in `commit`.
    async fn fit(&self, case: &Case) -> Result<Result<Option<Reservation>, Shortfall>, Denial> {
        let Some(quote) = &case.quote else { return Ok(Ok(None)) };
        let balances = self.0.store.balances(quote.accounts()).await;
        let balances = balances.map_err(|error| denials::cannot_record(&case.operation, &error.into()))?;
        Ok(quote.fit(&balances).map(Some))
    }

    async fn ask(
        &self,
        case: &mut Case,
        reservation: Option<Reservation>,
        short: Option<Shortfall>,
        view: &Value,
    ) -> Result<Option<Passed>, (Denial, Option<ApprovalId>)> {
        let question = self.question(case, reservation.as_ref(), short, view.clone());
        let longest = self.0.settings.longest_for(case.operation.action());
        let balances = match &case.quote {
            Some(quote) => self.0.store.balances(quote.accounts()).await,
            None => Ok(Vec::new()),
        };
        let balances = balances.map_err(|error| (denials::cannot_record(&case.operation, &error.into()), None))?;
        // A yes from before that budgets do not bear any more would only be denied: then it is asked anew.
        let usable = |before: &Approval| {
            let bears = |quote: &Quote| {
                quote.still_fits(&quote.with_output(before.output_limit), &balances, &before.over).is_ok()
            };
            case.quote.as_ref().is_none_or(bears)
        };
        let unrecorded = |error: &EngineError| (denials::cannot_record(&case.operation, error), None);
        if !case.slowed {
            let slowed = self.0.approvals.slow(&question, case.live.ended(), &usable).await;
            if slowed.map_err(|error| unrecorded(&error))? {
                // What the human decided meanwhile holds for it too: a rule, a grant, a stop.
                let holds = case.holds.clone();
                let again = self.judge(case.operation.clone(), holds).map_err(|away| (away.denial, None))?;
                *case = Case { slowed: true, refused: case.refused.take(), ..again };
                return Ok(None);
            }
        }
        let answer = self.0.approvals.ask(question, longest, case.live.ended(), &usable).await;
        match answer.map_err(|error| unrecorded(&error))? {
            Answer::Approved { approval, output_limit, waited, over, claim } => {
                let quote = self.still_allowed(case, &approval)?;
                // What was approved is executed, with the very bound the human saw.
                let reservation = quote.as_ref().map(|quote| quote.with_output(output_limit));
                let approval = Some(Approved { id: approval, waited, _claim: claim });
                Ok(Some(Passed { reservation, quote, approval, would: None, passes: Over::Caps(over) }))
            }
            Answer::Refused { approval, reason } => {
                Err((denials::refused(&case.operation, &case.verdict, reason), Some(approval)))
            }
            Answer::Expired { approval } => Err((denials::expired(&case.operation, &case.verdict), Some(approval))),
            Answer::Withdrawn => Err((denials::session_over(&case.operation), None)),
            Answer::TooMany => {
                // Who floods the human is not only denied but paused. In force at once; the record may follow.
                if let Err(error) = self.0.agents.pause(&case.operation.principal.agent, "reeve").await {
                    tracing::error!(%error, agent = %case.operation.principal.agent, "could not pause a flooding agent");
                }
                Err((denials::too_many(&case.operation), None))
            }
        }
    }

    /// A human thinks for minutes: what was denied meanwhile stays denied, and the limits of now apply.
    fn still_allowed(&self, case: &Case, approval: &ApprovalId) -> Result<Option<Quote>, (Denial, Option<ApprovalId>)> {
        let denied = |denial| Err((denial, Some(approval.clone())));
        let now = self.0.clock.now();
        if case.live.ended().is_cancelled() {
            return denied(denials::session_over(&case.operation));
        }
        if self.0.protection.stopped() {
            return denied(denials::all_stopped(&case.operation));
        }
        if self.0.agents.is_paused(&case.operation.principal.agent) {
            return denied(denials::agent_paused(&case.operation));
        }
        let verdict = self.verdict(&case.operation, &case.live, now);
        if verdict.decision() == Decision::Deny && self.0.protection.mode_for(&case.live.session, now) == Mode::Enforce
        {
            return denied(denials::by_policy(&case.operation, &verdict));
        }
        Ok(self.quote(&case.operation))
    }

    /// What a call counts in and may cost, by the limits that bind its session now; `None`: it spends nothing.
    #[must_use]
    pub fn quote(&self, operation: &Operation) -> Option<Quote> {
        let limits = self.budgets_of(&operation.principal.session);
        Quote::of(operation, &limits, &self.0.prices.table(), self.0.clock.now())
    }

    fn question(
        &self,
        case: &Case,
        reservation: Option<&Reservation>,
        short: Option<Shortfall>,
        view: Value,
    ) -> Question {
        let operation = &case.operation;
        let asked = operation.llm().and_then(|call| call.output_limit);
        let output_limit = reservation.map_or(asked, |r| r.output_limit);
        let hold = self.0.settings.hold_for(operation.action());
        let approval = Approval {
            id: ApprovalId::new(),
            operation: operation.id.clone(),
            agent: operation.principal.agent.clone(),
            session: operation.principal.session.clone(),
            user: operation.principal.user.clone(),
            cwd: case.live.session.cwd.clone(),
            action: operation.action(),
            summary: operation.summary.clone(),
            question: recent::asked(operation.fingerprint(asked), &case.holds, &case.verdict),
            fingerprint: operation.fingerprint(output_limit),
            output_limit,
            reasons: case.verdict.reasons().to_vec(),
            risk: case.verdict.risk(),
            risk_reasons: case.verdict.risk_reasons().to_vec(),
            view,
            estimate: reservation.map(|r| r.amount),
            unaffordable: short.as_ref().map(Shortfall::message),
            over: short.as_ref().map(Shortfall::caps).unwrap_or_default(),
            asked_at: case.now,
            expires_at: case.now + chrono::Duration::from_std(hold).unwrap_or_default(),
            joined: 1,
            resolved: None,
            used_at: None,
        };
        let origins = vec![case.live.origin_of(&operation.id)];
        let anew = case.live.is_anew(&operation.id);
        let said = operation.parent.as_ref().and_then(|answer| case.live.lineage.said(answer));
        Question { approval, operation: operation.clone(), verdict: case.verdict.clone(), origins, anew, said }
    }

    fn injection(&self, case: &Case) -> Result<Option<Injection>, Denial> {
        let Some(credential) = &case.operation.credential else { return Ok(None) };
        let found = match case.operation.endpoint() {
            Some(endpoint) => self.0.credentials.injection(&case.live, credential, endpoint),
            None => Err(format!("credential `{credential}` can only be put into a request")),
        };
        found.map(Some).map_err(|why| denials::credential(&case.operation, &why))
    }

    /// The one writer transaction: reserve and record. Nothing has gone upstream before it, everything may after it.
    async fn commit(&self, case: Case, passed: Passed, injection: Option<Injection>) -> Ruling {
        let Case { operation, live, verdict, mode, .. } = case;
        let (would, approved) = (passed.would, passed.approval.is_some());
        let fit = fit_in_transaction(passed.quote, passed.reservation.clone(), passed.passes, approved);
        let operation_for_denial = operation.clone();
        let admit = Admit {
            operation: operation.clone(),
            verdict: verdict.clone(),
            accounts: passed.reservation.as_ref().map(|r| r.accounts.clone()).unwrap_or_default(),
            reserve: fit.map(|fit| -> reeve_store::Fit {
                Box::new(move |balances| {
                    fit(balances).map_err(|short| denials::by_budget(&operation_for_denial, &short))
                })
            }),
            approval: passed
                .approval
                .as_ref()
                .map(|yes| reeve_store::ApprovalUse { id: yes.id.clone(), waited: yes.waited }),
            would,
            mode,
            still: Some(self.still_open(&operation, &live)),
            counting: self.counting(&operation, mode),
        };
        match self.0.store.admit(admit).await {
            Ok(Admitted::Yes { reservation, .. }) => {
                self.0.seen.note(&operation);
                self.admitted(&operation, &verdict, approved);
                let operation = Arc::new(operation);
                let revoked = live.ended().child_token();
                let running = Running { operation: Arc::clone(&operation), revoked: revoked.clone() };
                self.0.running.lock().insert(operation.id.clone(), running);
                // A reload between verdict and this line found nothing to cut yet.
                if self.0.policies.in_force().set.revision() != verdict.revision() {
                    self.recheck();
                }
                let admission = Admission::new(self.clone(), operation, verdict, reservation, injection, revoked);
                Ruling::Admitted(Box::new(admission))
            }
            Ok(Admitted::No { denial, .. }) => Ruling::Denied(denial),
            Err(error) => Ruling::Denied(denials::cannot_record(&operation, &error.into())),
        }
    }

    /// Asked on the writer: whoever is paused, stopped or ended before an admission is recorded is not admitted any more.
    fn still_open(&self, operation: &Operation, live: &Arc<LiveSession>) -> reeve_store::Still {
        let (gate, live, operation) = (self.clone(), Arc::clone(live), operation.clone());
        Box::new(move || {
            if live.ended().is_cancelled() {
                return Err(denials::session_over(&operation));
            }
            if gate.0.protection.stopped() {
                return Err(denials::all_stopped(&operation));
            }
            if gate.0.agents.is_paused(&operation.principal.agent) {
                return Err(denials::agent_paused(&operation));
            }
            Ok(())
        })
    }

    /// Records a refusal that a mouth found by itself (leak, address, malformed request).
    pub async fn refuse(&self, operation: Operation, denial: Denial) -> Denial {
        let turned = TurnedAway { operation, verdict: None, denial, approval: None };
        match self.turn_away(turned).await {
            Ruling::Denied(denial) => denial,
            // `turn_away` only ever denies; an admission dropped here would be abandoned, not used.
            Ruling::Admitted(_) => denials::impossible(),
        }
    }

    async fn turn_away(&self, turned: TurnedAway) -> Ruling {
        let TurnedAway { operation, verdict, mut denial, approval } = turned;
        self.0.breakers.give_back(&operation.id, self.0.clock.now());
        // What was asked about has a row that must not stay open; everything else is bounded.
        if approval.is_none() && !self.0.refusals.admits_denial(&operation, verdict.as_ref(), &denial) {
            denial.record = None;
            return Ruling::Denied(denial);
        }
        self.refused_as_loop(&operation, verdict.as_ref()).await;
        denial.record = Some(operation.id.clone());
        match self.0.store.deny(operation.clone(), verdict, denial.clone(), approval).await {
            Ok(_) => Ruling::Denied(denial),
            // It is turned away all the same; that it could not be recorded is the louder fact.
            Err(error) => {
                self.0.protection.set_degraded(Some(format!("the record cannot be written: {error}")));
                Ruling::Denied(denials::cannot_record(&operation, &error.into()))
            }
        }
    }

    pub(crate) async fn close(
        &self,
        operation: &Arc<Operation>,
        outcome: Outcome,
        settlement: Option<Settlement>,
    ) -> Result<Event, EngineError> {
        // Known before the answer's end is heard: what the agent does next belongs under it.
        if let Some(live) = self.0.sessions.find(&operation.principal.session) {
            live.lineage.settled(operation, &outcome);
        }
        let told = self.look_back(operation, &outcome);
        let recorded = self.0.owed.record(operation.clone(), End::Settled(outcome), settlement).await;
        self.0.running.lock().remove(&operation.id);
        self.tell(operation, told).await;
        Ok(recorded?)
    }

    /// For the drop guard: recorded in the background, because a drop cannot wait.
    pub(crate) fn abandon(&self, operation: Arc<Operation>, why: &'static str, settlement: Option<Settlement>) {
        self.0.running.lock().remove(&operation.id);
        let owed = Arc::clone(&self.0.owed);
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::error!(operation = %operation.id, "abandoned outside the runtime; the sweep will charge it");
            return;
        };
        runtime.spawn(async move {
            let id = operation.id.clone();
            if let Err(error) = owed.record(operation, End::Abandoned(why.to_owned()), settlement).await {
                tracing::error!(operation = %id, %error, "could not record an abandoned operation");
            }
        });
    }

    /// Re-judges what is running after the policy changed: what is denied now is cut.
    pub fn recheck(&self) {
        let running: Vec<(Arc<Operation>, CancellationToken)> = {
            let running = self.0.running.lock();
            running.values().map(|r| (Arc::clone(&r.operation), r.revoked.clone())).collect()
        };
        let now = self.0.clock.now();
        for (operation, revoked) in running {
            let Some(live) = self.0.sessions.find(&operation.principal.session) else { continue };
            let binds = self.0.protection.mode_for(&live.session, now) == Mode::Enforce;
            if binds && self.verdict(&operation, &live, now).decision() == Decision::Deny {
                revoked.cancel();
            }
        }
    }

    /// How many operations are under way.
    #[must_use]
    pub(crate) fn running(&self) -> usize {
        self.0.running.lock().len()
    }

    /// Every host is a new one for every agent: what was known of them was wiped.
    pub(crate) fn forget_seen(&self) {
        self.0.seen.forget_all();
    }

    /// Records how many refusals were not recorded one by one; `all`: also those of this minute.
    ///
    /// # Errors
    /// When it cannot be recorded; then the numbers wait for the next time.
    pub(crate) async fn record_counted(&self, all: bool) -> Result<(), EngineError> {
        let counted = self.0.refusals.counted(all);
        if !counted.is_empty() {
            let done = self.0.store.append(counted.clone()).await;
            done.inspect_err(|_| self.0.refusals.put_back(counted))?;
        }
        Ok(())
    }

    /// Records something that never became an operation. Of a flood of refused connections or stopped leaks only the first
    /// and their number.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn record(&self, draft: Draft) -> Result<(), EngineError> {
        if !self.0.refusals.admits(&draft) {
            return Ok(());
        }
        self.0.store.append(vec![draft]).await?;
        Ok(())
    }

    /// Records a credential's masking, injection or stopped leak beside its operation.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn note(&self, operation: &Operation, body: EventBody) -> Result<(), EngineError> {
        self.record(Draft::of(operation, body)).await
    }
}

/// Of two verdicts the one that lets less through; the first of two alike.
fn stricter(a: Verdict, b: Verdict) -> Verdict {
    let rank = |verdict: &Verdict| match verdict.decision() {
        Decision::Allow => 0,
        Decision::Ask => 1,
        Decision::Deny => 2,
    };
    let (kept, other) = if rank(&b) > rank(&a) { (b, a) } else { (a, b) };
    kept.held_to(other.obligations())
}

/// An operation that does not pass, with what is known of it.
struct TurnedAway {
    operation: Operation,
    verdict: Option<Verdict>,
    denial: Denial,
    approval: Option<ApprovalId>,
}

impl TurnedAway {
    fn unrecorded(operation: Operation, error: reeve_store::StoreError) -> Self {
        let denial = denials::cannot_record(&operation, &error.into());
        Self { operation, verdict: None, denial, approval: None }
    }

    fn after(case: Case, denial: Denial, approval: Option<ApprovalId>) -> Self {
        Self { operation: case.operation, verdict: Some(case.verdict), denial, approval }
    }
}

type FitNow = Box<dyn FnOnce(&[reeve_domain::budget::Balance]) -> Result<Reservation, Shortfall> + Send>;

/// How the reservation is made inside the transaction: fitted anew to the balances found there, except that what a human
/// approved is reserved exactly (over the very caps that the human was shown), and *Observe* reserves whatever the balances
/// say.
fn fit_in_transaction(
    quote: Option<Quote>,
    planned: Option<Reservation>,
    passes: Over,
    approved: bool,
) -> Option<FitNow> {
    let (quote, planned) = (quote?, planned?);
    Some(Box::new(move |balances| match passes {
        Over::All => Ok(planned),
        Over::Caps(caps) if approved => quote.still_fits(&planned, balances, &caps).map(|()| planned),
        Over::Caps(_) => quote.fit(balances),
    }))
}
