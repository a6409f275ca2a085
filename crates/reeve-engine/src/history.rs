//! What was asked and answered before: for the card, and for the rules that a person may want instead of being asked.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use reeve_domain::approval::{Approval, GrantScope, Resolution, Resolved, Surface};
use reeve_domain::budget::{Account, Balance};
use reeve_domain::id::{ApprovalId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::query;
use reeve_domain::shape::{Asked, Shape};
use reeve_domain::verdict::Decision;

use crate::Engine;
use crate::approvals::Question;
use crate::budgets::Standing;
use crate::error::EngineError;

/// Newest questions looked at: bounds the work that showing a card makes.
const LOOKED_AT: usize = 500;
/// How far back *Before* counts.
const BEFORE_DAYS: i64 = 30;
/// How far back repeated approvals suggest a rule, and how many.
const SUGGEST_HOURS: i64 = 24;
const SUGGEST_AFTER: u32 = 5;
/// Decisions that the median reading time is taken over.
const READ: usize = 10;
/// A rule that ends this soon is worth a look.
const EXPIRING_DAYS: i64 = 3;

/// What was decided about the same shape before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Before {
    pub asked: u32,
    pub approved: u32,
    pub refused: u32,
}

/// What a held call to a model may cost, and what it counts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    pub budgets: Vec<(Balance, Standing)>,
    /// Date of the list that the price is from; none without a price.
    pub date: Option<String>,
    /// The part that the input is, at most.
    pub input: NanoUsd,
}

/// Something a person may want to change. Shown; never done by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// The same shape was allowed by hand so often: write a rule, from this question.
    MakeRule { question: Box<Approval>, times: u32 },
    /// A standing rule ends soon.
    Expiring { rule: String, reason: String, at: DateTime<Utc> },
    /// A rule of the person's own decided nothing for so many days.
    Unused { rule: String, reason: String, days: u32 },
    /// A permission that only one agent used, or for one address, and that covers more.
    Tighten { rule: String, reason: String, times: u64, agent: Option<String>, path: Option<String> },
    /// Everything was only observed for a day: what would have been held and denied of so many actions,
    /// or of more where the count stopped.
    ReadyToEnforce { actions: u64, held: u64, denied: u64, capped: bool },
    /// A secret is as old as its reminder says.
    Rotate { credential: String, name: String, days: u32 },
}

impl Engine {
    /// How often the same shape was asked about in 30 days, before this question.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn before(&self, question: &Approval) -> Result<Before, EngineError> {
        let shape = question.shape();
        let since = self.now() - chrono::Duration::days(BEFORE_DAYS);
        let mut before = Before::default();
        for one in self.store().asked(Some(question.agent.clone()), since, LOOKED_AT).await? {
            let Some(resolved) = &one.resolved else { continue };
            if one.id == question.id || one.shape() != shape {
                continue;
            }
            before.asked += 1;
            match resolved.resolution {
                Resolution::Approved { .. } => before.approved += 1,
                Resolution::Refused { .. } => before.refused += 1,
                Resolution::Expired | Resolution::Withdrawn => {}
            }
        }
        Ok(before)
    }

    /// What this session has cost so far, in nano-USD.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn session_cost(&self, session: &SessionId) -> Result<i64, EngineError> {
        let query = query::parse(&format!("session:{session}")).query;
        Ok(self.store().facets(&query).await?.cost)
    }

    /// Every budget that a held call counts in, the tightest first, with its balance and the most that the call may take.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn price_of(&self, question: &Question) -> Result<Option<Price>, EngineError> {
        let Some(quote) = self.gate().quote(&question.operation) else { return Ok(None) };
        let accounts = quote.accounts();
        let balances = self.store().balances(accounts.clone()).await?;
        let balance_of = |account: &Account| {
            let place = accounts.iter().position(|one| one == account);
            place.and_then(|at| balances.get(at)).cloned().unwrap_or(Balance { settled: 0, reserved: 0 })
        };
        let budgets = quote.standing(&balances).into_iter();
        let budgets = budgets.map(|one| (balance_of(&one.account), one)).collect();
        let whole = quote.with_output(question.approval.output_limit);
        let priced = whole.price.is_some().then(|| self.prices().table().date().to_owned());
        Ok(Some(Price { budgets, date: priced, input: quote.with_output(Some(0)).amount }))
    }

    /// How often this shape was allowed once by hand in the last 24 hours.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn allowed_lately(&self, question: &Approval) -> Result<u32, EngineError> {
        let since = self.now() - chrono::Duration::hours(SUGGEST_HOURS);
        let asked = self.store().asked(Some(question.agent.clone()), since, LOOKED_AT).await?;
        let shape = question.shape();
        let times = asked.iter().filter(|one| allowed_once(one.resolved.as_ref()) && one.shape() == shape).count();
        Ok(u32::try_from(times).unwrap_or(u32::MAX))
    }

    /// What may be worth changing, the most frequent first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn suggestions(&self) -> Result<Vec<Suggestion>, EngineError> {
        let now = self.now();
        let recent = self.store().asked(None, now - chrono::Duration::hours(SUGGEST_HOURS), LOOKED_AT).await?;
        let mut often: HashMap<Shape, (u32, ApprovalId)> = HashMap::new();
        for one in recent.iter().filter(|one| allowed_once(one.resolved.as_ref())) {
            // Newest first: the first one seen is the one a rule is made from.
            often.entry(one.shape()).or_insert_with(|| (0, one.id.clone())).0 += 1;
        }
        let mut often: Vec<(u32, ApprovalId)> =
            often.into_values().filter(|(times, _)| *times >= SUGGEST_AFTER).collect();
        often.sort_by(|a, b| b.cmp(a));
        let mut found = Vec::new();
        for (times, id) in often {
            let question = self.question_of(&id).await?;
            let firm = question.operation.endpoint().is_some_and(|endpoint| endpoint.path.is_incomplete())
                || !reeve_policy::may_stand(&question.approval.reasons)
                || question.approval.unaffordable.is_some()
                || reeve_policy::widths(&question.operation).is_empty();
            // A rule that was written since answers it already.
            if !firm
                && self.gate().foresee(&question.operation, Some(&question.approval.cwd)).decision() == Decision::Ask
            {
                found.push(Suggestion::MakeRule { question: Box::new(question.approval), times });
            }
        }
        let soon = now + chrono::Duration::days(EXPIRING_DAYS);
        for rule in self.policies().in_force().set.rules() {
            if let Some(at) = rule.expires.filter(|at| now < *at && *at < soon) {
                found.push(Suggestion::Expiring { rule: rule.id.to_string(), reason: rule.reason, at });
            }
        }
        found.extend(self.tidying().await?);
        Ok(found)
    }

    /// Median time that the last ten answers in the window were read for, in milliseconds; none while there are fewer.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn reading_median(&self) -> Result<Option<u64>, EngineError> {
        let since = self.now() - chrono::Duration::hours(SUGGEST_HOURS);
        let asked = self.store().asked(None, since, LOOKED_AT).await?;
        let by_hand = |one: &Asked| {
            let resolved = one.resolved.as_ref().filter(|resolved| resolved.surface == Surface::MainWindow)?;
            resolved.reading_ms
        };
        let mut read: Vec<u64> = asked.iter().filter_map(by_hand).take(READ).collect();
        read.sort_unstable();
        Ok(if read.len() < READ { None } else { read.get(READ / 2).copied() })
    }
}

fn allowed_once(resolved: Option<&Resolved>) -> bool {
    resolved.is_some_and(|r| r.resolution == Resolution::Approved { scope: GrantScope::Once })
}
