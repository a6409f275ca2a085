//! After the answer: taking back what it put in force, a late yes for what expired, and the rule that a person writes later.

use reeve_domain::approval::{Approval, GrantScope, Resolution, Resolved};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{ApprovalId, GrantId};
use reeve_domain::verdict::Risk;

use crate::Engine;
use crate::approvals::Question;
use crate::decide::{Answering, Rule, grant_id, standing};
use crate::error::EngineError;
use crate::policies::STANDING_FILE;
use crate::policies::replay::{Replay, WINDOW};

/// What an answer left behind that is still in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeftBehind {
    /// For a session or until some time.
    Grant { id: GrantId, text: String },
    /// A rule in the standing file.
    Rule { id: String, text: String },
}

/// The rule before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Exactly what would be written.
    pub text: String,
    /// What it would have changed of the last seven days.
    pub effect: Replay,
    /// How grave it is to write it: as the question, and where a person edited it, as whatever loosens the rules.
    pub weight: Risk,
}

impl Engine {
    /// A question that is open, or one from the record.
    ///
    /// # Errors
    /// When there is none, or the record cannot be read.
    pub async fn question_of(&self, id: &ApprovalId) -> Result<Question, EngineError> {
        if let Some(open) = self.approvals().find(id) {
            return Ok(open);
        }
        let unknown = || EngineError::NotFound { what: "question", name: id.to_string() };
        let approval = self.store().approval(id).await?.ok_or_else(unknown)?;
        let detail = self.store().detail(&approval.operation).await?.ok_or_else(unknown)?;
        let asked = detail.events.into_iter().find_map(|event| match event.body {
            EventBody::ApprovalRequested { approval, operation, verdict } if approval.id == *id => {
                Some((operation, verdict))
            }
            _ => None,
        });
        let (operation, verdict) = asked.ok_or_else(unknown)?;
        Ok(Question { approval, operation, verdict, origins: Vec::new(), anew: false, said: None })
    }

    /// The rule that *Always* would write with these choices, and what it would have changed.
    ///
    /// # Errors
    /// When a rule's owner does not let a standing approval lift it, or the set does not load with it.
    pub async fn preview(&self, id: &ApprovalId, rule: Rule) -> Result<Preview, EngineError> {
        self.preview_of(&self.question_of(id).await?, &rule).await
    }

    pub(crate) async fn preview_of(&self, question: &Question, rule: &Rule) -> Result<Preview, EngineError> {
        let text = standing(question, &GrantScope::Always, rule, self.now())?.text;
        let candidate = self.with_rule(question, &text)?;
        let effect = self.replay(candidate.into(), self.now() - WINDOW).await?;
        let edited = rule.text.as_ref().map(|_| effect.weight().map_or(Risk::High, |gravest| gravest.max(Risk::High)));
        let weight = edited.map_or(question.approval.risk, |edited| edited.max(question.approval.risk));
        Ok(Preview { text, effect, weight })
    }

    /// What the answer to this question left in force, where it did and still is.
    #[must_use]
    pub fn left_behind(&self, approval: &Approval) -> Option<LeftBehind> {
        let id = grant_id(&approval.id).ok()?;
        let now = self.now();
        let alive = |end: Option<chrono::DateTime<chrono::Utc>>| end.is_none_or(|end| now < end);
        let grants = self.grants().list();
        if let Some(grant) = grants.into_iter().find(|g| g.id == id && alive(g.expires_at)) {
            let over = grant.session.as_ref().is_some_and(|session| self.sessions().find(session).is_none());
            return (!over).then_some(LeftBehind::Grant { id, text: grant.text });
        }
        let rules = self.policies().in_force().set.rules();
        let written = |r: &&reeve_policy::RuleInfo| r.id.as_str() == id.as_str() && r.file == STANDING_FILE;
        let rule = rules.iter().find(written).filter(|r| alive(r.expires))?;
        Some(LeftBehind::Rule { id: rule.id.to_string(), text: rule.text.clone() })
    }

    /// Takes back what an answer put in force: the next one who asks is asked about again.
    ///
    /// # Errors
    /// When nothing of it is in force any more, the rule was edited since, or it cannot be recorded (then it stays).
    pub async fn undo(&self, id: &ApprovalId, by: String) -> Result<(), EngineError> {
        let unknown = || EngineError::NotFound { what: "question", name: id.to_string() };
        let approval = self.store().approval(id).await?.ok_or_else(unknown)?;
        let told = |what: String| Draft {
            agent: Some(approval.agent.clone()),
            session: Some(approval.session.clone()),
            operation: Some(approval.operation.clone()),
            body: EventBody::ApprovalUndone { approval: id.clone(), what, by },
        };
        match self.left_behind(&approval) {
            None => Err(EngineError::Refused("nothing that this answer wrote is in force any more".to_owned())),
            Some(LeftBehind::Grant { id, .. }) => self.grants().revoke(&id, told(format!("grant {id}"))).await,
            Some(LeftBehind::Rule { id, text }) => self.unwrite_standing(&text, told(format!("rule {id}"))).await,
        }
    }

    /// Takes one rule out of the standing file; all else in it stays, byte for byte.
    async fn unwrite_standing(&self, text: &str, told: Draft) -> Result<(), EngineError> {
        let policies = self.policies();
        let _one_at_a_time = policies.alone().await;
        // As before a rule is written.
        self.reload().await?;
        let path = policies.folder().join(STANDING_FILE);
        let Some(rest) = policies.without_standing(text)? else {
            return Err(EngineError::Refused(format!(
                "the rule was edited since it was written: remove it in `{}`",
                path.display()
            )));
        };
        if rest.is_empty() {
            policies.write_standing_file(&rest)?;
        } else {
            policies.replace(&path, &rest)?;
        }
        self.reload().await?;
        if let Err(unrecorded) = self.gate().record(told).await {
            policies.append_standing(text)?;
            self.reload().await?;
            return Err(unrecorded);
        }
        Ok(())
    }

    /// A yes after the answer: to what expired, for the next one who asks the very same, once and within ten minutes; or
    /// a rule, to what expired or was allowed by hand before.
    ///
    /// # Errors
    /// As [`Engine::answer`], and when the question has another answer.
    pub async fn allow_late(&self, answering: Answering) -> Result<(), EngineError> {
        self.admits(answering.surface)?;
        self.approvals().take_late_ticket(&answering.approval, &answering.ticket)?;
        let Resolution::Approved { scope } = &answering.resolution else {
            return Err(EngineError::Refused("what is over can only be allowed late".to_owned()));
        };
        let question = self.question_of(&answering.approval).await?;
        self.proven_for(&question, Risk::Low, &answering).await?;
        let answer = question.approval.resolved.as_ref().map(|resolved| &resolved.resolution);
        let expired = matches!(answer, Some(Resolution::Expired));
        let written = match scope {
            GrantScope::Once if expired => None,
            GrantScope::Always if expired || matches!(answer, Some(Resolution::Approved { .. })) => {
                let text = standing(&question, scope, &answering.rule, self.now())?.text;
                self.write_standing(&question, &text, (&answering.by, answering.surface)).await?;
                Some(text)
            }
            _ => return Err(EngineError::Refused("this question has another answer".to_owned())),
        };
        if !expired {
            return Ok(());
        }
        let resolved = Resolved {
            resolution: answering.resolution,
            by: answering.by,
            surface: answering.surface,
            at: self.now(),
            reading_ms: answering.reading_ms,
        };
        if let Err(unrecorded) = self.store().resolve_late(&answering.approval, resolved).await {
            if let Some(text) = written {
                self.take_back(&text).await?;
            }
            return Err(unrecorded.into());
        }
        Ok(())
    }
}
