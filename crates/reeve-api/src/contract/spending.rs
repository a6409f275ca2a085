//! Budgets as the console shows them: written limits with their accounts, forecasts, spending over time, prices.

use chrono::{DateTime, Utc};
use reeve_domain::budget::BudgetDefinition;
use reeve_domain::price::ModelPrice;
use reeve_engine::budgets::forecast::Forecast;
use serde::{Deserialize, Serialize};

use super::budgets::{OnExhaustedDto, UnitDto, WindowDto};

/// A limit as it is written, with everything that counts in it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetLineDto {
    pub id: String,
    /// As `budgets.set` takes it.
    pub scope: String,
    /// What people call the agent that the scope names.
    pub agent_name: Option<String>,
    pub model: Option<String>,
    pub window: WindowDto,
    pub unit: UnitDto,
    /// nano-USD or tokens, as `unit` says; so are all amounts below.
    pub limit: u64,
    pub on_exhausted: OnExhaustedDto,
    pub file: String,
    pub line: u32,
    /// Whether `budgets.set` and `budgets.remove` may change it: only what Reeve wrote itself.
    pub editable: bool,
    /// The one with the least left first. Empty where the budget is of agents or sessions and there is none.
    pub accounts: Vec<BudgetAccountDto>,
}

/// One account of a limit: `settled + reserved + free = limit` unless the limit was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetAccountDto {
    /// Whose: `organisation`, `me:dana`, `agent:codex`, `session:ses_…`.
    pub account: String,
    /// Where it is not the line's: the session's project names a lower one, or a person raised it for this session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub limit: Option<u64>,
    /// Where the account is one agent's or one session's.
    pub agent: Option<String>,
    pub agent_name: Option<String>,
    pub session: Option<String>,
    pub window_start: DateTime<Utc>,
    /// None for windows that never end.
    pub window_end: Option<DateTime<Utc>>,
    pub settled: i64,
    pub reserved: i64,
    /// Below zero after an overrun.
    pub free: i64,
    /// None: fewer than twenty calls were settled lately.
    pub forecast: Option<ForecastDto>,
}

/// Where spending is heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ForecastDto {
    pub per_hour: i64,
    /// At the end of the window, settled included; none for windows that never end. Four of five outcomes lie between
    /// `low` and `high`.
    pub expected: Option<i64>,
    pub low: Option<i64>,
    pub high: Option<i64>,
    /// When nothing will be left, where that is before the window ends.
    pub reached_at: Option<DateTime<Utc>>,
    /// Settled calls it was made from.
    pub calls: u32,
}

impl From<Forecast> for ForecastDto {
    fn from(forecast: Forecast) -> Self {
        Self {
            per_hour: forecast.per_hour,
            expected: forecast.at_end.map(|end| end.expected),
            low: forecast.at_end.map(|end| end.low),
            high: forecast.at_end.map(|end| end.high),
            reached_at: forecast.reached_at,
            calls: forecast.calls,
        }
    }
}

/// One limit in detail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct BudgetDetailDto {
    pub line: BudgetLineDto,
    /// The account that the rest is about; none when nothing counts in the limit now.
    pub account: Option<String>,
    /// What was settled by then in this window, oldest first, ending now.
    pub points: Vec<SpendPointDto>,
    /// The most first.
    pub agents: Vec<AgentSpendDto>,
    /// The last call that counted here, as it would fare now; none before the first.
    pub next: Option<NextCallDto>,
}

/// The sum of an account at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct SpendPointDto {
    pub at: DateTime<Utc>,
    pub settled: i64,
}

/// What one agent spent of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct AgentSpendDto {
    pub agent: String,
    pub agent_name: String,
    pub calls: u32,
    pub amount: i64,
}

/// Which limits the next call like the last one counts in, the deciding one first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NextCallDto {
    pub operation: String,
    pub agent: String,
    pub agent_name: String,
    pub session: String,
    pub model: String,
    pub limits: Vec<NextLimitDto>,
}

/// One limit as the next call finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct NextLimitDto {
    pub budget: String,
    pub account: String,
    pub unit: UnitDto,
    pub free: i64,
    /// The most that the call may take.
    pub needed: i64,
    /// Output tokens it affords; none when it pays for no answer.
    pub output: Option<u64>,
    pub decides: bool,
}

/// The price table in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PricesDto {
    /// `YYYY-MM-DD`: the day it was extracted.
    pub date: String,
    /// The file that `config.toml` names; none: the table shipped with Reeve.
    pub file: Option<String>,
    /// In the whole table.
    pub models: u32,
    /// That have the wanted name; more than are listed when there are many.
    pub matches: u32,
    pub rows: Vec<PriceDto>,
}

/// Plain prices of one model in dollars per million tokens, as exact decimals; none where the table gives none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct PriceDto {
    pub model: String,
    pub provider: String,
    pub input: Option<String>,
    pub output: Option<String>,
    pub cache_read: Option<String>,
    pub cache_write: Option<String>,
}

impl PriceDto {
    #[must_use]
    pub fn of(model: &str, price: &ModelPrice) -> Self {
        let listed = price.listed();
        Self {
            model: model.to_owned(),
            provider: price.provider.clone(),
            input: listed.input.map(|dollars| dollars.to_string()),
            output: listed.output.map(|dollars| dollars.to_string()),
            cache_read: listed.cache_read.map(|dollars| dollars.to_string()),
            cache_write: listed.cache_write.map(|dollars| dollars.to_string()),
        }
    }
}

/// What a definition says, without its accounts.
#[must_use]
pub fn line(definition: &BudgetDefinition, agent_name: Option<String>, editable: bool) -> BudgetLineDto {
    let (unit, limit) = super::budgets::limit(definition.limit);
    BudgetLineDto {
        id: definition.id.to_string(),
        scope: super::budgets::scope_text(&definition.scope),
        agent_name,
        model: definition.model.clone(),
        window: definition.window.into(),
        unit,
        limit,
        on_exhausted: definition.on_exhausted.into(),
        file: definition.file.clone(),
        line: definition.line,
        editable,
        accounts: Vec::new(),
    }
}
