//! Limits with what is left of them; changes go to the file that console and CLI own.

use reeve_domain::budget::{Account, BudgetDefinition, Limit, OnExhausted, Scope, Window};
use reeve_domain::id::{AgentId, BudgetId, TeamId};
use reeve_domain::money::NanoUsd;
use serde_json::Value;

use super::approvals::person;
use super::{answer, invalid, spending};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::budgets::{BudgetDto, OnExhaustedDto, SetBudgetInput, UnitDto, WindowDto};
use crate::contract::calls::BudgetsCall;
use crate::host::Host;

/// The output limit of a request is never lowered under this many tokens, unless the file says otherwise.
const OUTPUT_FLOOR: u64 = 256;

pub(crate) async fn run(host: &Host, caller: &Caller, call: BudgetsCall) -> Result<Value, ApiError> {
    match call {
        BudgetsCall::List => {}
        BudgetsCall::Lines => return answer(&spending::lines(host).await?),
        BudgetsCall::Get(input) => return answer(&spending::detail(host, &input).await?),
        BudgetsCall::Prices(input) => return answer(&spending::prices(host, &input.find)),
        BudgetsCall::Set(mut input) => {
            let person = person(caller, input.proof.take());
            let known =
                host.engine.policies().in_force().limits.budgets().iter().find(|d| d.id.as_str() == input.id).cloned();
            let floor = known.map_or(OUTPUT_FLOOR, |known| known.output_floor);
            host.engine.set_budget(BudgetDefinition { output_floor: floor, ..definition(input)? }, &person).await?;
        }
        BudgetsCall::Remove(input) => {
            let id = BudgetId::parse(&input.budget).map_err(invalid)?;
            host.engine.remove_budget(&id, &person(caller, input.proof)).await?;
        }
    }
    answer(&list(host).await?)
}

/// Every budget made concrete for what lives now.
pub(crate) async fn list(host: &Host) -> Result<Vec<BudgetDto>, ApiError> {
    let binding = spending::binding(host, host.engine.now());
    let pairs: Vec<_> = binding.iter().flat_map(|(d, accounts)| accounts.iter().map(move |a| (d, a))).collect();
    let accounts = pairs.iter().map(|(_, account)| Account::clone(account)).collect();
    let balances = host.engine.store().balances(accounts).await?;
    Ok(pairs.iter().zip(&balances).map(|((d, account), balance)| BudgetDto::of(d, account, balance)).collect())
}

fn definition(input: SetBudgetInput) -> Result<BudgetDefinition, ApiError> {
    Ok(BudgetDefinition {
        id: BudgetId::parse(&input.id).map_err(invalid)?,
        scope: scope(&input.scope)?,
        model: input.model,
        window: match input.window {
            WindowDto::Call => Window::Call,
            WindowDto::Day => Window::Day,
            WindowDto::Week => Window::Week,
            WindowDto::Month => Window::Month,
            WindowDto::Total => Window::Total,
        },
        limit: match input.unit {
            UnitDto::Money => Limit::Money(NanoUsd(i64::try_from(input.amount).map_err(invalid)?)),
            UnitDto::Tokens => Limit::Tokens(input.amount),
        },
        on_exhausted: match input.on_exhausted {
            Some(OnExhaustedDto::Ask) => OnExhausted::Ask,
            Some(OnExhaustedDto::Deny) => OnExhausted::Deny,
            Some(OnExhaustedDto::AskUnderFloor) | None => OnExhausted::AskUnderFloor,
        },
        output_floor: OUTPUT_FLOOR,
        file: String::new(),
        line: 0,
    })
}

fn scope(text: &str) -> Result<Scope, ApiError> {
    let agent = |name: &str| AgentId::parse(name).map_err(invalid);
    Ok(match text.split_once(':') {
        None if text == "organisation" => Scope::Organisation,
        None if text == "me" => Scope::Me,
        None if text == "agent" => Scope::Agent(None),
        None if text == "session" => Scope::Session(None),
        Some(("team", name)) => Scope::Team(TeamId::parse(name).map_err(invalid)?),
        Some(("agent", name)) => Scope::Agent(Some(agent(name)?)),
        Some(("session", name)) => Scope::Session(Some(agent(name)?)),
        _ => {
            return Err(invalid(format!("`{text}` is not a scope"))
                .hint("use organisation, me, team:NAME, agent, agent:NAME, session or session:AGENT"));
        }
    })
}
