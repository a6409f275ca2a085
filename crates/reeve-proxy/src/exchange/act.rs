//! Acts on an admission: sends the request, waits for the head of its answer, and settles every way this can end.

use std::time::Duration;

use reeve_domain::address::Ranges;
use reeve_domain::host::Authority;
use reeve_domain::obligation::Obligation;
use reeve_domain::outcome::Ending;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::Admission;
use reeve_engine::denials::own;
use tokio::time::Instant;

use crate::exchange::guard::LEAKED;
use crate::exchange::outgoing::{Prepared, prepare};
use crate::exchange::settler::Settler;
use crate::exchange::shape::TOO_LARGE;
use crate::exchange::{Answer, Case, Turned, passing, upgrade};
use crate::forward::{Answered, ForwardError, OutgoingBody, Reached, Route};
use crate::payload::PayloadError;
use crate::refusal::Refusal;

/// Sends what was admitted and begins its answer.
///
/// # Errors
/// When it does not come to an answer: settled, with whose fault it was.
pub(super) async fn act(mut case: Case, admission: Box<Admission>) -> Result<Answer, Turned> {
    let deadline = deadline(&admission);
    let route = route(&case, &admission);
    let mut settler = Settler::new(&case.channel.shared.engine, admission, case.room.take());
    let Prepared { outgoing, swallow_usage } = match ready(&mut case, &settler) {
        Ok(prepared) => prepared,
        Err(why) => return Err(fault(&case, &mut settler, why)),
    };
    let route = match route {
        Ok(route) => route,
        Err(why) => return Err(fault(&case, &mut settler, why)),
    };
    settler.outcome.request_bytes = match &outgoing.body {
        OutgoingBody::Whole(bytes) => bytes.len() as u64,
        OutgoingBody::Stream { length, .. } => length.unwrap_or_default(),
    };
    let reached = reach(&case, &route, outgoing, &settler, deadline).await;
    match reached {
        Ok(Reached { answered, peer }) => {
            settler.outcome.peer = Some(peer.to_string());
            match answered {
                Answered::Response(response) => passing::pass(&case, response, settler, swallow_usage, deadline),
                Answered::Upgraded(response, upstream) => upgrade::relay(&case, response, upstream, settler),
            }
        }
        Err(stopped) => Err(ended(&case, &mut settler, stopped)),
    }
}

fn ready(case: &mut Case, settler: &Settler) -> Result<Prepared, String> {
    let admission = settler.admission().ok_or_else(|| "the admission is gone".to_owned())?;
    prepare(case, admission)
}

/// Why an admitted request got no answer.
enum Stopped {
    Forward(ForwardError),
    Revoked,
    TooLong,
}

async fn reach(
    case: &Case,
    route: &Route,
    outgoing: crate::forward::Outgoing,
    settler: &Settler,
    deadline: Option<Instant>,
) -> Result<Reached, Stopped> {
    let sending = case.channel.shared.forwarder.send(route, outgoing, || settler.sent());
    let revoked = async {
        match settler.admission() {
            Some(admission) => admission.revoked().cancelled().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        // What was revoked before is not sent at all, and an answer that comes at the same moment is not passed on.
        biased;
        () = revoked => Err(Stopped::Revoked),
        reached = sending => reached.map_err(Stopped::Forward),
        () = until(deadline) => Err(Stopped::TooLong),
    }
}

pub(super) async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn deadline(admission: &Admission) -> Option<Instant> {
    admission.obligations().iter().find_map(|obligation| match obligation {
        Obligation::Timeout { seconds } => Some(Instant::now() + Duration::from_secs(*seconds)),
        _ => None,
    })
}

fn route(case: &Case, admission: &Admission) -> Result<Route, String> {
    let ranges = admission.obligations().iter().filter_map(|obligation| match obligation {
        Obligation::PermitAddresses { ranges } => Some(ranges.join(",")),
        _ => None,
    });
    let endpoint = &case.asked.endpoint;
    Ok(Route {
        session: case.channel.session.id().clone(),
        credential: admission.injection().map(|injection| injection.credential.clone()),
        scheme: endpoint.scheme,
        authority: Authority { host: endpoint.host.clone(), port: endpoint.port },
        permitted: Ranges::parse(&ranges.collect::<Vec<_>>().join(",")).map_err(|error| error.to_string())?,
        upgrade: case.asked.upgrade.is_some(),
    })
}

/// Settles and words the end of a request that got no answer.
fn ended(case: &Case, settler: &mut Settler, stopped: Stopped) -> Turned {
    let summary = &case.operation.summary;
    match stopped {
        Stopped::Revoked => {
            cut(settler, passing::STOPPED);
            let message = format!("{summary} was cut: {}", passing::STOPPED);
            denied(case, DenialKind::Stopped, message, "start again under the rules as they are now", "revoked")
        }
        Stopped::TooLong => {
            cut(settler, passing::TOO_LONG);
            let message = format!("{summary} was cut: {}", passing::TOO_LONG);
            denied(case, DenialKind::Policy, message, "ask for less at once", "timeout")
        }
        Stopped::Forward(error @ (ForwardError::Address { .. } | ForwardError::OwnPort { .. })) => {
            settler.settle(Ending::NotSent { why: error.to_string() });
            let message = format!("{summary} was refused: {error}");
            denied(
                case,
                DenialKind::Address,
                message,
                "use a public address, or ask the human for a rule",
                "address-check",
            )
        }
        Stopped::Forward(ForwardError::Unreachable(why)) => {
            settler.settle(Ending::NotSent { why: why.clone() });
            Turned::Failed(Refusal::upstream(format!("The upstream cannot be reached: {why}.")))
        }
        Stopped::Forward(ForwardError::Broken(why)) => {
            settler.settle(Ending::CutByUpstream { why: why.clone() });
            Turned::Failed(Refusal::upstream(format!("The upstream gave no good answer: {why}.")))
        }
        Stopped::Forward(ForwardError::Body(PayloadError::Reeve(why))) if why == TOO_LARGE => {
            cut(settler, &why);
            Turned::Failed(Refusal::too_large("The MCP message has more than 16 MiB."))
        }
        Stopped::Forward(ForwardError::Body(PayloadError::Reeve(why))) => {
            cut(settler, &why);
            let rule = if why == LEAKED { "credential-leak" } else { "revoked" };
            let message = format!("{summary} was cut: {why}");
            denied(case, DenialKind::Leak, message, "send it without the credential", rule)
        }
        Stopped::Forward(ForwardError::Body(PayloadError::Client(why) | PayloadError::Upstream(why))) => {
            settler.settle(Ending::CutByClient);
            Turned::Failed(Refusal::malformed(format!("The body of the request is damaged: {why}.")))
        }
    }
}

/// Reeve's own cut: whether something was sent decides what it may have cost.
fn cut(settler: &mut Settler, why: &str) {
    let why = why.to_owned();
    let ending = if settler.was_sent() { Ending::CutByReeve { why } } else { Ending::NotSent { why } };
    settler.settle(ending);
}

fn fault(case: &Case, settler: &mut Settler, why: String) -> Turned {
    tracing::error!(operation = %case.operation.id, %why, "an admitted operation could not be carried out");
    cut(settler, &why);
    let message = format!("{} was refused: {why}", case.operation.summary);
    denied(case, DenialKind::Fault, message, "ask the human to run `reeve doctor`", "internal-fault")
}

/// Words what was settled already; the record of it is the operation's own.
fn denied(case: &Case, kind: DenialKind, message: String, advice: &str, rule: &str) -> Turned {
    let denial = Denial {
        kind,
        message,
        advice: advice.to_owned(),
        reasons: vec![own(rule)],
        record: Some(case.operation.id.clone()),
    };
    Turned::Denied { denial, dialect: case.dialect() }
}
