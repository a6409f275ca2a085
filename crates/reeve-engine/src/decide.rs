//! Deciding a held action: once, for the session, until a time, or always — with the rule shown before it is written.

use chrono::{DateTime, Utc};
use reeve_domain::approval::{GrantScope, Resolution, Resolved, Surface};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::grant::Grant;
use reeve_domain::id::{ApprovalId, GrantId};
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::{Decision, Risk};
use reeve_policy::{PolicySet, Reach, RuleInfo, RuleKind, RuleMode, Width};
use reeve_store::Change;

use crate::Engine;
use crate::approvals::Question;
use crate::error::EngineError;
use crate::policies::{Reload, STANDING_FILE};
use crate::presence::Person;

/// An answer on its way in.
#[derive(Debug, Clone)]
pub struct Answering {
    pub approval: ApprovalId,
    /// The one-use ticket that came with the card.
    pub ticket: String,
    pub resolution: Resolution,
    pub by: String,
    pub surface: Surface,
    pub reading_ms: Option<u64>,
    /// How wide and how lasting a rule is that *Always* writes.
    pub rule: Rule,
    /// The passphrase that proves a human, where the risk demands it.
    pub proof: Option<Secret>,
}

/// The choices a person has about the rule that *Always* writes. The same choices give the same text, to the byte.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    pub width: Width,
    pub lasting: Lasting,
    /// Every agent that works in the same folder, not only the one that asked.
    pub anyone: bool,
    /// Only in the folder of the session that asked, and below it.
    pub here: bool,
    /// The rule as a person edited it; the other choices then say nothing any more.
    pub text: Option<String>,
}

/// How long a rule holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lasting {
    #[default]
    Days30,
    Forever,
    Until(DateTime<Utc>),
}

impl Lasting {
    fn end(self, asked_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Days30 => Some(asked_at + chrono::Duration::days(30)),
            Self::Forever => None,
            Self::Until(at) => Some(at),
        }
    }
}

#[derive(Default)]
struct Leaves {
    grant: Option<Grant>,
    /// A rule was written into the standing file.
    rule: Option<String>,
    /// To be recorded with the answer.
    told: Vec<Draft>,
}

/// `late`: whose it is, where no answer to the question says so.
fn standing_told(question: &Question, text: &str, late: Option<(&str, Surface)>) -> Draft {
    let by = late.map(|(by, surface)| format!(", by {by} ({})", surface.as_str())).unwrap_or_default();
    let what = format!("standing approval for `{}`{by}", question.approval.agent);
    Draft::engine(EventBody::PolicyChanged { what, text: text.to_owned() })
}

/// A question leaves at most one grant or rule behind; it carries the question's own number.
pub(crate) fn grant_id(approval: &ApprovalId) -> Result<GrantId, EngineError> {
    let (_, number) = approval.as_str().split_once('_').unwrap_or_default();
    GrantId::parse(&format!("grt_{number}")).map_err(|error| EngineError::Refused(error.to_string()))
}

/// A function of the question, the scope and the choices alone: what is written is, to the byte, what was shown.
pub(crate) fn standing(
    question: &Question,
    scope: &GrantScope,
    rule: &Rule,
    now: DateTime<Utc>,
) -> Result<Grant, EngineError> {
    let approval = &question.approval;
    if let Some(firm) = approval.reasons.iter().find(|r| !r.liftable) {
        return Err(EngineError::Refused(format!(
            "rule `{}` does not allow standing approvals: it asks every time",
            firm.rule
        )));
    }
    if approval.unaffordable.is_some() {
        return Err(EngineError::Refused(
            "a budget held this, and a rule cannot raise a budget: raise the budget instead".to_owned(),
        ));
    }
    // While a question waits, the address that is judged is at hand; later there is only what the record shows of it.
    if question.operation.endpoint().is_some_and(|endpoint| endpoint.path.is_incomplete()) {
        return Err(EngineError::Refused(
            "the record hides a part of this address that looks like a secret, so a rule made from it would match nothing: \
             write it by hand"
                .to_owned(),
        ));
    }
    // Below no folder would be everywhere.
    let placed = matches!(scope, GrantScope::Always) && (rule.here || rule.anyone);
    if placed && !std::path::Path::new(&approval.cwd).is_absolute() {
        return Err(EngineError::Refused(
            "where this agent works is not known, so no rule can be bound to its folder".to_owned(),
        ));
    }
    let session = matches!(scope, GrantScope::Session).then(|| approval.session.clone());
    let expires_at = match scope {
        GrantScope::Until { at } => Some(*at),
        GrantScope::Always => rule.lasting.end(approval.asked_at),
        GrantScope::Once | GrantScope::Session => None,
    };
    let id = grant_id(&approval.id)?;
    let reach = match scope {
        GrantScope::Always => Reach {
            width: rule.width,
            anyone: rule.anyone,
            // What holds for every agent holds in one place only.
            folder: placed.then(|| approval.cwd.clone()),
        },
        GrantScope::Once | GrantScope::Session | GrantScope::Until { .. } => Reach::default(),
    };
    let text = reeve_policy::standing_approval_in(
        &reach,
        &question.operation,
        &approval.reasons,
        id.as_str(),
        expires_at,
        session.as_ref(),
    );
    let text = text.ok_or_else(|| {
        EngineError::Refused(
            "it holds what looks like a secret, or more than a rule may name: it asks every time".to_owned(),
        )
    })?;
    let edited = rule.text.as_ref().filter(|_| matches!(scope, GrantScope::Always));
    let text = edited.map_or(text, |edited| format!("{}\n", edited.trim()));
    Ok(Grant {
        id,
        agent: approval.agent.clone(),
        session,
        lifts: approval.reasons.iter().map(|r| r.rule.clone()).collect(),
        text,
        approval: approval.id.clone(),
        given_at: now,
        expires_at,
    })
}

impl Engine {
    /// The text that *Allow for session*, *until* or *Always* would put in force, exactly as it would be written.
    ///
    /// # Errors
    /// When the question is not open any more, or a rule's owner does not let a standing approval lift it.
    pub fn standing_text(&self, id: &ApprovalId, scope: &GrantScope) -> Result<String, EngineError> {
        let question = self.question(id)?;
        Ok(standing(&question, scope, &Rule::default(), self.now())?.text)
    }

    /// The text that *Always* would write as proposed, also for a question that was answered.
    ///
    /// # Errors
    /// When a rule's owner does not let a standing approval lift it.
    pub fn standing_rule(&self, question: &Question) -> Result<String, EngineError> {
        Ok(standing(question, &GrantScope::Always, &Rule::default(), self.now())?.text)
    }

    fn question(&self, id: &ApprovalId) -> Result<Question, EngineError> {
        let found = self.approvals().find(id);
        found.ok_or_else(|| EngineError::NotFound { what: "open question", name: id.to_string() })
    }

    /// Decides. What a wider scope leaves behind is written first; if it would not let the held action through, nothing is
    /// released and the error says which rule still decides.
    ///
    /// # Errors
    /// When the card was not shown and armed on this surface, the question is closed, or something cannot be written.
    pub async fn answer(&self, answering: Answering) -> Result<(), EngineError> {
        self.answer_with(answering, Risk::Low, Vec::new(), || ()).await
    }

    /// The same where a yes is at least this grave, together with what else it puts in force and the records of that: when
    /// everything was checked, recorded with the answer, and before anything is released.
    pub(crate) async fn answer_with(
        &self,
        answering: Answering,
        least: Risk,
        records: Vec<Draft>,
        in_force: impl FnOnce(),
    ) -> Result<(), EngineError> {
        self.admits(answering.surface)?;
        self.approvals().take_ticket(&answering.approval, &answering.ticket)?;
        let left = match &answering.resolution {
            Resolution::Approved { scope } => {
                let question = self.question(&answering.approval)?;
                self.proven_for(&question, least, &answering).await?;
                self.leaves(&question, scope, &answering.rule).await?
            }
            Resolution::Refused { .. } | Resolution::Expired | Resolution::Withdrawn => Leaves::default(),
        };
        let resolved = Resolved {
            resolution: answering.resolution,
            by: answering.by,
            surface: answering.surface,
            at: self.now(),
            reading_ms: answering.reading_ms,
        };
        let Leaves { grant, rule, mut told } = left;
        told.extend(records);
        let changes = grant.iter().cloned().map(Change::Grant).collect();
        let hold = || {
            grant.into_iter().for_each(|grant| self.grants().hold(grant));
            in_force();
        };
        let answered = self.approvals().resolve_with(&answering.approval, resolved, changes, told, hold).await;
        if let (Err(_), Some(text)) = (&answered, rule) {
            // Somebody answered first, or its time was up: the rule that was written goes with it.
            self.take_back(&text).await?;
        }
        answered
    }

    /// Fails unless a human is proven where a yes to this question, or the rule that they wrote for it, demands it.
    pub(crate) async fn proven_for(
        &self,
        question: &Question,
        least: Risk,
        answering: &Answering,
    ) -> Result<(), EngineError> {
        let (name, surface, proof) = (answering.by.clone(), answering.surface, answering.proof.clone());
        let what = format!("allowing `{}`", question.approval.id);
        let always = matches!(answering.resolution, Resolution::Approved { scope: GrantScope::Always });
        let weight = match &answering.rule.text {
            Some(_) if always => self.preview_of(question, &answering.rule).await?.weight,
            _ => question.approval.risk,
        };
        self.proven(&what, Some(weight.max(least)), &Person { name, surface, proof }).await
    }

    /// The set with one more rule of a question in it, which is a permit under the question's own name and nothing else: so it
    /// can be found again, and taken back to the byte.
    pub(crate) fn with_rule(&self, question: &Question, text: &str) -> Result<PolicySet, EngineError> {
        let id = grant_id(&question.approval.id)?;
        let set = self.policies().with_standing(text.trim_end())?;
        let is_it = |rule: &RuleInfo| {
            rule.id.as_str() == id.as_str()
                && rule.file == STANDING_FILE
                && rule.text == text.trim()
                && rule.mode == RuleMode::Enforce
                && matches!(rule.kind, RuleKind::Permit | RuleKind::Standing)
        };
        if set.rules().iter().any(is_it) {
            return Ok(set);
        }
        Err(EngineError::Refused(format!(
            "what is written here is one permit with `@id(\"{id}\")` and nothing before or after it: write other rules in your own files"
        )))
    }

    /// What an answer leaves in force, tried out on the held action first. A rule is in its file when this returns.
    async fn leaves(&self, question: &Question, scope: &GrantScope, rule: &Rule) -> Result<Leaves, EngineError> {
        match scope {
            GrantScope::Once => Ok(Leaves::default()),
            GrantScope::Session | GrantScope::Until { .. } => {
                let grant = standing(question, scope, rule, self.now())?;
                self.passes_with(question, Some(&grant))?;
                Ok(Leaves { grant: Some(grant), ..Leaves::default() })
            }
            GrantScope::Always => {
                let grant = standing(question, scope, rule, self.now())?;
                self.write_rule(question, &grant.text).await?;
                let told = vec![standing_told(question, &grant.text, None)];
                Ok(Leaves { rule: Some(grant.text), told, ..Leaves::default() })
            }
        }
    }

    /// Writes a rule after the answer, and records it with whose it is.
    pub(crate) async fn write_standing(
        &self,
        question: &Question,
        text: &str,
        late: (&str, Surface),
    ) -> Result<(), EngineError> {
        self.write_rule(question, text).await?;
        if let Err(unrecorded) = self.gate().record(standing_told(question, text, Some(late))).await {
            self.take_back(text).await?;
            return Err(unrecorded);
        }
        Ok(())
    }

    /// Writes a rule that lets the held action through, or nothing.
    async fn write_rule(&self, question: &Question, text: &str) -> Result<(), EngineError> {
        let _one_at_a_time = self.policies().alone().await;
        // What was changed outside a moment ago is weighed first: writing beside it would agree to it.
        self.reload().await?;
        self.with_rule(question, text)?;
        self.policies().append_standing(text)?;
        let works = match self.reload().await {
            Ok(Reload::Rejected { problem }) => Err(EngineError::Policy(problem)),
            Ok(Reload::Loaded { .. } | Reload::Waiting { .. } | Reload::Unchanged) => self.passes_with(question, None),
            Err(error) => Err(error),
        };
        if let Err(still) = works {
            self.drop_rule(text).await?;
            return Err(still);
        }
        Ok(())
    }

    /// A rule that was written goes again. What others wrote meanwhile stays.
    pub(crate) async fn take_back(&self, text: &str) -> Result<(), EngineError> {
        let _one_at_a_time = self.policies().alone().await;
        self.drop_rule(text).await
    }

    async fn drop_rule(&self, text: &str) -> Result<(), EngineError> {
        if let Some(rest) = self.policies().without_standing(text)? {
            self.policies().write_standing_file(&rest)?;
        }
        self.reload().await?;
        Ok(())
    }

    /// Judges the held action again, as its repetition would be, where one more grant were in force.
    fn passes_with(&self, question: &Question, grant: Option<&Grant>) -> Result<(), EngineError> {
        // A rule may be written after its session ended; a held action of an ended session is not open any more.
        let verdict = match self.sessions().find(&question.approval.session) {
            Some(live) => self.gate().verdict_with(&question.operation, &live, grant, self.now()),
            None => self.gate().foresee(&question.operation, Some(&question.approval.cwd)),
        };
        if verdict.decision() == Decision::Allow {
            return Ok(());
        }
        let rules: Vec<String> = verdict.reasons().iter().map(|r| format!("`{}`", r.rule)).collect();
        Err(EngineError::StillDecides(rules.join(", ")))
    }
}
