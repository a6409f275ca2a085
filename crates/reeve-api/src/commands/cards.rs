//! What a card says beside the question, the rule before it is written, what the inbox proposes, and proof of a human.

use std::path::Path;

use reeve_domain::budget::Limit;
use reeve_domain::chain::Scanner;
use reeve_domain::id::{AgentId, ApprovalId};
use reeve_domain::operation::Operation;
use reeve_domain::sensitive::Secret;
use reeve_domain::verdict::{Decision, Risk};
use reeve_engine::approvals::Question;
use reeve_engine::history::Suggestion;
use reeve_engine::policies::STANDING_FILE;
use reeve_engine::policies::replay::WINDOW;

use super::{approvals, invalid};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::budgets::UnitDto;
use crate::contract::cards::{
    BeforeDto, CardAccountDto, CardCredentialDto, CardFactsDto, ConfirmedDto, PresenceDto, PreviewChangeDto,
    PreviewDto, PreviewInput, SetPresenceInput, SuggestionDto, SuggestionsDto, SystemMethodDto,
};
use crate::contract::credentials::{CredentialDto, TypedSecret};
use crate::host::Host;

/// Most kinds of change that a preview lists.
const CHANGES: usize = 50;
/// Most bytes that are shown of what the model said: its end.
const SAID: usize = 2_000;
/// As the engine counts *Before*.
const BEFORE_DAYS: u32 = 30;

pub(crate) async fn facts(host: &Host, question: &Question) -> Result<CardFactsDto, ApiError> {
    let engine = &host.engine;
    let approval = &question.approval;
    let before = engine.before(approval).await?;
    let session = engine.store().session(&approval.session).await?;
    let price = engine.price_of(question).await?;
    let accounts = price.iter().flat_map(|price| &price.budgets).map(|(balance, standing)| {
        let (unit, limit) = match standing.account.limit {
            Limit::Money(amount) => (UnitDto::Money, amount.0),
            Limit::Tokens(tokens) => (UnitDto::Tokens, i64::try_from(tokens).unwrap_or(i64::MAX)),
        };
        CardAccountDto {
            budget: standing.account.budget.to_string(),
            account: standing.account.key.clone(),
            unit,
            limit,
            settled: balance.settled,
            reserved: balance.reserved,
            free: standing.free,
            needed: standing.needed,
        }
    });
    // Raising a budget is a high risk, whatever the call's own.
    let least = if approval.unaffordable.is_some() { Risk::High } else { Risk::Low };
    Ok(CardFactsDto {
        before: BeforeDto {
            asked: before.asked,
            approved: before.approved,
            refused: before.refused,
            days: BEFORE_DAYS,
        },
        command: session.map(|session| session.command).unwrap_or_default(),
        branch: host.branches.look(Path::new(&approval.cwd)).await,
        stranger: question.stranger().map(str::to_owned),
        said: said(host, question).await?,
        session_cost: engine.session_cost(&approval.session).await?,
        credential: credential(host, &question.operation),
        accounts: accounts.collect(),
        estimate_in: price.as_ref().filter(|price| price.date.is_some()).map(|price| price.input.0),
        price_date: price.and_then(|price| price.date),
        input_tokens: question.operation.llm().map(|call| call.input_bound),
        needs_proof: engine.presence().needed_for(approval.risk.max(least)).await?,
        proof_set: engine.presence().is_set().await?,
        allowed_lately: engine.allowed_lately(approval).await?,
    })
}

/// What the model said, without what is or looks like a secret.
async fn said(host: &Host, question: &Question) -> Result<Option<String>, ApiError> {
    let Some(said) = &question.said else { return Ok(None) };
    let scanner = Scanner::new(host.engine.credentials().sought().await?, reeve_protocol::redact::shapes);
    let end = scanner.clean_end(said, SAID);
    Ok(Some(if said.len() > SAID { format!("… {}", end.trim_start()) } else { end }))
}

fn credential(host: &Host, operation: &Operation) -> Option<CardCredentialDto> {
    let id = operation.credential.as_ref()?;
    let known = host.engine.credentials().list().into_iter().find(|credential| credential.id == *id);
    let Some(known) = known else {
        return Some(CardCredentialDto { id: id.to_string(), name: id.to_string(), slot: None });
    };
    let dto = CredentialDto::from(&known);
    let place = operation.endpoint().and_then(|endpoint| {
        dto.bindings.iter().find(|b| b.host == endpoint.host.to_string() && b.port == endpoint.port)
    });
    Some(CardCredentialDto { id: dto.id, name: dto.name, slot: place.map(|binding| binding.slot.clone()) })
}

pub(crate) async fn preview(host: &Host, input: PreviewInput) -> Result<PreviewDto, ApiError> {
    let engine = &host.engine;
    let id = ApprovalId::parse(&input.approval).map_err(invalid)?;
    let preview = engine.preview(&id, input.rule.into()).await?;
    let effect = preview.effect;
    let allowed = effect.changes.iter().filter(|change| change.after == Decision::Allow).take(CHANGES);
    Ok(PreviewDto {
        needs_proof: engine.presence().needed_for(preview.weight).await?,
        text: preview.text,
        file: engine.policies().folder().join(STANDING_FILE).display().to_string(),
        days: u32::try_from(WINDOW.num_days()).unwrap_or_default(),
        judged: effect.judged,
        complete: effect.complete,
        allowed: effect.newly_allowed.count,
        grave: effect.newly_allowed.grave,
        changes: allowed
            .map(|change| PreviewChangeDto {
                agent_name: super::agents::name_of(host, &change.agent),
                summary: change.summary.clone(),
                kind: change.kind.to_owned(),
                risk: change.risk.into(),
                times: change.times,
                operation: change.sample.to_string(),
            })
            .collect(),
    })
}

pub(crate) async fn suggestions(host: &Host) -> Result<SuggestionsDto, ApiError> {
    let engine = &host.engine;
    let suggestion = |one: Suggestion| match one {
        Suggestion::MakeRule { question, times } => {
            SuggestionDto::MakeRule { question: Box::new(approvals::dto(host, &question)), times }
        }
        Suggestion::Expiring { rule, reason, at } => SuggestionDto::Expiring { rule, reason, at },
        Suggestion::Unused { rule, reason, days } => SuggestionDto::Unused { rule, reason, days },
        Suggestion::Tighten { rule, reason, times, agent, path } => {
            let named = |agent: String| match AgentId::parse(&agent) {
                Ok(id) => super::agents::name_of(host, &id),
                Err(_) => agent,
            };
            SuggestionDto::Tighten { rule, reason, times, agent_name: agent.map(named), path }
        }
        Suggestion::ReadyToEnforce { actions, held, denied, capped } => {
            SuggestionDto::ReadyToEnforce { actions, held, denied, capped }
        }
        Suggestion::Rotate { credential, name, days } => SuggestionDto::Rotate { credential, name, days },
    };
    Ok(SuggestionsDto {
        suggestions: engine.suggestions().await?.into_iter().map(suggestion).collect(),
        reading_median_ms: engine.reading_median().await?,
    })
}

pub(crate) async fn presence(host: &Host) -> Result<PresenceDto, ApiError> {
    let presence = host.engine.presence();
    let system = presence.system().await;
    Ok(PresenceDto {
        set: presence.is_set().await?,
        also_high: presence.also_high().await?,
        system: system.map(|(name, state)| SystemMethodDto { name: name.to_owned(), problem: state.err() }),
    })
}

/// Answers when the human did, which may take minutes.
pub(crate) async fn confirm(host: &Host, caller: &Caller) -> Result<ConfirmedDto, ApiError> {
    let person = super::approvals::person(caller, None);
    let proof = host.engine.presence().confirm(caller.pid, &person).await?;
    Ok(ConfirmedDto { proof: TypedSecret(String::from_utf8_lossy(proof.expose()).into_owned()) })
}

pub(crate) async fn set_presence(
    host: &Host,
    caller: &Caller,
    input: SetPresenceInput,
) -> Result<PresenceDto, ApiError> {
    let guard = host.engine.presence();
    let person = super::approvals::person(caller, input.old);
    if let Some(on) = input.also_high {
        guard.demand_for_high(on, &person).await?;
    }
    if let Some(new) = input.new {
        guard.set(Secret::from(new), &person).await?;
    }
    presence(host).await
}
