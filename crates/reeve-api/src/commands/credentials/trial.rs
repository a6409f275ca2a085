//! `credentials.test`: what is known without sending anything, and the one read that a person asks for.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reeve_domain::approval::{GrantScope, Resolution};
use reeve_domain::event::{Event, EventBody};
use reeve_domain::host::Authority;
use reeve_domain::id::{CredentialId, SessionId};
use reeve_domain::outcome::Ending;
use reeve_domain::session::SessionEnd;
use reeve_domain::verdict::{Decision, Verdict};
use reeve_engine::OpenSession;
use reeve_engine::approvals::ARMING;
use reeve_engine::credentials::{Read, Trial, TriedPlace};
use reeve_engine::decide::Answering;

use crate::commands::{approvals, invalid};
use crate::connection::Caller;
use crate::contract::credentials::{CredentialTestDto, TestAnswerDto, TestCredentialInput, TestRequestDto};
use crate::contract::status::{CheckDto, FixDto};
use crate::contract::{ApiCode, ApiError};
use crate::host::Host;

/// How long an answer, and its record, is waited for.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn test(
    host: &Arc<Host>,
    caller: &Caller,
    input: &TestCredentialInput,
) -> Result<CredentialTestDto, ApiError> {
    let id = CredentialId::parse(&input.credential).map_err(invalid)?;
    let trial = host.engine.try_credential(&id).await?;
    let answer = match input.send {
        None => None,
        Some(place) => {
            let read = chosen(&trial, place)?;
            host.engine.breakers().try_now(&id, host.engine.now());
            Some(send(host, caller, read).await?)
        }
    };
    Ok(CredentialTestDto {
        credential: id.to_string(),
        checks: checks(&trial),
        requests: trial.places.iter().enumerate().filter_map(request).collect(),
        answer,
    })
}

fn checks(trial: &Trial) -> Vec<CheckDto> {
    let check = |name: &str, ok: bool, evidence: String, fix: Option<FixDto>| CheckDto {
        name: name.to_owned(),
        ok,
        evidence,
        fix: fix.filter(|_| !ok),
    };
    let id = &trial.credential.id;
    let replace = || Some(FixDto::command(format!("reeve cred replace {id}")));
    let mut checks = vec![match &trial.secret {
        Ok(()) => check("secret", true, "in the vault and readable".to_owned(), None),
        Err(why) => check("secret", false, why.clone(), replace()),
    }];
    checks.extend(trial.shape.iter().map(|shape| match shape {
        Ok(like) => check("shape", true, like.clone(), None),
        Err(odd) => check("shape", false, odd.clone(), replace()),
    }));
    if trial.places.is_empty() {
        checks.push(check("places", false, "bound to no place, so it is never used".to_owned(), None));
    }
    checks.extend(trial.places.iter().map(|tried| match &tried.read {
        Err(why) => check(&tried.place, true, format!("not tried: {why}"), None),
        Ok(read) => check(&tried.place, read.verdict.decision() != Decision::Deny, judged(&read.verdict), None),
    }));
    checks
}

fn judged(verdict: &Verdict) -> String {
    let rules: Vec<String> = verdict.reasons().iter().map(|reason| format!("`{}`", reason.rule)).collect();
    let by = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(", ")) };
    match verdict.decision() {
        Decision::Allow => "a read of it is allowed".to_owned(),
        Decision::Ask => format!("an agent's read of it is held{by}"),
        Decision::Deny => format!("a read of it is denied{by}"),
    }
}

/// What can be sent: what policy does not deny. Where it asks, the person who sends it is asked by being shown this.
fn request((number, tried): (usize, &TriedPlace)) -> Option<TestRequestDto> {
    let read = tried.read.as_ref().ok().filter(|read| read.verdict.decision() != Decision::Deny)?;
    Some(TestRequestDto {
        place: u32::try_from(number).ok()?,
        agent: read.agent.to_string(),
        method: read.endpoint.method.clone(),
        url: read.url(),
    })
}

fn chosen(trial: &Trial, place: u32) -> Result<&Read, ApiError> {
    let tried = usize::try_from(place).ok().and_then(|place| trial.places.get(place));
    let tried = tried.ok_or_else(|| invalid(format!("credential `{}` has no place {place}", trial.credential.id)))?;
    let read = tried.read.as_ref().map_err(|why| invalid(format!("`{}` is not tried: {why}", tried.place)))?;
    if read.verdict.decision() != Decision::Deny {
        return Ok(read);
    }
    Err(ApiError::new(ApiCode::NotPermitted, format!("`{}` is not tried: {}", tried.place, judged(&read.verdict))))
}

/// The read, in a session of its own, so that the record shows it like everything else that leaves.
async fn send(host: &Arc<Host>, caller: &Caller, read: &Read) -> Result<TestAnswerDto, ApiError> {
    let failed = |error: &dyn std::fmt::Display| ApiError::new(ApiCode::Failed, error.to_string());
    let place = format!("{}:{}", read.endpoint.host, read.endpoint.port);
    let place = Authority::parse(&place, None).map_err(|e| failed(&e))?;
    let opening = OpenSession {
        agent: read.agent.clone(),
        user: approvals::whoami(),
        team: None,
        cwd: host.home.data.display().to_string(),
        command: ["reeve", "cred", "test"].map(str::to_owned).to_vec(),
        mode: None,
        wraps: None,
        holder: None,
        opener: None,
        expires_at: None,
    };
    let (live, token) = host.engine.open_session(opening).await?;
    let opened = host.proxy.open(&live).map_err(|e| failed(&e));
    let reading = async {
        opened?;
        host.proxy.read(&live, token, place, read.target(), &read.headers).await.map_err(|e| failed(&e))
    };
    let consenting = async {
        consent(host, caller, live.id()).await?;
        std::future::pending().await
    };
    let came = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            came = reading => came,
            refused = consenting => refused,
        }
    });
    let came = came.await.ok().transpose();
    let ended = if came.is_ok() { ended(host, &live).await } else { Ok(Vec::new()) };
    host.end_session(live.id(), SessionEnd::Exited).await?;
    Ok(told(came?.is_some(), &ended?))
}

/// Where a rule asks, whoever sends the test has answered by sending it: method and URL were shown to them. The answer is
/// recorded like any other, with who and where.
async fn consent(host: &Host, caller: &Caller, session: &SessionId) -> Result<(), ApiError> {
    let held = loop {
        let open = host.engine.store().open_approvals().await?;
        if let Some(held) = open.into_iter().find(|approval| approval.session == *session) {
            break held;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let ticket = host.engine.approvals().show(&held.id)?;
    tokio::time::sleep(ARMING).await;
    let answering = Answering {
        approval: held.id,
        ticket,
        resolution: Resolution::Approved { scope: GrantScope::Once },
        by: approvals::whoami(),
        surface: caller.surface,
        reading_ms: None,
        rule: reeve_engine::decide::Rule::default(),
        proof: None,
    };
    Ok(host.engine.answer(answering).await?)
}

/// The operation's records once it has an end; settling comes right after the answer.
async fn ended(host: &Host, live: &reeve_engine::LiveSession) -> Result<Vec<Event>, ApiError> {
    let patience = Instant::now() + Duration::from_secs(3);
    loop {
        let events = host.engine.only_operation(live.id()).await?.unwrap_or_default();
        if Instant::now() >= patience || events.iter().any(|event| outcome_of(&event.body).is_some()) {
            return Ok(events);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Status of the upstream and milliseconds, or why there is none.
fn outcome_of(body: &EventBody) -> Option<Result<(u16, u64), String>> {
    match body {
        EventBody::OperationSettled { outcome, .. } => Some(match outcome.status {
            Some(status) => Ok((status, outcome.total_ms)),
            None => Err(unanswered(&outcome.ending)),
        }),
        EventBody::OperationDenied { denial, .. } => Some(Err(denial.message.clone())),
        EventBody::OperationAbandoned { why, .. } => Some(Err(why.clone())),
        _ => None,
    }
}

fn unanswered(ending: &Ending) -> String {
    match ending {
        Ending::NotSent { why } => format!("nothing was sent: {why}"),
        Ending::CutByUpstream { why } | Ending::CutByReeve { why } => format!("the place gave no answer: {why}"),
        Ending::Complete | Ending::CutByClient | Ending::Unknown => "the place gave no answer".to_owned(),
    }
}

fn told(in_time: bool, events: &[Event]) -> TestAnswerDto {
    let record = events.iter().find_map(|event| event.operation.as_ref()).map(ToString::to_string);
    let came = events.iter().find_map(|event| outcome_of(&event.body));
    let (ok, text) = match &came {
        Some(Ok((200..=299, _))) => (true, "the place takes the credential"),
        Some(Ok((401 | 403, _))) => (false, "the place does not take the credential"),
        Some(Ok((300..=399, _))) => (false, "the place sends elsewhere; that was not followed"),
        Some(Ok((400..=499, _))) => (false, "the place answered, and does not say whether it takes the credential"),
        Some(Ok(_)) => (false, "the place has a fault of its own"),
        Some(Err(why)) => (false, why.as_str()),
        None if !in_time => (false, "no answer in time"),
        // Turned away before it was an operation.
        None => (false, "it was turned away; the timeline says why"),
    };
    let (status, milliseconds) = came.as_ref().and_then(|came| came.as_ref().ok()).copied().unzip();
    TestAnswerDto {
        status,
        milliseconds: milliseconds.and_then(|ms| u32::try_from(ms).ok()),
        ok,
        text: text.to_owned(),
        record,
    }
}
