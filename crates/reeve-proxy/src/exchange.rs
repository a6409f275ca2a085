//! One exchange, from the head of a request to the end of its answer, as a list of steps. Each step either hands on what
//! the next one needs or turns the request away with its cause.

mod act;
mod answer;
mod guard;
mod hold;
pub(crate) mod http1;
pub(crate) mod http2;
mod inject;
mod intake;
pub(crate) mod mcp;
mod outgoing;
mod passing;
pub(crate) mod request;
mod settler;
mod shape;
mod upgrade;

use futures_util::future::BoxFuture;
use http::Response;
use reeve_domain::event::EventBody;
use reeve_domain::id::{CredentialId, OperationId};
use reeve_domain::operation::{Dialect, Operation, Subject};
use reeve_protocol::{Classified, Provider, RequestHead};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;

use crate::channel::Channel;
use crate::exchange::intake::{Taken, Wanted};
use crate::exchange::request::{Asked, Incoming};
use crate::io::BoxStream;
use crate::payload::{Payload, full};
use crate::refusal::Refusal;
use crate::tools::Expected;

pub(crate) use answer::Turned;

/// A name that no resolver knows (RFC 6761), answered by the proxy itself.
pub const PROBE_HOST: &str = "probe.reeve.invalid";

/// What goes back to the client, and what its connection is for afterwards.
pub(crate) struct Answer {
    pub response: Response<Payload>,
    pub tunnel: Option<Tunnel>,
}

impl From<Response<Payload>> for Answer {
    fn from(response: Response<Payload>) -> Self {
        Self { response, tunnel: None }
    }
}

/// Takes over a connection after `101`.
pub(crate) struct Tunnel(Box<dyn FnOnce(BoxStream) -> BoxFuture<'static, ()> + Send>);

impl Tunnel {
    pub fn new(relay: impl FnOnce(BoxStream) -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self(Box::new(relay))
    }

    pub async fn run(self, client: BoxStream) {
        (self.0)(client).await;
    }
}

/// A request as it was read and judged fit to be put before the gate.
pub(crate) struct Case {
    pub channel: Channel,
    pub asked: Asked,
    pub taken: Taken,
    pub provider: Option<Provider>,
    pub operation: Operation,
    /// Given back when the exchange is over.
    pub room: Option<OwnedSemaphorePermit>,
}

impl Case {
    pub fn dialect(&self) -> Option<Dialect> {
        self.provider.as_ref().map(|provider| provider.dialect)
    }
}

/// Answers one request. Everything that was started for it ends when this is dropped.
pub(crate) async fn exchange(channel: Channel, incoming: Incoming) -> Answer {
    let teller = answer::Teller::new(&channel, &incoming);
    match steps(channel, incoming).await {
        Ok(answer) => answer,
        Err(turned) => teller.tell(turned).await,
    }
}

async fn steps(channel: Channel, incoming: Incoming) -> Result<Answer, Turned> {
    check_identity(&channel)?;
    let room = take_room(&channel)?;
    let asked = request::check(&incoming, channel.scheme, &channel.target)?;
    if asked.endpoint.host.name() == Some(PROBE_HOST) {
        return Ok(probed());
    }
    if mcp::is_endpoint(&channel) {
        return mcp::to_endpoint(&channel, incoming, &asked).await;
    }
    let provider = channel.shared.providers.find(&asked.endpoint);
    check_upgrade(&channel, &asked)?;
    let dialect = provider.as_ref().map(|provider| provider.dialect);
    let expected = mcp::expected(&channel, &asked);
    let wanted = Wanted::of(provider.is_some(), expected != Expected::Anything);
    let taken = intake::take(incoming, &asked, wanted).await.map_err(|turned| turned.spoken_in(dialect))?;
    let spoken = if provider.is_some() { None } else { mcp::read(&channel, &asked, &taken, expected)? };
    let found = guard::search(&channel, &asked, &taken).await?;
    let (operation, view) = classify(&channel, &asked, &taken, &found).map_err(|turned| turned.spoken_in(dialect))?;
    let case = Case { channel, asked, taken, provider, operation, room: Some(room) };
    if let Some(spoken) = spoken {
        return mcp::exchange(case, &found, view, spoken).await;
    }
    guard::check(&case, &found).await?;
    hold::decide(case, view).await
}

/// Answers the doctor's probe: reached over a session's own certificate, whatever the rules say. Nothing is looked up,
/// forwarded or recorded, because nothing leaves.
fn probed() -> Answer {
    Response::new(full("reeve\n")).into()
}

/// Tokens are looked at for every request, not once per connection.
fn check_identity(channel: &Channel) -> Result<(), Turned> {
    if channel.is_live() { Ok(()) } else { Err(Refusal::unidentified().into()) }
}

/// One session cannot take the whole proxy.
fn take_room(channel: &Channel) -> Result<OwnedSemaphorePermit, Turned> {
    let desk = channel.shared.desk(channel.session.id()).ok_or_else(Refusal::unidentified)?;
    desk.room.try_acquire_owned().map_err(|_| {
        let message = "The session has too many requests under way at once.";
        let advice = "Wait for some of them to end.";
        Refusal::new(http::StatusCode::SERVICE_UNAVAILABLE, "too_many_exchanges", message, advice).into()
    })
}

fn check_upgrade(channel: &Channel, asked: &Asked) -> Result<(), Turned> {
    if asked.upgrade.is_some() && channel.shared.providers.find_upgrade(&asked.endpoint).is_some() {
        return Err(Turned::NoWebSocket);
    }
    Ok(())
}

/// What the request is, for policy, budgets and people.
fn classify(
    channel: &Channel,
    asked: &Asked,
    taken: &Taken,
    found: &guard::Found,
) -> Result<(Operation, Value), Turned> {
    let head = protocol_head(asked, taken);
    let classified = reeve_protocol::classify(&head, taken.judged(), &channel.shared.providers)
        .map_err(|error| Refusal::malformed(format!("The request cannot be judged: {error}.")))?;
    let Classified { mut subject, mut content, summary, conversation, answers, mut view } = classified;
    let id = OperationId::new();
    if taken.judged().is_none() {
        // A body that was not seen is unlike any other: nothing approved for it covers another request.
        content = reeve_domain::operation::Digest::of(format!("{}\nunseen\n{id}", content.as_str()).as_bytes());
    }
    if let Subject::Http(call) = &mut subject {
        call.ends_session = mcp::ends_session(channel, asked, taken);
        if found.in_query {
            call.query = None;
        }
    }
    if found.secret_seen {
        view = serde_json::json!({ "note": "it holds a stored secret on the way to its own place and is not shown" });
    }
    let mut operation = Operation {
        id,
        at: channel.shared.engine.now(),
        principal: channel.session.principal(),
        subject,
        content,
        summary,
        conversation,
        credential: found.carried.clone(),
        parent: None,
    };
    operation.parent = channel.session.parent_of(&operation, &answers);
    Ok((operation, view))
}

/// The head as protocol reads it: with the framing facts that are not forwarded as headers.
fn protocol_head(asked: &Asked, taken: &Taken) -> RequestHead {
    let mut headers = asked.headers.clone();
    let mut put = |name, value: String| {
        if let Ok(value) = http::HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    };
    match taken.length() {
        Some(length) => put(http::header::CONTENT_LENGTH, length.to_string()),
        None => put(http::header::TRANSFER_ENCODING, "chunked".to_owned()),
    }
    if let Some(protocol) = &asked.upgrade {
        put(http::header::UPGRADE, protocol.clone());
    }
    RequestHead { endpoint: asked.endpoint.clone(), query: asked.query.clone(), headers }
}

/// Records a stopped leak beside its operation.
async fn note_leak(channel: &Channel, credential: &CredentialId, place: String) {
    let body = EventBody::CredentialLeakStopped { credential: credential.clone(), place };
    channel.shared.record(Some(&channel.session), body).await;
}
