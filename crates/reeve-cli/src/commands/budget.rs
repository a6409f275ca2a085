//! `reeve budget`: limits and what is left of them.

use reeve_api::contract::budgets::{BudgetDto, BudgetInput, SetBudgetInput, UnitDto, WindowDto};
use reeve_api::contract::calls::BudgetsCall;
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, proof, refuse_inside_session};
use crate::args::BudgetVerb;
use crate::{exit, output};

pub async fn budget(context: &Context, verb: Option<BudgetVerb>) -> anyhow::Result<u8> {
    if !matches!(verb, None | Some(BudgetVerb::Show)) {
        refuse_inside_session("budget")?;
    }
    let verb = verb.unwrap_or(BudgetVerb::Show);
    let shows = matches!(verb, BudgetVerb::Show);
    let client = context.client().await?;
    let call = match verb {
        BudgetVerb::Show => BudgetsCall::List,
        BudgetVerb::Set { id, amount, scope, window, model, on_exhausted } => {
            let (unit, amount) = reeve_api::parse_amount(&amount)?;
            let on_exhausted = on_exhausted.map(Into::into);
            let window = window.into();
            let proof = None;
            BudgetsCall::Set(SetBudgetInput { id, scope, window, unit, amount, model, on_exhausted, proof })
        }
        BudgetVerb::Raise { id, by } => {
            let (unit, by) = reeve_api::parse_amount(&by)?;
            let budgets: Vec<BudgetDto> = client.call(&BudgetsCall::List).await?;
            BudgetsCall::Set(raised(&budgets, &id, unit, by)?)
        }
        BudgetVerb::Rm { id } => BudgetsCall::Remove(BudgetInput { budget: id, proof: None }),
    };
    let budgets: Vec<BudgetDto> = proof::proven(context, &client, |proof| with(call.clone(), proof)).await?;
    print(context, &budgets)?;
    // As `reeve approve` does with what waits: a script learns whether there is money without reading columns.
    let used_up = |b: &BudgetDto| b.window != WindowDto::Call && b.free <= 0;
    Ok(if shows && budgets.iter().any(used_up) { exit::BUDGET } else { exit::DONE })
}

fn with(mut call: BudgetsCall, proof: Option<TypedSecret>) -> BudgetsCall {
    match &mut call {
        BudgetsCall::Set(input) => input.proof = proof,
        BudgetsCall::Remove(input) => input.proof = proof,
        _ => {}
    }
    call
}

fn raised(budgets: &[BudgetDto], id: &str, unit: UnitDto, by: u64) -> anyhow::Result<SetBudgetInput> {
    let Some(found) = budgets.iter().find(|b| b.id == id) else {
        anyhow::bail!("there is no budget `{id}`; `reeve budget` lists them");
    };
    if found.unit != unit {
        let message = format!("budget `{id}` counts in another unit");
        return Err(ApiError::new(ApiCode::Invalid, message).hint("give dollars for money, `k` for tokens").into());
    }
    anyhow::ensure!(
        found.file == "mine.limits.yaml",
        "budget `{id}` is written in `{}`, which Reeve never rewrites: raise it there",
        found.file
    );
    Ok(SetBudgetInput {
        id: id.to_owned(),
        scope: found.scope.clone(),
        window: found.window,
        unit,
        amount: u64::try_from(found.limit).unwrap_or(0).saturating_add(by),
        model: found.model.clone(),
        on_exhausted: Some(found.on_exhausted),
        proof: None,
    })
}

fn print(context: &Context, budgets: &[BudgetDto]) -> anyhow::Result<()> {
    if context.json {
        return output::json(&budgets);
    }
    if budgets.is_empty() {
        context.say("no limits are set: `reeve budget set daily --scope me --window day 20.00` sets one");
        return Ok(());
    }
    let row = |b: &BudgetDto| {
        let show = |amount: i64| match b.unit {
            UnitDto::Money => output::money(amount),
            UnitDto::Tokens => format!("{amount} tok"),
        };
        let model = b.model.clone().unwrap_or_else(|| "any".to_owned());
        let window = format!("{:?}", b.window).to_lowercase();
        vec![
            b.id.clone(),
            b.account.clone(),
            model,
            window,
            show(b.limit),
            show(b.settled),
            show(b.reserved),
            show(b.free),
        ]
    };
    let rows: Vec<_> = budgets.iter().map(row).collect();
    output::table(&["BUDGET", "ACCOUNT", "MODEL", "WINDOW", "LIMIT", "SETTLED", "RESERVED", "FREE"], &rows)
}
