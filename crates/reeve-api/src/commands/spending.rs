//! Budgets as the console shows them: each limit with its accounts and where they are heading, one in detail, prices.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use reeve_domain::budget::{Account, Balance, BudgetDefinition, Limit, Scope, Spend, Window};
use reeve_domain::event::EventBody;
use reeve_domain::id::{AgentId, BudgetId, SessionId};
use reeve_domain::operation::Operation;
use reeve_domain::query;
use reeve_domain::session::Session;
use reeve_engine::budgets::forecast::{forecast, looks_back_to};
use reeve_engine::budgets::{concrete_accounts, window_end};
use reeve_engine::policies::MINE_LIMITS_FILE;
use reeve_engine::sessions::LiveSession;
use reeve_store::search::Page;

use super::agents::name_of;
use super::{invalid, not_found};
use crate::contract::ApiError;
use crate::contract::budgets::{BudgetAccountInput, UnitDto, limit as limit_of};
use crate::contract::spending::{
    AgentSpendDto, BudgetAccountDto, BudgetDetailDto, BudgetLineDto, NextCallDto, NextLimitDto, PriceDto, PricesDto,
    SpendPointDto, line,
};
use crate::host::Host;

/// Most models in one answer.
const LISTED: usize = 200;

/// A limit with its accounts as they are now.
struct Counted {
    definition: BudgetDefinition,
    accounts: Vec<(Account, Balance, Vec<Spend>)>,
}

/// Every limit in force, in the order of the files, then those that only projects name.
pub(super) async fn lines(host: &Host) -> Result<Vec<BudgetLineDto>, ApiError> {
    let now = host.engine.now();
    let counted = count(host, binding(host, now), now).await?;
    Ok(counted.iter().map(|one| dto(host, one, now)).collect())
}

/// Every limit with the accounts that count in it now. A session's account has the limit that binds there: its project may
/// name a lower one than the files, or one that they have not, and a person may have raised it.
pub(super) fn binding(host: &Host, now: DateTime<Utc>) -> Vec<(BudgetDefinition, Vec<Account>)> {
    let mut definitions = host.engine.policies().in_force().limits.budgets().to_vec();
    let agents: Vec<AgentId> = host.engine.agents().list().into_iter().map(|a| a.id).collect();
    let user = super::approvals::whoami();
    let bound = |session: &Arc<LiveSession>| (session.principal(), host.engine.gate().budgets_of(&session.session.id));
    let mut sessions: Vec<_> = host.engine.sessions().all().iter().map(bound).collect();
    // Of several projects' own the same one gives the line, whatever the sessions' order.
    sessions.sort_by(|(a, _), (b, _)| a.session.cmp(&b.session));
    for own in sessions.iter().flat_map(|(_, bound)| bound) {
        if definitions.iter().all(|known| known.id != own.id) {
            definitions.push(own.clone());
        }
    }
    let accounts = |definition: &BudgetDefinition| {
        if definition.window == Window::Call || !matches!(definition.scope, Scope::Session(_)) {
            return concrete_accounts(definition, &user, &agents, &[], now);
        }
        let own = sessions.iter().filter_map(|(principal, bound)| {
            let own = bound.iter().find(|own| own.id == definition.id)?;
            Some(concrete_accounts(own, &user, &agents, std::slice::from_ref(principal), now))
        });
        own.flatten().collect()
    };
    definitions
        .into_iter()
        .map(|definition| {
            let accounts = accounts(&definition);
            (definition, accounts)
        })
        .collect()
}

/// Balances and recent spending of all accounts, each kind in one read.
async fn count(
    host: &Host,
    binding: Vec<(BudgetDefinition, Vec<Account>)>,
    now: DateTime<Utc>,
) -> Result<Vec<Counted>, ApiError> {
    let (definitions, concrete): (Vec<_>, Vec<_>) = binding.into_iter().unzip();
    let since = |d: &BudgetDefinition, a: &Account| (a.clone(), looks_back_to(d.window, now));
    let wanted = definitions.iter().zip(&concrete).flat_map(|(d, all)| all.iter().map(move |a| since(d, a))).collect();
    let mut balances = host.engine.store().balances(concrete.iter().flatten().cloned().collect()).await?.into_iter();
    let mut spent = host.engine.store().spend(wanted).await?.into_iter();
    let counted = definitions.into_iter().zip(concrete).map(|(definition, accounts)| Counted {
        definition,
        accounts: accounts
            .into_iter()
            .zip(balances.by_ref().zip(spent.by_ref()))
            .map(|(a, (b, s))| (a, b, s))
            .collect(),
    });
    Ok(counted.collect())
}

fn dto(host: &Host, counted: &Counted, now: DateTime<Utc>) -> BudgetLineDto {
    let definition = &counted.definition;
    let agent = match &definition.scope {
        Scope::Agent(Some(agent)) | Scope::Session(Some(agent)) => Some(name_of(host, agent)),
        _ => None,
    };
    let mut found = line(definition, agent, definition.file == MINE_LIMITS_FILE);
    found.accounts = counted
        .accounts
        .iter()
        .map(|(account, balance, spend)| {
            let end = window_end(definition.window, now);
            let whose = whose(host, account);
            let (_, own) = limit_of(account.limit);
            let limit = i64::try_from(own).unwrap_or(i64::MAX);
            BudgetAccountDto {
                account: account.key.clone(),
                limit: (own != found.limit).then_some(own),
                agent_name: whose.0.as_ref().map(|agent| name_of(host, agent)),
                agent: whose.0.map(|agent| agent.to_string()),
                session: whose.1.map(|session| session.to_string()),
                window_start: account.window_start,
                window_end: end,
                settled: balance.settled,
                reserved: balance.reserved,
                free: limit.saturating_sub(balance.settled).saturating_sub(balance.reserved),
                forecast: forecast(spend, definition.window, (account.limit, balance), now, end).map(Into::into),
            }
        })
        .collect();
    found.accounts.sort_by(|a, b| a.free.cmp(&b.free).then_with(|| a.account.cmp(&b.account)));
    found
}

/// The agent and session that an account is of, where it is of one.
fn whose(host: &Host, account: &Account) -> (Option<AgentId>, Option<SessionId>) {
    // The model pattern stands behind a blank.
    let key = account.key.split(' ').next().unwrap_or_default();
    match key.split_once(':') {
        Some(("agent", agent)) => (AgentId::parse(agent).ok(), None),
        Some(("session", session)) => {
            let session = SessionId::parse(session).ok();
            let live = session.as_ref().and_then(|id| host.engine.sessions().find(id));
            (live.map(|live| live.session.agent.clone()), session)
        }
        _ => (None, None),
    }
}

pub(super) async fn detail(host: &Host, input: &BudgetAccountInput) -> Result<BudgetDetailDto, ApiError> {
    let id = BudgetId::parse(&input.budget).map_err(invalid)?;
    let now = host.engine.now();
    let found = binding(host, now).into_iter().find(|(definition, _)| definition.id == id);
    let found = found.ok_or_else(|| not_found("budget", id.as_str()))?;
    let counted = count(host, vec![found], now).await?.pop().ok_or_else(|| not_found("budget", id.as_str()))?;
    let line = dto(host, &counted, now);
    // Without a wish the tightest one, which is the first of the line.
    let wanted = input.account.as_deref().or_else(|| line.accounts.first().map(|account| account.account.as_str()));
    let account = wanted.map(|key| {
        let found = counted.accounts.iter().find(|(account, ..)| account.key == key);
        found.ok_or_else(|| not_found("account", key))
    });
    let Some((account, balance, _)) = account.transpose()? else {
        return Ok(BudgetDetailDto { line, account: None, points: Vec::new(), agents: Vec::new(), next: None });
    };
    let spend = in_window(host, account).await?;
    Ok(BudgetDetailDto {
        points: points(&spend, account, balance, begin(host, account, &spend), now),
        agents: by_agent(host, &spend),
        next: next(host, &counted.definition, account).await?,
        account: Some(account.key.clone()),
        line,
    })
}

/// What was charged in the account's present window.
async fn in_window(host: &Host, account: &Account) -> Result<Vec<Spend>, ApiError> {
    let all = host.engine.store().spend(vec![(account.clone(), account.window_start)]).await?.pop().unwrap_or_default();
    Ok(all.into_iter().filter(|s| s.window_start == account.window_start).collect())
}

/// Where the line begins: the window's start, or that of the session whose whole life it covers.
fn begin(host: &Host, account: &Account, spend: &[Spend]) -> DateTime<Utc> {
    if account.window_start != DateTime::UNIX_EPOCH {
        return account.window_start;
    }
    let opened = |session: &Session| session.opened_at;
    let session = whose(host, account).1.and_then(|id| host.engine.sessions().find(&id));
    session
        .map(|live| opened(&live.session))
        .or_else(|| spend.first().map(|s| s.slot))
        .unwrap_or_else(|| host.engine.now())
}

/// The sum after each slot. What was charged before slots were kept stands at the beginning.
fn points(
    spend: &[Spend],
    account: &Account,
    balance: &Balance,
    begin: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<SpendPointDto> {
    if account.key.starts_with("call") {
        return Vec::new();
    }
    let kept = spend.iter().map(|s| s.amount).fold(0, i64::saturating_add);
    let mut sum = balance.settled.saturating_sub(kept).max(0);
    let mut points = vec![SpendPointDto { at: begin, settled: sum }];
    for one in spend {
        sum = sum.saturating_add(one.amount);
        // Known by the end of its slot, and never later than now.
        let at = (one.slot + chrono::Duration::minutes(15)).min(now).max(begin);
        match points.last_mut() {
            Some(last) if last.at == at => last.settled = sum,
            _ => points.push(SpendPointDto { at, settled: sum }),
        }
    }
    if points.last().is_some_and(|last| last.at < now) {
        points.push(SpendPointDto { at: now, settled: sum });
    }
    points
}

fn by_agent(host: &Host, spend: &[Spend]) -> Vec<AgentSpendDto> {
    let mut sums: HashMap<&AgentId, (u32, i64)> = HashMap::new();
    for one in spend {
        let sum = sums.entry(&one.agent).or_default();
        *sum = (sum.0.saturating_add(one.calls), sum.1.saturating_add(one.amount));
    }
    let mut agents: Vec<AgentSpendDto> = sums
        .into_iter()
        .map(|(agent, (calls, amount))| AgentSpendDto {
            agent: agent.to_string(),
            agent_name: name_of(host, agent),
            calls,
            amount,
        })
        .collect();
    agents.sort_by(|a, b| b.amount.cmp(&a.amount).then_with(|| a.agent.cmp(&b.agent)));
    agents
}

/// The last call that counted in this account, quoted again against what is left everywhere now.
async fn next(host: &Host, of: &BudgetDefinition, account: &Account) -> Result<Option<NextCallDto>, ApiError> {
    let narrowed = match whose(host, account) {
        (_, Some(session)) => format!(" session:{session}"),
        (Some(agent), None) => format!(" agent:{agent}"),
        (None, None) => String::new(),
    };
    let wanted = query::parse(&format!("kind:llm budget:{}{narrowed}", of.id)).query;
    let found = host.engine.store().search(&wanted, Page { before: None, limit: 1 }).await?;
    let Some(row) = found.rows.first() else { return Ok(None) };
    let Some(operation) = recorded(host, &row.operation).await? else { return Ok(None) };
    let Some(quote) = host.engine.gate().quote(&operation) else { return Ok(None) };
    let balances = host.engine.store().balances(quote.accounts()).await?;
    let limits = quote.standing(&balances).into_iter().map(|one| NextLimitDto {
        budget: one.account.budget.to_string(),
        unit: match one.account.limit {
            Limit::Money(_) => UnitDto::Money,
            Limit::Tokens(_) => UnitDto::Tokens,
        },
        account: one.account.key,
        free: one.free,
        needed: one.needed,
        output: one.output,
        decides: one.decides,
    });
    Ok(Some(NextCallDto {
        operation: operation.id.to_string(),
        agent: operation.principal.agent.to_string(),
        agent_name: name_of(host, &operation.principal.agent),
        session: operation.principal.session.to_string(),
        model: operation.llm().map(|call| call.model.clone()).unwrap_or_default(),
        limits: limits.collect(),
    }))
}

/// An operation as it was admitted.
async fn recorded(host: &Host, id: &reeve_domain::id::OperationId) -> Result<Option<Operation>, ApiError> {
    let detail = host.engine.store().detail(id).await?;
    let events = detail.map(|detail| detail.events).unwrap_or_default();
    Ok(events.into_iter().find_map(|event| match event.body {
        EventBody::OperationAdmitted { operation, .. } => Some(operation),
        _ => None,
    }))
}

/// The table in force, as far as it has this in a name.
pub(super) fn prices(host: &Host, find: &str) -> PricesDto {
    let table = host.engine.prices().table();
    let wanted = find.trim().to_ascii_lowercase();
    let matching: Vec<_> = table
        .iter()
        .filter(|(model, price)| model.to_ascii_lowercase().contains(&wanted) || price.provider.contains(&wanted))
        .collect();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    PricesDto {
        date: table.date().to_owned(),
        file: host.engine.settings().prices.as_ref().map(|path| path.display().to_string()),
        models: count(table.len()),
        matches: count(matching.len()),
        rows: matching.into_iter().take(LISTED).map(|(model, price)| PriceDto::of(model, price)).collect(),
    }
}
