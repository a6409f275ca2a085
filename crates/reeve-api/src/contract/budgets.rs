//! Budgets with their state.

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Account, Balance, BudgetDefinition, Limit, OnExhausted, Scope, Window};
use serde::{Deserialize, Serialize};

use super::credentials::TypedSecret;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum WindowDto {
    Call,
    Day,
    Week,
    Month,
    Total,
}

impl From<Window> for WindowDto {
    fn from(window: Window) -> Self {
        match window {
            Window::Call => Self::Call,
            Window::Day => Self::Day,
            Window::Week => Self::Week,
            Window::Month => Self::Month,
            Window::Total => Self::Total,
        }
    }
}

/// What the numbers of a budget count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum UnitDto {
    /// nano-USD.
    Money,
    Tokens,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub enum OnExhaustedDto {
    /// Ask while what is left pays for some answer under the output floor, deny when it pays for none.
    AskUnderFloor,
    Deny,
    Ask,
}

impl From<OnExhausted> for OnExhaustedDto {
    fn from(on: OnExhausted) -> Self {
        match on {
            OnExhausted::AskUnderFloor => Self::AskUnderFloor,
            OnExhausted::Deny => Self::Deny,
            OnExhausted::Ask => Self::Ask,
        }
    }
}

/// One budget made concrete: `settled + reserved + free = limit` unless the limit was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetDto {
    pub id: String,
    /// Whose: `organisation`, `me:dana`, `agent:codex`, `session:ses_…`.
    pub account: String,
    pub model: Option<String>,
    /// As `budgets.set` takes it: `organisation`, `me`, `team:web`, `agent:codex`, `agent`, `session:codex` or `session`.
    pub scope: String,
    pub window: WindowDto,
    /// Start of the window; the epoch for `total` and `call`.
    pub window_start: DateTime<Utc>,
    pub unit: UnitDto,
    pub limit: i64,
    pub settled: i64,
    pub reserved: i64,
    /// Below zero after an overrun.
    pub free: i64,
    pub on_exhausted: OnExhaustedDto,
    pub file: String,
    pub line: u32,
}

impl BudgetDto {
    #[must_use]
    pub fn of(definition: &BudgetDefinition, account: &Account, balance: &Balance) -> Self {
        let (unit, limit) = limit(account.limit);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Self {
            id: definition.id.to_string(),
            account: account.key.clone(),
            model: definition.model.clone(),
            scope: scope_text(&definition.scope),
            window: definition.window.into(),
            window_start: account.window_start,
            unit,
            limit,
            settled: balance.settled,
            reserved: balance.reserved,
            free: limit.saturating_sub(balance.settled).saturating_sub(balance.reserved),
            on_exhausted: definition.on_exhausted.into(),
            file: definition.file.clone(),
            line: definition.line,
        }
    }
}

/// Sets a budget in the file that console and CLI write (`mine.limits.yaml`); the same id is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SetBudgetInput {
    pub id: String,
    /// `organisation`, `me`, `team:web`, `agent:codex`, `agent`, `session:codex` or `session`.
    pub scope: String,
    pub window: WindowDto,
    /// nano-USD or tokens, as `unit` says.
    pub unit: UnitDto,
    pub amount: u64,
    pub model: Option<String>,
    pub on_exhausted: Option<OnExhaustedDto>,
    /// The passphrase, where it is asked for before a limit is raised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}

/// Which budget, and which of its accounts: that of one agent or session, where it has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetAccountInput {
    pub budget: String,
    /// None: the one with the least left.
    pub account: Option<String>,
}

/// Which models.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PricesInput {
    /// Part of a model's or provider's name; empty: from the beginning.
    pub find: String,
}

/// Which budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetInput {
    pub budget: String,
    /// The passphrase, where it is asked for before a limit goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub proof: Option<TypedSecret>,
}

/// A limit as its unit and amount.
pub(crate) fn limit(limit: Limit) -> (UnitDto, u64) {
    match limit {
        Limit::Money(amount) => (UnitDto::Money, u64::try_from(amount.0).unwrap_or(0)),
        Limit::Tokens(tokens) => (UnitDto::Tokens, tokens),
    }
}

/// A scope as people write it.
pub(super) fn scope_text(scope: &Scope) -> String {
    match scope {
        Scope::Organisation => "organisation".to_owned(),
        Scope::Team(team) => format!("team:{team}"),
        Scope::Me => "me".to_owned(),
        Scope::Agent(None) => "agent".to_owned(),
        Scope::Agent(Some(agent)) => format!("agent:{agent}"),
        Scope::Session(None) => "session".to_owned(),
        Scope::Session(Some(agent)) => format!("session:{agent}"),
    }
}
