//! How a request that was turned away is told so: a denial in the provider's own error shape, a refusal as plain JSON.

use http::header::USER_AGENT;
use http::{HeaderValue, Response, StatusCode};
use reeve_domain::operation::Dialect;
use reeve_domain::verdict::{Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_protocol::denial::{self, WireDenial};

use crate::channel::Channel;
use crate::exchange::Answer;
use crate::exchange::request::Incoming;
use crate::payload::{Payload, full};
use crate::refusal::Refusal;

/// A request that goes no further.
#[derive(Debug)]
pub(crate) enum Turned {
    /// Recorded already, by the gate.
    Denied { denial: Denial, dialect: Option<Dialect> },
    /// Not an operation that could be judged: recorded here.
    Refused {
        refusal: Refusal,
        /// That of the call to a language model which it would have been.
        dialect: Option<Dialect>,
    },
    /// A WebSocket to a language model: its client falls back to events over HTTPS (426).
    NoWebSocket,
    /// Admitted, and settled: the upstream or the way to it failed.
    Failed(Refusal),
}

impl From<Refusal> for Turned {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal, dialect: None }
    }
}

impl Turned {
    /// The same, worded so that the client of a language model shows it.
    pub fn spoken_in(self, dialect: Option<Dialect>) -> Self {
        match self {
            Self::Refused { refusal, .. } => Self::Refused { refusal, dialect },
            other => other,
        }
    }
}

/// Tells one client.
pub(super) struct Teller {
    channel: Channel,
    user_agent: String,
}

impl Teller {
    pub fn new(channel: &Channel, incoming: &Incoming) -> Self {
        let user_agent = incoming.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self { channel: channel.clone(), user_agent: user_agent.to_owned() }
    }

    pub async fn tell(self, turned: Turned) -> Answer {
        match turned {
            Turned::Denied { denial, dialect } => wire(denial::response(&denial, dialect, &self.user_agent)).into(),
            Turned::NoWebSocket => {
                let detail = format!("an upgrade at `{}`, which is a language model", self.channel.target);
                self.channel.record_refused("llm_web_socket", &detail).await;
                wire(denial::upgrade_required()).into()
            }
            Turned::Failed(refusal) => refusal.response().into(),
            Turned::Refused { refusal, dialect } => {
                self.channel.record_refused(refusal.code, &refusal.message).await;
                match dialect.filter(|_| refusal.status == StatusCode::BAD_REQUEST) {
                    Some(dialect) => {
                        wire(denial::response(&malformed(&refusal), Some(dialect), &self.user_agent)).into()
                    }
                    None => refusal.response().into(),
                }
            }
        }
    }
}

fn malformed(refusal: &Refusal) -> Denial {
    Denial {
        kind: DenialKind::Malformed,
        message: refusal.message.clone(),
        advice: refusal.advice.to_owned(),
        reasons: vec![own("malformed-request")],
        record: None,
    }
}

fn wire(wire: WireDenial) -> Response<Payload> {
    let mut response = Response::new(full(wire.body));
    *response.status_mut() = StatusCode::from_u16(wire.status).unwrap_or(StatusCode::PAYMENT_REQUIRED);
    for (name, value) in wire.headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
