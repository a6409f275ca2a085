//! The cap, the hold before a call, and the true-up after it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::id::{AgentId, BudgetId, OperationId, ReservationId, TeamId};
use crate::money::NanoUsd;

/// Whose spending a budget bounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "scope", content = "name")]
pub enum Scope {
    Organisation,
    Team(TeamId),
    /// The human on this machine, over all agents.
    Me,
    /// One agent, or each agent by itself when no name is given.
    Agent(Option<AgentId>),
    /// Each session of this agent (of any agent when no name is given) by itself.
    Session(Option<AgentId>),
}

/// The stretch of time a cap covers. Windows start at local midnight (weeks on Monday) and are stored as UTC instants; a
/// call counts in the window in which it was reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    Call,
    Day,
    Week,
    Month,
    /// No window: as long as the scope lives (a session).
    Total,
}

/// What is capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "unit", content = "amount")]
pub enum Limit {
    /// nano-USD.
    Money(NanoUsd),
    /// Input and output tokens together.
    Tokens(u64),
}

/// What happens when the remainder does not afford a call even after its output limit was lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    /// Ask while what is left pays for some answer, though one under the output floor or the thinking budget; deny when
    /// it pays for none.
    #[default]
    AskUnderFloor,
    Deny,
    /// Hold it for a human; approving lets this one call through over the cap.
    Ask,
}

/// One cap of one account by its names, whatever the window: what a human's yes over a cap is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    pub budget: BudgetId,
    /// As in [`Account::key`].
    pub key: String,
}

/// One line of `limits.yaml` or `mine.limits.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetDefinition {
    pub id: BudgetId,
    #[serde(flatten)]
    pub scope: Scope,
    /// Only calls to this model; `*` at the end matches any rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub window: Window,
    pub limit: Limit,
    #[serde(default)]
    pub on_exhausted: OnExhausted,
    /// The output limit is never lowered under this many tokens.
    pub output_floor: u64,
    /// File and 1-based line, for people.
    pub file: String,
    pub line: u32,
}

/// One budget that a reservation counts in: a definition made concrete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub budget: BudgetId,
    /// Whose: `organisation`, `team:web`, `me:dana`, `agent:codex`, `session:ses_…`, and the model pattern where set.
    pub key: String,
    /// Start of the window as UTC instant; the epoch for `Total` and `Call`.
    pub window_start: DateTime<Utc>,
    pub limit: Limit,
}

/// The hold before a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    pub id: ReservationId,
    pub operation: OperationId,
    /// Upper bound of the price. Zero under a flat rate.
    pub amount: NanoUsd,
    /// Upper bound of input and output tokens.
    pub tokens: u64,
    pub accounts: Vec<Account>,
    /// Output tokens the bound was computed with; what the request will carry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_limit: Option<u64>,
    /// Identity of the price used (`model` key and the table's date); `None` when unpriced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
}

/// The true-up after a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What it cost: charged to money budgets. Zero under a flat rate.
    pub amount: NanoUsd,
    /// List price of the same usage; equals `amount` when metered.
    pub worth: NanoUsd,
    pub tokens: u64,
    /// The provider did not give a final count.
    pub estimated: bool,
    /// Above its reservation; charged as it is, and the next call is refused.
    pub overrun: bool,
}

/// State of one account, for people: `settled + reserved + free = limit` unless the limit was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    pub settled: i64,
    pub reserved: i64,
}

/// What one agent's calls charged to an account within a quarter of an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// Start of the window that it counts in.
    pub window_start: DateTime<Utc>,
    /// Start of the quarter of an hour in which the calls were settled.
    pub slot: DateTime<Utc>,
    pub agent: AgentId,
    pub calls: u32,
    /// nano-USD or tokens, as the account's limit counts.
    pub amount: i64,
}
