//! Drafts against the record: all of the last days, or one operation.

use reeve_domain::id::OperationId;
use reeve_engine::policies::propose::Wanted;
use reeve_engine::policies::replay::{Change, Replay, Tally, WINDOW};
use reeve_policy::{Effect, Explanation};

use super::drafts::set_of;
use super::rule;
use crate::commands::agents::name_of;
use crate::commands::invalid;
use crate::contract::ApiError;
use crate::contract::policies::weighing::{
    ConsideredDto, EffectDto, FactDto, ProposalDto, ProposeInput, ReplayChangeDto, ReplayDto, ReplayInput, SideDto,
    TallyDto, WhatIfDto, WhatIfInput,
};
use crate::host::Host;

pub(super) async fn replay(host: &Host, input: &ReplayInput) -> Result<ReplayDto, ApiError> {
    let since = input.since.unwrap_or_else(|| host.engine.now() - WINDOW);
    let replay = host.engine.replay(set_of(host, &input.draft)?, since).await?;
    Ok(dto(host, &replay))
}

/// A replay as it travels.
pub(crate) fn dto(host: &Host, replay: &Replay) -> ReplayDto {
    ReplayDto {
        since: replay.since,
        judged: replay.judged,
        complete: replay.complete,
        newly_allowed: tally(replay.newly_allowed),
        newly_asked: tally(replay.newly_asked),
        newly_denied: tally(replay.newly_denied),
        same: replay.same,
        changes: replay.changes.iter().map(|one| change(host, one)).collect(),
        took_ms: u64::try_from(replay.took.as_millis()).unwrap_or(u64::MAX),
    }
}

fn tally(tally: Tally) -> TallyDto {
    TallyDto { count: tally.count, grave: tally.grave }
}

fn change(host: &Host, change: &Change) -> ReplayChangeDto {
    ReplayChangeDto {
        agent: change.agent.to_string(),
        agent_name: name_of(host, &change.agent),
        kind: change.kind.to_owned(),
        summary: change.summary.clone(),
        before: change.before.into(),
        after: change.after.into(),
        risk: change.risk.into(),
        reasons: change.reasons.iter().map(Into::into).collect(),
        times: change.times,
        operation: change.sample.to_string(),
    }
}

pub(super) async fn what_if(host: &Host, input: &WhatIfInput) -> Result<WhatIfDto, ApiError> {
    let id = OperationId::parse(&input.operation).map_err(invalid)?;
    let (draft, draft_problem) = match input.draft.as_ref().map(|draft| set_of(host, draft)) {
        None => (None, None),
        Some(Ok(set)) => (Some(set), None),
        Some(Err(error)) => (None, Some(error.message)),
    };
    let found = host.engine.what_if(&id, draft).await?;
    let fact = |(name, value): (&String, &serde_json::Value)| FactDto {
        name: name.clone(),
        value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    Ok(WhatIfDto {
        operation: id.to_string(),
        at: found.operation.at,
        agent_name: name_of(host, &found.operation.principal.agent),
        summary: found.operation.summary.clone(),
        recorded: found.recorded.decision().into(),
        facts: found.now.facts.iter().map(fact).collect(),
        now: side(&found.now),
        draft: found.draft.as_ref().map(side),
        draft_problem,
    })
}

fn side(explained: &Explanation) -> SideDto {
    let verdict = &explained.verdict;
    SideDto {
        decision: verdict.decision().into(),
        reasons: verdict.reasons().iter().map(Into::into).collect(),
        risk: verdict.risk().into(),
        risk_reasons: verdict.risk_reasons().to_vec(),
        lifted_by: verdict.lifted_by().to_vec(),
        observed: verdict.observed().iter().map(Into::into).collect(),
        considered: explained
            .considered
            .iter()
            .filter(|one| one.matched || one.determined || one.error.is_some())
            .map(|one| ConsideredDto {
                rule: rule(&one.rule),
                matched: one.matched,
                determined: one.determined,
                error: one.error.clone(),
            })
            .collect(),
    }
}

pub(super) async fn propose(host: &Host, input: &ProposeInput) -> Result<ProposalDto, ApiError> {
    let id = OperationId::parse(&input.operation).map_err(invalid)?;
    let effect = match input.effect {
        EffectDto::Permit => Effect::Permit,
        EffectDto::Ask => Effect::Ask,
        EffectDto::Forbid => Effect::Forbid,
    };
    let (anyone, here) = (input.anyone, input.here);
    let found = host.engine.propose(&id, Wanted { effect, width: input.width.into(), anyone, here }).await?;
    let operation = &found.operation;
    Ok(ProposalDto {
        summary: operation.summary.clone(),
        kind: operation.action().kind().to_owned(),
        method: operation.endpoint().map(|endpoint| endpoint.method.clone()).unwrap_or_default(),
        agent_name: name_of(host, &operation.principal.agent),
        widths: found.widths.into_iter().map(Into::into).collect(),
        cwd: found.cwd,
        text: found.text,
    })
}
