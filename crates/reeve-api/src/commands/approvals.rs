//! Held actions: listed, shown with a ticket, answered.

use reeve_domain::approval::{Approval, GrantScope, Resolution};
use reeve_domain::id::ApprovalId;
use reeve_engine::approvals::ARMING;
use reeve_engine::decide::Answering;
use reeve_engine::policies::STANDING_FILE;
use serde_json::Value;
use std::time::Duration;

use super::{answer, invalid, not_found};
use crate::connection::Caller;
use crate::contract::ApiError;
use crate::contract::approvals::{AnswerDto, ApprovalDto, ApprovalsPage, ArmingDto};
use crate::contract::calls::ApprovalsCall;
use crate::host::Host;

/// Most answered questions in one list.
const RESOLVED: usize = 200;
/// What *+ 5 min* gives.
const EXTENSION: Duration = Duration::from_secs(300);

pub(crate) async fn run(host: &Host, caller: &Caller, call: ApprovalsCall) -> Result<Value, ApiError> {
    match call {
        ApprovalsCall::List => answer(&list(host).await?),
        ApprovalsCall::Get(input) => {
            let id = ApprovalId::parse(&input.approval).map_err(invalid)?;
            answer(&show(host, &id).await?)
        }
        ApprovalsCall::Resolve(input) => {
            let id = ApprovalId::parse(&input.approval).map_err(invalid)?;
            let resolution = match &input.answer {
                AnswerDto::Approve { scope } => Resolution::Approved { scope: GrantScope::from(scope) },
                AnswerDto::Refuse { reason } => Resolution::Refused { reason: reason.clone() },
            };
            let answering = Answering {
                approval: id.clone(),
                ticket: input.nonce,
                resolution,
                by: whoami(),
                surface: caller.surface,
                reading_ms: input.reading_ms,
            };
            host.engine.answer(answering).await?;
            answer(&dto(host, &find(host, &id).await?))
        }
        ApprovalsCall::Extend(input) => {
            let id = ApprovalId::parse(&input.approval).map_err(invalid)?;
            host.engine.approvals().extend(&id, EXTENSION).await?;
            answer(&dto(host, &find(host, &id).await?))
        }
    }
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

async fn show(host: &Host, id: &ApprovalId) -> Result<ApprovalDto, ApiError> {
    let approval = find(host, id).await?;
    let mut card = dto(host, &approval);
    if approval.resolved.is_some() {
        return Ok(card);
    }
    let engine = &host.engine;
    let session = engine.standing_text(id, &GrantScope::Session);
    let always = engine.standing_text(id, &GrantScope::Always);
    card.arming = Some(ArmingDto {
        nonce: engine.approvals().show(id)?,
        arms_after_ms: u32::try_from(ARMING.as_millis()).unwrap_or(u32::MAX),
        not_liftable: always.as_ref().err().map(ToString::to_string),
        session_text: session.ok(),
        always_text: always.ok(),
        always_file: Some(engine.policies().folder().join(STANDING_FILE).display().to_string()),
    });
    Ok(card)
}

async fn find(host: &Host, id: &ApprovalId) -> Result<Approval, ApiError> {
    host.engine.store().approval(id).await?.ok_or_else(|| not_found("question", id.as_str()))
}

pub(crate) fn dto(host: &Host, approval: &Approval) -> ApprovalDto {
    ApprovalDto::of(approval, &super::agents::name_of(host, &approval.agent))
}

/// The human on this machine.
pub(crate) fn whoami() -> String {
    #[cfg(unix)]
    if let Ok(Some(user)) = nix::unistd::User::from_uid(nix::unistd::getuid()) {
        return user.name;
    }
    std::env::var("USERNAME").or_else(|_| std::env::var("USER")).unwrap_or_else(|_| "unknown".to_owned())
}
