//! `reeve approve`: the Inbox in a terminal. Allowing needs a terminal, so that a script cannot do it unseen.

use std::time::{Duration, Instant};

use reeve_api::client::Client;
use reeve_api::contract::approvals::{
    AnswerDto, ApprovalDto, ApprovalInput, ApprovalsPage, ResolutionDto, ResolveInput, ScopeDto,
};
use reeve_api::contract::calls::ApprovalsCall;
use reeve_api::contract::credentials::TypedSecret;
use reeve_api::contract::{ApiCode, ApiError};

use super::{Context, ids, proof, refuse_inside_session};
use crate::args::ApproveVerb;
use crate::{exit, output};

pub async fn approve(context: &Context, verb: Option<ApproveVerb>) -> anyhow::Result<u8> {
    match verb.unwrap_or(ApproveVerb::List) {
        ApproveVerb::List => list(context).await,
        ApproveVerb::Show { id } => {
            refuse_inside_session("approve show")?;
            let approval = Shown::get(&context.client().await?, id).await?.card;
            if context.json {
                output::json(&approval)?
            } else {
                print(&approval)?
            }
            Ok(if approval.resolved.is_none() { exit::WAITING } else { exit::DONE })
        }
        ApproveVerb::Allow { id, session, for_, always } => {
            refuse_inside_session("approve allow")?;
            allow(context, id, scope(session, for_.as_deref(), always)?).await
        }
        ApproveVerb::Deny { id, reason } => {
            refuse_inside_session("approve deny")?;
            let client = context.client().await?;
            let shown = Shown::get(&client, id).await?;
            let after = shown.answer(&client, AnswerDto::Refuse { reason }, None).await?;
            told(context, after)
        }
    }
}

async fn list(context: &Context) -> anyhow::Result<u8> {
    let client = context.client().await?;
    let page: ApprovalsPage = client.call(&ApprovalsCall::List).await?;
    if context.json {
        output::json(&page.open)?;
    } else if page.open.is_empty() {
        context.say("nothing waits");
    } else {
        let row = |a: &ApprovalDto| {
            let left = (a.expires_at - chrono::Utc::now()).num_seconds().max(0);
            vec![
                a.id.clone(),
                format!("{:?}", a.risk),
                a.agent.clone(),
                format!("{}:{:02}", left / 60, left % 60),
                output::visible(&a.summary),
            ]
        };
        output::table(
            &["QUESTION", "RISK", "AGENT", "LEFT", "ACTION"],
            &page.open.iter().map(row).collect::<Vec<_>>(),
        )?;
    }
    Ok(if page.open.is_empty() { exit::DONE } else { exit::WAITING })
}

fn scope(session: bool, for_: Option<&str>, always: bool) -> anyhow::Result<ScopeDto> {
    Ok(match for_ {
        Some(text) => ScopeDto::Until { at: chrono::Utc::now() + super::status::duration(text)? },
        None if always => ScopeDto::Always,
        None if session => ScopeDto::Session,
        None => ScopeDto::Once,
    })
}

async fn allow(context: &Context, id: String, scope: ScopeDto) -> anyhow::Result<u8> {
    let client = context.client().await?;
    // First who asks, which the engine knows by the ancestors, and then whether anybody can be asked.
    let mut shown = Shown::get(&client, id).await?;
    if !output::may_ask(context.no_input) {
        return Err(ApiError::new(ApiCode::NotPermitted, "`reeve approve allow` works only on a terminal")
            .hint("decide in the console, or in a terminal of your own")
            .into());
    }
    let card = &shown.card;
    print(card)?;
    let text = card.arming.as_ref().and_then(|arming| match scope {
        ScopeDto::Session | ScopeDto::Until { .. } => arming.session_text.clone(),
        ScopeDto::Always => arming.always_text.clone(),
        ScopeDto::Once => None,
    });
    if let Some(text) = text {
        eprintln!("This will be in force:\n{text}");
    }
    eprint!("Allow it? Type yes: ");
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    if typed.trim() != "yes" {
        context.say("nothing was decided");
        return Ok(exit::WAITING);
    }
    let answer = || AnswerDto::Approve { scope: scope.clone() };
    if !card.facts.as_ref().is_some_and(|facts| facts.needs_proof) {
        return told(context, shown.answer(&client, answer(), None).await?);
    }
    let by_system = ApiError::new(ApiCode::NeedsProof, "allowing this needs your confirmation");
    if let Some(proof) = proof::by_system(context, &client, &by_system).await? {
        return told(context, shown.answer(&client, answer(), Some(proof)).await?);
    }
    let mut refused = ApiError::new(ApiCode::NeedsProof, "allowing this needs your passphrase");
    for _ in 0..proof::TRIES {
        let typed = proof::ask(context, &client, &refused).await?;
        match shown.answer(&client, answer(), Some(typed)).await {
            // A ticket counts once, so the next try is about the card as it is then.
            Err(error) if error.code == ApiCode::NeedsProof => {
                refused = error;
                shown = Shown::get(&client, shown.card.id).await?;
            }
            other => return told(context, other?),
        }
    }
    Err(refused.into())
}

/// A card, and since when it is shown.
struct Shown {
    card: ApprovalDto,
    since: Instant,
}

impl Shown {
    async fn get(client: &Client, approval: String) -> Result<Self, ApiError> {
        let approval = ids::question(client, approval).await?;
        let card = client.call(&ApprovalsCall::Get(ApprovalInput { approval })).await?;
        Ok(Self { card, since: Instant::now() })
    }

    /// Answers once the card is armed.
    async fn answer(
        &self,
        client: &Client,
        answer: AnswerDto,
        proof: Option<TypedSecret>,
    ) -> Result<ApprovalDto, ApiError> {
        let Some(arming) = &self.card.arming else {
            let message = format!("`{}` has its answer already", self.card.id);
            return Err(ApiError::new(ApiCode::AlreadyResolved, message));
        };
        let armed = Duration::from_millis(arming.arms_after_ms.into());
        tokio::time::sleep(armed.saturating_sub(self.since.elapsed())).await;
        let (approval, nonce) = (self.card.id.clone(), arming.nonce.clone());
        let input = ResolveInput { approval, nonce, answer, reading_ms: None, rule: None, proof };
        client.call(&ApprovalsCall::Resolve(input)).await
    }
}

fn told(context: &Context, after: ApprovalDto) -> anyhow::Result<u8> {
    if context.json {
        output::json(&after)?;
    } else {
        let word = match after.resolved.map(|r| r.resolution) {
            Some(ResolutionDto::Approved { .. }) => "approved",
            Some(ResolutionDto::Refused { .. }) => "refused",
            _ => "closed",
        };
        context.say(&format!("{word}: {}", output::visible(&after.summary)));
    }
    Ok(exit::DONE)
}

fn print(a: &ApprovalDto) -> anyhow::Result<()> {
    output::line(&format!("{} · {:?} risk · {} · {}", a.id, a.risk, a.agent_name, output::visible(&a.cwd)))?;
    output::line(&format!("Action   {}", output::visible(&a.summary)))?;
    for reason in &a.reasons {
        output::line(&format!("Held by  {} {}", reason.rule, output::visible(&reason.text)))?;
    }
    for reason in &a.risk_reasons {
        output::line(&format!("Why      {}", output::visible(reason)))?;
    }
    if let Some(estimate) = a.estimate {
        output::line(&format!("Costs    up to {}", output::money(estimate)))?;
    }
    if let Some(why) = &a.unaffordable {
        output::line(&format!("Budget   {}", output::visible(why)))?;
    }
    output::line("What will be sent (foreign text):")?;
    for line in serde_json::to_string_pretty(&a.view)?.lines() {
        output::line(&format!("  │ {}", output::visible(line)))?;
    }
    Ok(())
}
