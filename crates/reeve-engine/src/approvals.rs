//! Questions put to a human: opened, joined, answered, expired; bound to the fingerprint of what will be executed.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::approval::{Approval, Resolution, Resolved, Surface};
use reeve_domain::budget::Cap;
use reeve_domain::clock::Clock;
use reeve_domain::event::Draft;
use reeve_domain::id::{ApprovalId, SessionId};
use reeve_domain::operation::Operation;
use reeve_domain::verdict::Verdict;
use reeve_store::{Change, Store, StoreError};
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::origin::Origin;

/// Most questions open at once for one agent; more are denied.
pub const MAX_PENDING_PER_AGENT: usize = 20;
/// An agent with so many open questions put within a minute is slowed: each further one is put this much later.
const STORM: usize = 10;
const STORM_WITHIN_SECONDS: i64 = 60;
const SLOWED_BY: Duration = Duration::from_secs(2);
/// How long an approval that nobody has used yet stays valid, once, for the same agent, human, folder and fingerprint.
pub const UNUSED_FOR: Duration = Duration::from_secs(600);
/// How long a refusal answers repeats of the same question in the same session by itself.
const REFUSAL_STANDS_FOR: Duration = Duration::from_secs(600);
/// The same for an expiry: long enough for a client's own retries, short enough that asking again later asks again.
const EXPIRY_STANDS_FOR: Duration = Duration::from_secs(60);

/// How long a card of an answered question may be answered after it was shown: a page left open decides nothing.
const LATE_TICKETS: Duration = Duration::from_secs(3600);
const MOST_LATE_TICKETS: usize = 200;

/// How long a card must have been shown before it can be decided, wherever it was: who shows it is a caller's own
/// word.
pub const ARMING: Duration = Duration::from_millis(700);

/// Connections that one question remembers.
const MOST_ORIGINS: usize = 32;

/// A question about to be put.
#[derive(Debug, Clone)]
pub struct Question {
    pub approval: Approval,
    pub operation: Operation,
    pub verdict: Verdict,
    /// Over whose connections it was asked, by whoever joined too; not known of one from the record.
    pub origins: Vec<Origin>,
    /// It comes back from one that expired, of which its person was told: that expiry is no answer any more.
    pub anew: bool,
    /// What the model said when it asked for this; foreign text that may hold secrets. Not known of one from the record.
    pub said: Option<String>,
}

impl Question {
    /// The first program among those who ask that is none the session started.
    #[must_use]
    pub fn stranger(&self) -> Option<&str> {
        self.origins.iter().find_map(Origin::stranger)
    }

    /// Somebody else asks the same. Only who is a stranger, or may turn out to be one, is of interest.
    fn join(&mut self, joining: &Self) {
        self.origins.retain(Origin::matters);
        let room = MOST_ORIGINS.saturating_sub(self.origins.len());
        self.origins.extend(joining.origins.iter().filter(|origin| origin.matters()).take(room).cloned());
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// `output_limit` is the one the human saw and the fingerprint was made with;
    /// `over`: the caps that the card said do not afford it.
    Approved {
        approval: ApprovalId,
        output_limit: Option<u64>,
        waited: bool,
        over: Vec<Cap>,
        claim: Claim,
    },
    Refused {
        approval: ApprovalId,
        reason: Option<String>,
    },
    Expired {
        approval: ApprovalId,
    },
    Withdrawn,
    TooMany,
}

/// Held by who waited for an answer until its operation is recorded: meanwhile the approval is nobody else's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claim(Arc<()>);

/// Whether an approval from before still lets an operation through.
type Usable<'a> = &'a (dyn Fn(&Approval) -> bool + Sync);

type Slot = watch::Sender<Option<Resolved>>;

/// Owner of the open questions.
#[derive(Debug)]
pub struct Approvals {
    store: Store,
    clock: Arc<dyn Clock>,
    open: Mutex<HashMap<ApprovalId, Open>>,
    /// Approvals whose waiters may still be on their way to the record. Locked inside `open`.
    claimed: Mutex<HashMap<ApprovalId, Weak<()>>>,
    /// Tickets of cards that were shown after their answer: question, ticket and when (monotonic), oldest first.
    late: Mutex<Vec<(ApprovalId, String, Duration)>>,
}

#[derive(Debug)]
struct Open {
    question: Question,
    expires_at: DateTime<Utc>,
    longest: DateTime<Utc>,
    /// One-use tickets handed out with the shown card, and when (monotonic).
    shown: Vec<(String, Duration)>,
    slot: Slot,
    claim: Claim,
}

impl Open {
    fn asked(&self) -> &Approval {
        &self.question.approval
    }
}

enum Place {
    Joined(Waiting),
    Full,
    Over,
    Opened(Waiting),
}

/// What a waiter holds on to.
struct Waiting {
    id: ApprovalId,
    answer: watch::Receiver<Option<Resolved>>,
    output_limit: Option<u64>,
    over: Vec<Cap>,
    claim: Claim,
}

impl Waiting {
    fn on(approval: &Approval, slot: &Slot, claim: &Claim) -> Self {
        Self {
            id: approval.id.clone(),
            answer: slot.subscribe(),
            output_limit: approval.output_limit,
            over: approval.over.clone(),
            claim: claim.clone(),
        }
    }
}

impl Approvals {
    #[must_use]
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, open: Mutex::default(), claimed: Mutex::default(), late: Mutex::default() }
    }

    /// Puts a question, or finds the one that was put before, and waits for its answer. Dropping the future only
    /// detaches this waiter.
    ///
    /// `ended` is cancelled before the session's questions are withdrawn: what comes after that asks no more. `usable` says
    /// whether an approval from before still lets this through.
    ///
    /// # Errors
    /// When the question cannot be recorded.
    pub async fn ask(
        &self,
        question: Question,
        longest: Duration,
        ended: &CancellationToken,
        usable: Usable<'_>,
    ) -> Result<Answer, EngineError> {
        if let Some(answer) = self.answered_before(&question, usable).await? {
            return Ok(answer);
        }
        let Waiting { id, mut answer, output_limit, over, claim } = match self.place(&question, longest, ended) {
            Place::Joined(waiting) => {
                // Answered or not recorded yet: the count of a card is not worth refusing for.
                if let Err(error) = self.store.join_approval(&waiting.id).await {
                    tracing::debug!(%error, approval = %waiting.id, "a joined question was not counted");
                }
                waiting
            }
            Place::Full => return Ok(Answer::TooMany),
            Place::Over => return Ok(Answer::Withdrawn),
            Place::Opened(waiting) => {
                self.record(question).await?;
                waiting
            }
        };
        let resolved = match answer.wait_for(Option::is_some).await {
            Ok(resolved) => resolved.clone(),
            // The sender is gone only when the engine is.
            Err(_) => None,
        };
        Ok(match resolved.map(|r| r.resolution) {
            Some(Resolution::Approved { .. }) => {
                Answer::Approved { approval: id, output_limit, waited: true, over, claim }
            }
            Some(Resolution::Refused { reason }) => Answer::Refused { approval: id, reason },
            Some(Resolution::Expired) => Answer::Expired { approval: id },
            Some(Resolution::Withdrawn) | None => Answer::Withdrawn,
        })
    }

    /// Lets one more question of an agent that puts them faster than anybody reads wait before it is put; says whether it did.
    /// Whoever waited is to be judged anew.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) async fn slow(
        &self,
        question: &Question,
        ended: &CancellationToken,
        usable: Usable<'_>,
    ) -> Result<bool, EngineError> {
        if !self.storms(question) || self.answered_before(question, usable).await?.is_some() {
            return Ok(false);
        }
        tokio::select! {
            () = ended.cancelled() => {}
            () = tokio::time::sleep(SLOWED_BY) => {}
        }
        Ok(true)
    }

    /// A client that gave up and repeats finds the answer that came meanwhile: an approval not used yet (also one from
    /// before the engine restarted), or a refusal that still stands.
    async fn answered_before(&self, question: &Question, usable: Usable<'_>) -> Result<Option<Answer>, EngineError> {
        let asked = &question.approval;
        let now = self.clock.now();
        let since = now - chrono::Duration::from_std(UNUSED_FOR).unwrap_or_default();
        let look = || self.store.unused_approval(&asked.agent, &asked.user, &asked.cwd, &asked.question, since);
        if let Some(unused) = look().await?
            && !self.is_claimed(&unused.id)
            && usable(&unused)
            // Whoever waited for it may have used it between the two looks: then it is asked anew, not turned away.
            && look().await?.is_some_and(|still| still.id == unused.id)
        {
            return Ok(Some(Answer::Approved {
                approval: unused.id,
                output_limit: unused.output_limit,
                waited: false,
                over: unused.over,
                claim: Claim::default(),
            }));
        }
        let Some(last) = self.store.last_answer(&asked.agent, &asked.session, &asked.question).await? else {
            return Ok(None);
        };
        let Some(resolved) = last.resolved else { return Ok(None) };
        let age = (now - resolved.at).to_std().unwrap_or_default();
        Ok(match resolved.resolution {
            Resolution::Refused { reason } if age < REFUSAL_STANDS_FOR => {
                Some(Answer::Refused { approval: last.id, reason })
            }
            Resolution::Expired if age < EXPIRY_STANDS_FOR && !question.anew => {
                Some(Answer::Expired { approval: last.id })
            }
            _ => None,
        })
    }

    /// Whether somebody who waited for this answer has not used it yet.
    fn is_claimed(&self, id: &ApprovalId) -> bool {
        let open = self.open.lock();
        open.contains_key(id) || self.claimed.lock().get(id).is_some_and(|claim| claim.strong_count() > 0)
    }

    /// Whether this is one more question of an agent that puts them faster than anybody reads.
    fn storms(&self, question: &Question) -> bool {
        let asked = &question.approval;
        let open = self.open.lock();
        let mine = open.values().map(Open::asked).filter(|one| one.agent == asked.agent);
        let (mut recent, mut joins) = (0, false);
        for one in mine {
            recent += usize::from((asked.asked_at - one.asked_at).num_seconds() < STORM_WITHIN_SECONDS);
            joins |= one.session == asked.session && one.question == asked.question;
        }
        recent >= STORM && !joins
    }

    /// Joins the same question or enters a new one, in one step: identical questions never double.
    fn place(&self, question: &Question, longest: Duration, ended: &CancellationToken) -> Place {
        let asked = &question.approval;
        let mut open = self.open.lock();
        if ended.is_cancelled() {
            return Place::Over;
        }
        let same = |o: &Approval| o.agent == asked.agent && o.session == asked.session && o.question == asked.question;
        if let Some(found) = open.values_mut().find(|o| same(o.asked())) {
            found.question.join(question);
            return Place::Joined(Waiting::on(found.asked(), &found.slot, &found.claim));
        }
        if open.values().filter(|o| o.asked().agent == asked.agent).count() >= MAX_PENDING_PER_AGENT {
            return Place::Full;
        }
        let (slot, _) = watch::channel(None);
        let claim = Claim::default();
        let waiting = Waiting::on(asked, &slot, &claim);
        let longest = asked.asked_at + chrono::Duration::from_std(longest).unwrap_or_default();
        let entered =
            Open { question: question.clone(), expires_at: asked.expires_at, longest, shown: Vec::new(), slot, claim };
        open.insert(asked.id.clone(), entered);
        Place::Opened(waiting)
    }

    async fn record(&self, question: Question) -> Result<(), EngineError> {
        let id = question.approval.id.clone();
        let recorded = self.store.ask(question.approval, question.operation, question.verdict).await;
        if recorded.is_err() {
            // Whoever joined meanwhile hears that nobody will answer.
            self.open.lock().remove(&id);
        }
        recorded?;
        Ok(())
    }

    /// The open question itself.
    #[must_use]
    pub fn find(&self, id: &ApprovalId) -> Option<Question> {
        let open = self.open.lock();
        let found = open.get(id)?;
        let mut question = found.question.clone();
        question.approval.expires_at = found.expires_at;
        Some(question)
    }

    /// Hands out a ticket with a card that is about to be shown; deciding needs it.
    ///
    /// # Errors
    /// When there is no such open question.
    pub fn show(&self, id: &ApprovalId) -> Result<String, EngineError> {
        let ticket = hex::encode(rand::random::<[u8; 16]>());
        let now = self.clock.monotonic();
        let mut open = self.open.lock();
        let found =
            open.get_mut(id).ok_or_else(|| EngineError::NotFound { what: "open question", name: id.to_string() })?;
        found.shown.push((ticket.clone(), now));
        Ok(ticket)
    }

    /// Hands out a ticket with a card that shows an answered question.
    #[must_use]
    pub fn show_answered(&self, id: &ApprovalId) -> String {
        let ticket = hex::encode(rand::random::<[u8; 16]>());
        let now = self.clock.monotonic();
        let mut late = self.late.lock();
        late.retain(|(_, _, at)| now.saturating_sub(*at) < LATE_TICKETS);
        if late.len() >= MOST_LATE_TICKETS {
            late.remove(0);
        }
        late.push((id.clone(), ticket.clone(), now));
        ticket
    }

    /// The same as [`Approvals::take_ticket`] for a card of an answered question.
    ///
    /// # Errors
    /// When it was not shown, not long enough, or too long ago.
    pub(crate) fn take_late_ticket(&self, id: &ApprovalId, ticket: &str) -> Result<(), EngineError> {
        let now = self.clock.monotonic();
        let mut late = self.late.lock();
        let place = late.iter().position(|(of, given, at)| {
            of == id && bool::from(given.as_bytes().ct_eq(ticket.as_bytes())) && now.saturating_sub(*at) < LATE_TICKETS
        });
        let Some(place) = place else {
            return Err(EngineError::NotArmed("the card was not shown here, so it cannot be decided here".to_owned()));
        };
        let early = late.get(place).is_some_and(|(_, _, at)| now.saturating_sub(*at) < ARMING);
        if early {
            return Err(EngineError::NotArmed("the card is not armed yet".to_owned()));
        }
        late.remove(place);
        Ok(())
    }

    /// Takes a ticket back in: it must be one that was handed out with this card, used once, and long enough ago.
    ///
    /// # Errors
    /// When the question is not open any more, or the ticket does not admit a decision.
    pub(crate) fn take_ticket(&self, id: &ApprovalId, ticket: &str) -> Result<(), EngineError> {
        let now = self.clock.monotonic();
        let mut open = self.open.lock();
        let found =
            open.get_mut(id).ok_or_else(|| EngineError::NotFound { what: "open question", name: id.to_string() })?;
        let place = found.shown.iter().position(|(given, _)| given.as_bytes().ct_eq(ticket.as_bytes()).into());
        let Some(place) = place else {
            return Err(EngineError::NotArmed("the card was not shown here, so it cannot be decided here".to_owned()));
        };
        let early = found.shown.get(place).is_some_and(|(_, at)| now.saturating_sub(*at) < ARMING);
        if early {
            return Err(EngineError::NotArmed("the card is not armed yet".to_owned()));
        }
        found.shown.remove(place);
        Ok(())
    }

    /// Answers a question. The first answer counts.
    ///
    /// # Errors
    /// When there is no such open question, or the answer cannot be recorded (then it does not count).
    pub async fn resolve(&self, id: &ApprovalId, resolved: Resolved) -> Result<(), EngineError> {
        self.resolve_with(id, resolved, Vec::new(), Vec::new(), || ()).await
    }

    /// The same together with what the answer leaves in force: recorded with it or not at all, and `in_force` before
    /// anybody who waits hears of it.
    pub(crate) async fn resolve_with(
        &self,
        id: &ApprovalId,
        resolved: Resolved,
        changes: Vec<Change>,
        drafts: Vec<Draft>,
        in_force: impl FnOnce(),
    ) -> Result<(), EngineError> {
        if !self.open.lock().contains_key(id) {
            return Err(EngineError::NotFound { what: "open question", name: id.to_string() });
        }
        self.store.resolve_approval_with(id, resolved.clone(), changes, drafts).await?;
        in_force();
        let mut open = self.open.lock();
        if let Some(answered) = open.remove(id) {
            let mut claimed = self.claimed.lock();
            claimed.retain(|_, claim| claim.strong_count() > 0);
            claimed.insert(id.clone(), Arc::downgrade(&answered.claim.0));
            answered.slot.send_replace(Some(resolved));
        }
        Ok(())
    }

    /// Gives a question more time, up to what its channel bears.
    ///
    /// # Errors
    /// When there is no such open question, or it cannot be recorded.
    pub async fn extend(&self, id: &ApprovalId, by: Duration) -> Result<DateTime<Utc>, EngineError> {
        let until = {
            let open = self.open.lock();
            let found =
                open.get(id).ok_or_else(|| EngineError::NotFound { what: "open question", name: id.to_string() })?;
            (found.expires_at + chrono::Duration::from_std(by).unwrap_or_default()).min(found.longest)
        };
        self.store.extend_approval(id, until).await?;
        if let Some(found) = self.open.lock().get_mut(id) {
            found.expires_at = until;
        }
        Ok(until)
    }

    /// Lets every question expire whose time is up. Silence never allows.
    ///
    /// # Errors
    /// When an expiry cannot be recorded; it is tried again at the next tick, and the question stays closed to no one.
    pub async fn expire(&self, now: DateTime<Utc>) -> Result<(), EngineError> {
        let over: Vec<ApprovalId> = {
            let open = self.open.lock();
            open.iter().filter(|(_, o)| o.expires_at <= now).map(|(id, _)| id.clone()).collect()
        };
        for id in over {
            self.close(&id, Resolution::Expired, now).await?;
        }
        Ok(())
    }

    /// Withdraws every question of a session that ended; its token is cancelled already.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub(crate) async fn withdraw(&self, session: &SessionId, now: DateTime<Utc>) -> Result<(), EngineError> {
        let theirs: Vec<ApprovalId> = {
            let open = self.open.lock();
            open.iter().filter(|(_, o)| o.asked().session == *session).map(|(id, _)| id.clone()).collect()
        };
        for id in theirs {
            self.close(&id, Resolution::Withdrawn, now).await?;
        }
        Ok(())
    }

    async fn close(&self, id: &ApprovalId, resolution: Resolution, now: DateTime<Utc>) -> Result<(), EngineError> {
        let resolved =
            Resolved { resolution, by: "reeve".to_owned(), surface: Surface::Engine, at: now, reading_ms: None };
        match self.resolve(id, resolved).await {
            // Somebody answered in the same moment.
            Err(EngineError::NotFound { .. } | EngineError::Store(StoreError::Closed { .. })) => Ok(()),
            // Entered, but never recorded: its asker went away before.
            Err(EngineError::Store(StoreError::NotFound { .. })) => {
                self.open.lock().remove(id);
                Ok(())
            }
            other => other,
        }
    }

    /// How many questions wait right now.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.open.lock().len()
    }
}
