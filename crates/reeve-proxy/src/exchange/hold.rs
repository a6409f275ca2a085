//! Holding: while a human decides, the answer's head is withheld as long as this client bears it; then a stream is kept
//! alive by the no-op event of its dialect until the decision is there; how long each bears it was measured.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, USER_AGENT};
use http::{Response, StatusCode};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use reeve_domain::operation::Dialect;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::Ruling;
use reeve_engine::denials::own;
use reeve_protocol::denial::{self, HoldPlan};
use serde_json::Value;
use tokio::time::{Interval, MissedTickBehavior, interval_at, timeout};

use crate::exchange::act::act;
use crate::exchange::{Answer, Case, Turned};
use crate::payload::{Payload, PayloadError};

type Ruled = BoxFuture<'static, Ruling>;

/// Puts the case before the gate and acts on what it says. Dropped when the client goes: its waiter then detaches, the
/// question stays.
///
/// # Errors
/// When it is turned away while the head of the answer can still say so.
pub(super) async fn decide(case: Case, view: Value) -> Result<Answer, Turned> {
    let gate = case.channel.shared.engine.gate().clone();
    let operation = case.operation.clone();
    case.channel.session.asked_over(&operation.id, &case.channel.origin);
    let mut ruled: Ruled = Box::pin(async move { gate.admit(operation, view).await });
    let (plan, events) = plan(&case);
    match timeout(plan.withhold, &mut ruled).await {
        Ok(ruling) => follow(case, ruling).await,
        Err(_) => match events {
            Some(dialect) => Ok(kept_alive(case, ruled, &plan, dialect)),
            None => Err(still_open(&case)),
        },
    }
}

async fn follow(case: Case, ruling: Ruling) -> Result<Answer, Turned> {
    match ruling {
        Ruling::Admitted(admission) => act(case, admission).await,
        Ruling::Denied(denial) => Err(Turned::Denied { denial, dialect: case.dialect() }),
    }
}

/// How long this client bears to wait, and the dialect of its stream where it takes events.
fn plan(case: &Case) -> (HoldPlan, Option<Dialect>) {
    let user_agent = case.asked.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let query = case.asked.query.as_deref();
    let events = case.operation.llm().filter(|call| denial::answers_with_events(call, query));
    let most = case.channel.shared.engine.settings().withhold_from(&case.operation.principal.agent);
    (denial::hold_limits(user_agent, case.dialect(), events.is_some(), most), events.map(|call| call.dialect))
}

/// The client gives up about now. Its question stays open, and its repeat finds it.
fn still_open(case: &Case) -> Turned {
    let denial = Denial {
        kind: DenialKind::Expired,
        message: format!("{} still waits for a human", case.operation.summary),
        advice: "tell the human that it waits in Reeve's Inbox, and send it again once it is approved".to_owned(),
        reasons: vec![own("held")],
        record: Some(case.operation.id.clone()),
    };
    Turned::Denied { denial, dialect: case.dialect() }
}

/// `200` and the head of an event stream at once, the rest when it is decided.
fn kept_alive(case: Case, ruled: Ruled, plan: &HoldPlan, dialect: Dialect) -> Answer {
    let summary = case.operation.summary.clone();
    let left = plan.longest.saturating_sub(plan.withhold);
    let coming = Box::pin(async move {
        match timeout(left, ruled).await {
            Ok(ruling) => follow(case, ruling).await,
            Err(_) => Err(still_open(&case)),
        }
    });
    let mut ticks = interval_at(tokio::time::Instant::now(), plan.keepalive_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let body = Held { state: State::Waiting { coming, ticks }, dialect, summary };
    let mut response = Response::new(body.boxed_unsync());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response.into()
}

/// A stream whose beginning is a wait.
struct Held {
    state: State,
    dialect: Dialect,
    summary: String,
}

enum State {
    Waiting { coming: BoxFuture<'static, Result<Answer, Turned>>, ticks: Interval },
    Passing(Payload),
    Over,
}

impl Held {
    /// What the outcome adds to the stream: the upstream's own events, or one error event.
    fn decided(&mut self, outcome: Result<Answer, Turned>) -> Option<Bytes> {
        let denial = match outcome {
            Ok(answer) if is_stream(&answer.response) => {
                self.state = State::Passing(answer.response.into_body());
                return None;
            }
            Ok(answer) => {
                self.failed(format!("the upstream answered with status {}", answer.response.status().as_u16()))
            }
            Err(Turned::Denied { denial, .. }) => denial,
            Err(Turned::Refused { refusal, .. } | Turned::Failed(refusal)) => self.failed(refusal.message),
            Err(Turned::NoWebSocket) => self.failed("it asks for an upgrade".to_owned()),
        };
        self.state = State::Over;
        Some(denial::in_stream(&denial, self.dialect))
    }

    fn failed(&self, why: String) -> Denial {
        Denial {
            kind: DenialKind::Fault,
            message: format!("{} failed: {why}", self.summary),
            advice: "try again".to_owned(),
            reasons: Vec::new(),
            record: None,
        }
    }
}

fn is_stream(response: &Response<Payload>) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let coded = response.headers().contains_key(http::header::CONTENT_ENCODING);
    response.status() == StatusCode::OK && kind.starts_with("text/event-stream") && !coded
}

impl Body for Held {
    type Data = Bytes;
    type Error = PayloadError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PayloadError>>> {
        let this = &mut *self;
        loop {
            match &mut this.state {
                State::Waiting { coming, ticks } => {
                    if let Poll::Ready(outcome) = coming.as_mut().poll(cx) {
                        match this.decided(outcome) {
                            Some(event) => return Poll::Ready(Some(Ok(Frame::data(event)))),
                            None => continue,
                        }
                    }
                    ready!(ticks.poll_tick(cx));
                    return Poll::Ready(Some(Ok(Frame::data(denial::keepalive(this.dialect)))));
                }
                State::Passing(body) => return Pin::new(body).poll_frame(cx),
                State::Over => return Poll::Ready(None),
            }
        }
    }
}
