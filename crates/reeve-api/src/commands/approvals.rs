//! Held actions: listed, shown with a ticket, answered.

use reeve_domain::approval::{Approval, GrantScope, Resolution};
use reeve_domain::id::{ApprovalId, BudgetId};
use reeve_domain::query::{self, Query};
use reeve_domain::sensitive::Secret;
use reeve_engine::approvals::ARMING;
use reeve_engine::decide::Answering;
use reeve_engine::decided::LeftBehind;
use reeve_engine::policies::STANDING_FILE;
use reeve_engine::presence::Person;
use reeve_store::search::Page;
use serde_json::Value;
use std::time::Duration;

use super::{answer, cards, invalid, not_found, operations};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::approvals::{
    AnswerDto, AnsweredInput, AnsweredPage, ApprovalDto, ApprovalsPage, ArmingDto, ResolveInput, ScopeDto,
};
use crate::contract::calls::ApprovalsCall;
use crate::contract::cards::{LateInput, LeftDto, RaiseInput};
use crate::contract::credentials::TypedSecret;
use crate::host::Host;

/// Most answered questions in one list.
const RESOLVED: usize = 200;
/// What *+ 5 min* gives.
const EXTENSION: Duration = Duration::from_secs(300);

pub(crate) async fn run(host: &Host, caller: &Caller, call: ApprovalsCall) -> Result<Value, ApiError> {
    let engine = &host.engine;
    let id = match call {
        ApprovalsCall::List => return answer(&list(host).await?),
        ApprovalsCall::Answered(input) => return answer(&answered(host, &input).await?),
        ApprovalsCall::Suggestions => return answer(&cards::suggestions(host).await?),
        ApprovalsCall::Preview(input) => return answer(&cards::preview(host, input).await?),
        ApprovalsCall::Presence => return answer(&cards::presence(host).await?),
        ApprovalsCall::SetPresence(input) => return answer(&cards::set_presence(host, caller, input).await?),
        ApprovalsCall::Confirm => return answer(&cards::confirm(host, caller).await?),
        ApprovalsCall::Get(input) => return answer(&show(host, &parsed(&input.approval)?).await?),
        ApprovalsCall::Resolve(input) => {
            let id = parsed(&input.approval)?;
            engine.answer(answering(caller, input)?).await?;
            id
        }
        ApprovalsCall::AllowLate(input) => {
            let id = parsed(&input.approval)?;
            engine.allow_late(late(caller, input)?).await?;
            id
        }
        ApprovalsCall::Raise(input) => {
            let id = parsed(&input.approval)?;
            let budget = BudgetId::parse(&input.budget).map_err(invalid)?;
            let by = input.by;
            engine.raise(raise(caller, input)?, &budget, by).await?;
            id
        }
        ApprovalsCall::Undo(input) => {
            let id = parsed(&input.approval)?;
            engine.undo(&id, whoami()).await?;
            id
        }
        ApprovalsCall::Extend(input) => {
            let id = parsed(&input.approval)?;
            engine.approvals().extend(&id, EXTENSION).await?;
            id
        }
    };
    answer(&dto(host, &find(host, &id).await?))
}

fn parsed(id: &str) -> Result<ApprovalId, ApiError> {
    ApprovalId::parse(id).map_err(invalid)
}

fn answering(caller: &Caller, input: ResolveInput) -> Result<Answering, ApiError> {
    Ok(Answering {
        approval: parsed(&input.approval)?,
        ticket: input.nonce,
        resolution: match &input.answer {
            AnswerDto::Approve { scope } => Resolution::Approved { scope: GrantScope::from(scope) },
            AnswerDto::Refuse { reason } => Resolution::Refused { reason: reason.clone() },
        },
        by: whoami(),
        surface: caller.surface,
        reading_ms: input.reading_ms,
        rule: input.rule.map(Into::into).unwrap_or_default(),
        proof: input.proof.map(Secret::from),
    })
}

fn late(caller: &Caller, input: LateInput) -> Result<Answering, ApiError> {
    let answer = AnswerDto::Approve { scope: input.scope };
    let LateInput { approval, nonce, rule, proof, .. } = input;
    answering(caller, ResolveInput { approval, nonce, answer, reading_ms: None, rule, proof })
}

fn raise(caller: &Caller, input: RaiseInput) -> Result<Answering, ApiError> {
    let answer = AnswerDto::Approve { scope: ScopeDto::Once };
    let RaiseInput { approval, nonce, reading_ms, proof, .. } = input;
    answering(caller, ResolveInput { approval, nonce, answer, reading_ms, rule: None, proof })
}

async fn list(host: &Host) -> Result<ApprovalsPage, ApiError> {
    let store = host.engine.store();
    let open = store.open_approvals().await?;
    let newest = store.approvals(RESOLVED).await?;
    Ok(ApprovalsPage {
        open: open.iter().map(|a| dto(host, a)).collect(),
        resolved: newest.iter().filter(|a| a.resolved.is_some()).map(|a| dto(host, a)).collect(),
    })
}

async fn answered(host: &Host, input: &AnsweredInput) -> Result<AnsweredPage, ApiError> {
    let parsed = query::parse(&input.query);
    let answers = if input.expired { "decision:expired,withdrawn" } else { "decision:approved,refused" };
    let sought = Query::and(vec![parsed.query, query::parse(answers).query]);
    let before = input.before.as_deref().map(str::parse::<u64>).transpose().map_err(invalid)?;
    let limit = usize::try_from(input.limit.clamp(1, operations::PAGE)).unwrap_or(1);
    let found = host.engine.store().search(&sought, Page { before, limit }).await?;
    let mut approvals: Vec<ApprovalDto> = Vec::new();
    for id in found.rows.iter().filter_map(|row| row.approval.as_ref()) {
        if approvals.iter().all(|one| one.id != id.as_str()) {
            // What was wiped meanwhile is no part of the history any more.
            approvals.extend(host.engine.store().approval(id).await?.map(|approval| dto(host, &approval)));
        }
    }
    let next = found.next.map(|next| next.to_string());
    Ok(AnsweredPage { approvals, next, problems: parsed.problems.iter().map(operations::problem).collect() })
}

/// The card: shown from now on, so that it can be answered.
async fn show(host: &Host, id: &ApprovalId) -> Result<ApprovalDto, ApiError> {
    let approval = find(host, id).await?;
    let mut card = dto(host, &approval);
    let engine = &host.engine;
    let (nonce, session) = match &approval.resolved {
        None => (engine.approvals().show(id)?, engine.standing_text(id, &GrantScope::Session).ok()),
        Some(resolved) if matches!(resolved.resolution, Resolution::Expired | Resolution::Approved { .. }) => {
            (engine.approvals().show_answered(id), None)
        }
        Some(_) => return Ok(card),
    };
    let question = engine.question_of(id).await?;
    let always = engine.standing_rule(&question);
    card.left = engine.left_behind(&approval).map(left);
    card.arming = Some(ArmingDto {
        nonce,
        arms_after_ms: u32::try_from(ARMING.as_millis()).unwrap_or(u32::MAX),
        not_liftable: always.as_ref().err().map(ToString::to_string),
        widths: match &always {
            Ok(_) => reeve_policy::widths(&question.operation).into_iter().map(Into::into).collect(),
            Err(_) => Vec::new(),
        },
        session_text: session,
        always_text: always.ok(),
        always_file: Some(engine.policies().folder().join(STANDING_FILE).display().to_string()),
    });
    card.facts = Some(cards::facts(host, &question).await?);
    Ok(card)
}

async fn find(host: &Host, id: &ApprovalId) -> Result<Approval, ApiError> {
    host.engine.store().approval(id).await?.ok_or_else(|| not_found("question", id.as_str()))
}

pub(crate) fn dto(host: &Host, approval: &Approval) -> ApprovalDto {
    let mut dto = ApprovalDto::of(approval, &super::agents::name_of(host, &approval.agent));
    let answer = approval.resolved.as_ref().map(|resolved| &resolved.resolution);
    if let Some(Resolution::Approved { scope }) = answer
        && *scope != GrantScope::Once
    {
        dto.left = host.engine.left_behind(approval).map(left);
    }
    dto
}

fn left(behind: LeftBehind) -> LeftDto {
    match behind {
        LeftBehind::Grant { id, text } => LeftDto::Grant { id: id.to_string(), text },
        LeftBehind::Rule { id, text } => LeftDto::Rule { id, text },
    }
}

/// The human on this machine, as this caller speaks for them.
pub(crate) fn person(caller: &Caller, proof: Option<TypedSecret>) -> Person {
    Person { name: whoami(), surface: caller.surface, proof: proof.map(Secret::from) }
}

/// The human on this machine.
pub(crate) fn whoami() -> String {
    #[cfg(unix)]
    if let Ok(Some(user)) = nix::unistd::User::from_uid(nix::unistd::getuid()) {
        return user.name;
    }
    std::env::var("USERNAME").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "unknown".to_owned())
}
