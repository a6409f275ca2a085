//! Budgets: which caps a call counts in, what it may cost at most, what it is clamped to, and what it cost in the end.

pub mod forecast;
mod standing;

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Local, Months, NaiveDate, NaiveTime, TimeZone, Utc};
use reeve_domain::budget::{
    Account, Balance, BudgetDefinition, Cap, Limit, OnExhausted, Reservation, Scope, Settlement, Window,
};
use reeve_domain::id::{AgentId, ReservationId};
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Billing, LlmCall, Operation};
use reeve_domain::outcome::{Ending, Outcome};
use reeve_domain::price::{ModelPrice, PriceTable};
use reeve_domain::principal::Principal;
use reeve_domain::usage::Usage;
use rust_decimal::Decimal;

pub use self::standing::Standing;

/// Output tokens assumed for a model whose own limit nobody knows, when the request sets none.
const ASSUMED_MAX_OUTPUT: u64 = 128_000;

/// Everything needed to decide what a call may reserve: computed once, fitted against balances as often as they change.
#[derive(Debug, Clone)]
pub struct Quote {
    call: LlmCall,
    operation: reeve_domain::id::OperationId,
    table: Arc<PriceTable>,
    priced: Option<String>,
    lines: Vec<Line>,
}

#[derive(Debug, Clone)]
struct Line {
    account: Account,
    on_exhausted: OnExhausted,
    output_floor: u64,
}

/// Why a call cannot be reserved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shortfall {
    /// No price is known, and a money budget applies.
    Unpriced { model: String },
    /// The cap that is too tight, what is left of it and what the call needs at least. `answerable`: what is left pays for
    /// the input and some answer, only one under the output floor or the thinking budget.
    Exhausted {
        account: Account,
        free: i64,
        needed: i64,
        answerable: bool,
        on_exhausted: OnExhausted,
        /// Other caps that are too tight and would ask as well.
        also: Vec<Cap>,
        /// Output limit that the caps which are not too tight afford.
        output: u64,
    },
}

impl Shortfall {
    /// Whether the budget's rule says to ask a human instead of denying.
    #[must_use]
    pub fn asks(&self) -> bool {
        match self {
            Self::Unpriced { .. } => false,
            Self::Exhausted { answerable, on_exhausted, .. } => match on_exhausted {
                OnExhausted::AskUnderFloor => *answerable,
                OnExhausted::Deny => false,
                OnExhausted::Ask => true,
            },
        }
    }

    /// Every cap that the message names: a human's yes to it passes these, and no others.
    #[must_use]
    pub fn caps(&self) -> Vec<Cap> {
        match self {
            Self::Unpriced { .. } => Vec::new(),
            Self::Exhausted { account, also, .. } => {
                std::iter::once(cap_of(account)).chain(also.iter().cloned()).collect()
            }
        }
    }

    fn beside(mut self, others: Vec<Cap>, affordable: u64) -> Self {
        if let Self::Exhausted { also, output, .. } = &mut self {
            (*also, *output) = (others, affordable);
        }
        self
    }

    /// One sentence for agent and human.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Unpriced { model } => {
                format!("no price is known for model `{model}`, and a budget in money applies")
            }
            Self::Exhausted { account, free, needed, also, .. } => {
                let show = |amount: i64| match account.limit {
                    Limit::Money(_) => NanoUsd(amount).to_string(),
                    Limit::Tokens(_) => format!("{amount} tokens"),
                };
                let limit = match account.limit {
                    Limit::Money(limit) => limit.to_string(),
                    Limit::Tokens(limit) => format!("{limit} tokens"),
                };
                let others: String = also
                    .iter()
                    .map(|cap| format!("; budget `{}` ({}) is too tight for it as well", cap.budget, cap.key))
                    .collect();
                format!(
                    "budget `{}` ({}) has {} of {limit} left, and this call needs up to {}{others}",
                    account.budget,
                    account.key,
                    show((*free).max(0)),
                    show(*needed)
                )
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Unpriced { .. } => {
                "add the model to a price file (`prices` in config.toml), give the budget in tokens, or use a priced model"
                    .to_owned()
            }
            Self::Exhausted { account, .. } => {
                format!("ask the human to raise it (`reeve budget raise {} …`) or wait for the next window", account.budget)
            }
        }
    }
}

impl Quote {
    /// What a call counts in and what it costs; `None` for operations that spend nothing.
    #[must_use]
    pub fn of(
        operation: &Operation,
        definitions: &[BudgetDefinition],
        table: &Arc<PriceTable>,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let call = operation.llm()?;
        let priced = table.find(&call.provider, &call.model).map(|(key, _)| key.to_owned());
        let lines = definitions
            .iter()
            .filter(|d| applies(d, operation, call))
            .map(|d| Line {
                account: account(d, owner(d, operation), now),
                on_exhausted: d.on_exhausted,
                output_floor: d.output_floor,
            })
            .collect();
        Some(Self { call: call.clone(), operation: operation.id.clone(), table: Arc::clone(table), priced, lines })
    }

    /// The accounts, in the order in which [`Quote::fit`] wants their balances.
    #[must_use]
    pub fn accounts(&self) -> Vec<Account> {
        self.lines.iter().map(|line| line.account.clone()).collect()
    }

    fn price(&self) -> Option<&ModelPrice> {
        let key = self.priced.as_deref()?;
        self.table.get(key)
    }

    /// Output limit that applies when the request is left as it is.
    fn full_output(&self) -> u64 {
        let models = self.price().map(ModelPrice::default_output_limit);
        self.call.output_limit.or(models).unwrap_or(ASSUMED_MAX_OUTPUT)
    }

    fn amount(&self, output: u64) -> NanoUsd {
        match (self.call.billing, self.price()) {
            (Billing::Metered, Some(price)) => NanoUsd::round_up(price.bound(&self.call, output)),
            _ => NanoUsd::ZERO,
        }
    }

    fn tokens(&self, output: u64) -> u64 {
        // The model's window bounds what a request names without carrying it (earlier answers, files, search results).
        let input = self.price().map_or(self.call.input_bound, |price| price.input_bound(&self.call));
        input.saturating_add(output.saturating_mul(self.call.candidates.max(1)))
    }

    fn need(&self, limit: Limit, output: u64) -> i64 {
        match limit {
            Limit::Money(_) => self.amount(output).0,
            Limit::Tokens(_) => i64::try_from(self.tokens(output)).unwrap_or(i64::MAX),
        }
    }

    /// Fits the call into what is free: whole, or with a lowered output limit, or not at all. `balances` are those of
    /// [`Quote::accounts`], in their order. Pure, so that the writer can call it inside its transaction.
    ///
    /// # Errors
    /// The tightest cap, when even the least output does not fit, or the missing price.
    pub fn fit(&self, balances: &[Balance]) -> Result<Reservation, Shortfall> {
        let money = self.lines.iter().any(|l| matches!(l.account.limit, Limit::Money(_)));
        if money && self.call.billing == Billing::Metered && self.price().is_none() {
            return Err(Shortfall::Unpriced { model: self.call.model.clone() });
        }
        let full = self.full_output();
        let (mut output, mut asking) = (full, Vec::new());
        for (line, balance) in self.lines.iter().zip(balances) {
            match self.largest_output(line, balance, full) {
                Ok(largest) => output = output.min(largest),
                // A cap that denies comes before one that a human may pass, wherever it stands.
                Err(short) if short.asks() => asking.push(short),
                Err(short) => return Err(short),
            }
        }
        let mut asking = asking.into_iter();
        if let Some(short) = asking.next() {
            return Err(short.beside(asking.flat_map(|other| other.caps()).collect(), output));
        }
        // A request whose limit is not lowered keeps exactly what it asked for, also when that was nothing.
        let output_limit = if output < full { Some(output) } else { self.call.output_limit };
        Ok(self.reservation(output, output_limit))
    }

    /// What the call reserves when a human lets it through over the cap.
    #[must_use]
    pub fn whole(&self) -> Reservation {
        self.reservation(self.full_output(), self.call.output_limit)
    }

    /// What the call reserves when a human lets it over the caps that ask: whole, or as much as the other caps afford.
    #[must_use]
    pub fn beyond(&self, short: &Shortfall) -> Reservation {
        match short {
            Shortfall::Exhausted { output, .. } if *output < self.full_output() => self.with_output(Some(*output)),
            _ => self.whole(),
        }
    }

    /// What the call reserves with exactly this limit in the request (an approval is bound to it).
    #[must_use]
    pub fn with_output(&self, output_limit: Option<u64>) -> Reservation {
        self.reservation(output_limit.unwrap_or_else(|| self.full_output()), output_limit)
    }

    /// Whether a reservation made before still fits; `passed`: caps that ask and that a human let this very call over. All
    /// others bind.
    ///
    /// # Errors
    /// The first cap that does not afford it.
    pub fn still_fits(&self, reservation: &Reservation, balances: &[Balance], passed: &[Cap]) -> Result<(), Shortfall> {
        let output = reservation.output_limit.unwrap_or_else(|| self.full_output());
        for (line, balance) in self.lines.iter().zip(balances) {
            let (free, needed) = (free(&line.account, balance), self.need(line.account.limit, output));
            if needed > free {
                let short = self.exhausted(line, free, needed);
                if !(short.asks() && passed.contains(&cap_of(&line.account))) {
                    return Err(short);
                }
            }
        }
        Ok(())
    }

    fn reservation(&self, output: u64, output_limit: Option<u64>) -> Reservation {
        Reservation {
            id: ReservationId::new(),
            operation: self.operation.clone(),
            amount: self.amount(output),
            tokens: self.tokens(output),
            accounts: self.accounts(),
            output_limit,
            price: self.priced.as_ref().map(|key| format!("{key} @ {}", self.table.date())),
        }
    }

    /// The largest output limit this account affords; the price bound grows with the limit, so halving finds it.
    fn largest_output(&self, line: &Line, balance: &Balance, full: u64) -> Result<u64, Shortfall> {
        let free = free(&line.account, balance);
        let limit = line.account.limit;
        if self.need(limit, full) <= free {
            return Ok(full);
        }
        let floor = line.output_floor.max(self.call.thinking_budget.map_or(1, |t| t.saturating_add(1))).max(1);
        let lowerable = self.call.takes_output_limit() && floor < full;
        if !lowerable || self.need(limit, floor) > free {
            return Err(self.exhausted(line, free, self.need(limit, floor.min(full))));
        }
        let (mut fits, mut too_much) = (floor, full);
        while too_much - fits > 1 {
            let middle = fits + (too_much - fits) / 2;
            if self.need(limit, middle) <= free {
                fits = middle;
            } else {
                too_much = middle;
            }
        }
        Ok(fits)
    }

    fn exhausted(&self, line: &Line, free: i64, needed: i64) -> Shortfall {
        Shortfall::Exhausted {
            account: line.account.clone(),
            free,
            needed,
            answerable: self.need(line.account.limit, 1) <= free,
            on_exhausted: line.on_exhausted,
            also: Vec::new(),
            output: self.full_output(),
        }
    }
}

fn cap_of(account: &Account) -> Cap {
    Cap { budget: account.budget.clone(), key: account.key.clone() }
}

fn free(account: &Account, balance: &Balance) -> i64 {
    let limit = match account.limit {
        Limit::Money(limit) => limit.0,
        Limit::Tokens(limit) => i64::try_from(limit).unwrap_or(i64::MAX),
    };
    limit.saturating_sub(balance.settled).saturating_sub(balance.reserved)
}

fn applies(definition: &BudgetDefinition, operation: &Operation, call: &LlmCall) -> bool {
    let principal = &operation.principal;
    let in_scope = match &definition.scope {
        Scope::Organisation | Scope::Me => true,
        Scope::Team(team) => principal.team.as_ref() == Some(team),
        Scope::Agent(agent) | Scope::Session(agent) => agent.as_ref().is_none_or(|a| *a == principal.agent),
    };
    in_scope && definition.model.as_deref().is_none_or(|pattern| model_matches(pattern, &call.model))
}

fn model_matches(pattern: &str, model: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => model.starts_with(start),
        None => pattern == model,
    }
}

/// Whose account a definition means for this operation.
fn owner(definition: &BudgetDefinition, operation: &Operation) -> String {
    let principal = &operation.principal;
    match &definition.scope {
        // Each call is an account of its own: nothing else counts in it.
        _ if definition.window == Window::Call => format!("call:{}", operation.id),
        Scope::Organisation => "organisation".to_owned(),
        Scope::Team(team) => format!("team:{team}"),
        Scope::Me => format!("me:{}", principal.user),
        Scope::Agent(_) => format!("agent:{}", principal.agent),
        Scope::Session(_) => format!("session:{}", principal.session),
    }
}

/// The accounts that a definition means right now: one, or one for each agent or running session.
#[must_use]
pub fn concrete_accounts(
    definition: &BudgetDefinition,
    user: &str,
    agents: &[AgentId],
    sessions: &[Principal],
    now: DateTime<Utc>,
) -> Vec<Account> {
    let owners: Vec<String> = match &definition.scope {
        _ if definition.window == Window::Call => vec!["call".to_owned()],
        Scope::Organisation => vec!["organisation".to_owned()],
        Scope::Team(team) => vec![format!("team:{team}")],
        Scope::Me => vec![format!("me:{user}")],
        Scope::Agent(Some(agent)) => vec![format!("agent:{agent}")],
        Scope::Agent(None) => agents.iter().map(|a| format!("agent:{a}")).collect(),
        Scope::Session(agent) => {
            let theirs = sessions.iter().filter(|p| agent.as_ref().is_none_or(|a| *a == p.agent));
            theirs.map(|p| format!("session:{}", p.session)).collect()
        }
    };
    owners.into_iter().map(|owner| account(definition, owner, now)).collect()
}

fn account(definition: &BudgetDefinition, owner: String, now: DateTime<Utc>) -> Account {
    let key = match &definition.model {
        Some(model) => format!("{owner} model:{model}"),
        None => owner,
    };
    Account {
        budget: definition.id.clone(),
        key,
        window_start: window_start(definition.window, now),
        limit: definition.limit,
    }
}

/// Start of the window that `now` lies in: local midnight, Monday, the first of the month; as a UTC instant.
#[must_use]
pub fn window_start(window: Window, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.with_timezone(&Local).date_naive();
    let day = match window {
        Window::Call | Window::Total => return DateTime::UNIX_EPOCH,
        Window::Day => today,
        Window::Week => {
            let back = Days::new(u64::from(today.weekday().num_days_from_monday()));
            today.checked_sub_days(back).unwrap_or(today)
        }
        Window::Month => today.with_day(1).unwrap_or(today),
    };
    midnight(day).unwrap_or(now)
}

/// When the window that `now` lies in ends and the next one begins; none for those that never end.
#[must_use]
pub fn window_end(window: Window, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let first = window_start(window, now).with_timezone(&Local).date_naive();
    let next = match window {
        Window::Call | Window::Total => return None,
        Window::Day => first.checked_add_days(Days::new(1)),
        Window::Week => first.checked_add_days(Days::new(7)),
        Window::Month => first.checked_add_months(Months::new(1)),
    };
    next.and_then(midnight)
}

fn midnight(day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = day.and_time(NaiveTime::MIN);
    // Where midnight does not exist (a clock change), the first instant after it.
    let local = Local.from_local_datetime(&midnight).earliest();
    local
        .or_else(|| Local.from_local_datetime(&(midnight + chrono::Duration::hours(1))).earliest())
        .map(|t| t.with_timezone(&Utc))
}

/// What a call cost: by its usage where the provider told it to the end, by what is known of it where it broke off, nothing
/// where nothing was sent or the provider refused.
#[must_use]
pub fn settle(call: &LlmCall, reservation: &Reservation, outcome: &Outcome, table: &PriceTable) -> Settlement {
    let nothing = matches!(outcome.ending, Ending::NotSent { .. })
        || outcome.status.is_some_and(|status| !(200..300).contains(&status));
    if nothing {
        return Settlement { amount: NanoUsd::ZERO, worth: NanoUsd::ZERO, tokens: 0, estimated: false, overrun: false };
    }
    let Some(usage) = &outcome.usage else {
        return whole(reservation);
    };
    let (usage, estimated) = if outcome.usage_final {
        (usage.clone(), false)
    } else {
        let mut seen = usage.clone();
        seen.output = seen.output.max(outcome.counted_output);
        (seen, true)
    };
    charge(call, reservation, &usage, estimated, table)
}

/// The whole reservation, for calls of which the cost is not known.
#[must_use]
pub fn whole(reservation: &Reservation) -> Settlement {
    Settlement {
        amount: reservation.amount,
        worth: reservation.amount,
        tokens: reservation.tokens,
        estimated: true,
        overrun: false,
    }
}

fn charge(call: &LlmCall, reservation: &Reservation, usage: &Usage, estimated: bool, table: &PriceTable) -> Settlement {
    let exact = table.find(&call.provider, &call.model).map_or(Decimal::ZERO, |(_, price)| price.cost(usage));
    let worth = NanoUsd::round_half_even(exact);
    let amount = if call.billing == Billing::Metered { worth } else { NanoUsd::ZERO };
    Settlement {
        amount,
        worth,
        tokens: usage.total(),
        estimated,
        overrun: amount > reservation.amount || usage.total() > reservation.tokens,
    }
}
