//! Limits raised for one session, by hand, until it ends. The files stay as they are, and other sessions bound by them.

use std::borrow::Cow;
use std::collections::HashMap;

use parking_lot::RwLock;
use reeve_domain::approval::{GrantScope, Resolution};
use reeve_domain::budget::{BudgetDefinition, Limit};
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{BudgetId, SessionId};
use reeve_domain::money::NanoUsd;
use reeve_domain::verdict::Risk;

use crate::Engine;
use crate::decide::Answering;
use crate::error::EngineError;

/// Most that one click raises: 1,000 dollars, or a billion tokens.
const MOST: i64 = 1_000 * 1_000_000_000;

/// Owner of the raises in force. Memory alone: the sessions they belong to do not outlive the engine either.
#[derive(Debug, Default)]
pub struct Raises(RwLock<HashMap<SessionId, HashMap<BudgetId, i64>>>);

impl Raises {
    /// The limits that bind this session.
    #[must_use]
    pub fn applied<'a>(&self, definitions: &'a [BudgetDefinition], session: &SessionId) -> Cow<'a, [BudgetDefinition]> {
        let all = self.0.read();
        let Some(raised) = all.get(session) else { return Cow::Borrowed(definitions) };
        let raise = |definition: &BudgetDefinition| {
            let by = raised.get(&definition.id).copied().unwrap_or_default();
            let limit = match definition.limit {
                Limit::Money(amount) => Limit::Money(NanoUsd(amount.0.saturating_add(by))),
                Limit::Tokens(tokens) => Limit::Tokens(tokens.saturating_add(u64::try_from(by).unwrap_or_default())),
            };
            BudgetDefinition { limit, ..definition.clone() }
        };
        Cow::Owned(definitions.iter().map(raise).collect())
    }

    fn add(&self, session: &SessionId, budget: &BudgetId, by: i64) {
        let mut all = self.0.write();
        let sum = all.entry(session.clone()).or_default().entry(budget.clone()).or_default();
        *sum = sum.saturating_add(by);
    }

    pub(crate) fn forget(&self, session: &SessionId) {
        self.0.write().remove(session);
    }
}

impl Engine {
    /// Raises one limit for the session of a held call by so much (nano-USD or tokens, as the limit counts), and lets the
    /// call through. It is a high risk, whatever the call's own.
    ///
    /// # Errors
    /// As [`Engine::answer`], and when the call does not count in this budget.
    pub async fn raise(&self, answering: Answering, budget: &BudgetId, by: i64) -> Result<(), EngineError> {
        if !(1..=MOST).contains(&by) {
            return Err(EngineError::Refused("a limit is raised by more than nothing and at most $1,000".to_owned()));
        }
        let question = self.question_of(&answering.approval).await?;
        let quote = self.gate().quote(&question.operation);
        let counts = quote.is_some_and(|quote| quote.accounts().iter().any(|account| account.budget == *budget));
        if !counts {
            return Err(EngineError::NotFound { what: "budget of this call", name: budget.to_string() });
        }
        let session = question.approval.session.clone();
        let told = Draft {
            agent: Some(question.approval.agent),
            session: Some(session.clone()),
            operation: Some(question.approval.operation),
            body: EventBody::BudgetChanged {
                what: format!("{budget} raised by {by} for {session}, by {}", answering.by),
            },
        };
        let yes = Answering { resolution: Resolution::Approved { scope: GrantScope::Once }, ..answering };
        self.answer_with(yes, Risk::High, vec![told], || self.raises().add(&session, budget, by)).await
    }
}
