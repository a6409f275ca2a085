//! MCP that an agent sends to a remote server over HTTP. A tool call is no request but a call: the tool mouth takes it through
//! its stages, and the server sees it only with an admission. All else stays a request, and what the server answers is
//! listened to, for lists of tools and for questions of its own.

mod answer;
mod call;
mod listen;
mod server;

use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use reeve_domain::id::CredentialId;
use reeve_domain::operation::Scheme;
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Decision, DenialKind};
use reeve_engine::denials::by_policy;
use serde_json::Value;

use crate::channel::Channel;
use crate::exchange::guard::{self, Found};
use crate::exchange::intake::Taken;
use crate::exchange::request::{Asked, Incoming};
use crate::exchange::{Answer, Case, Turned, hold};
use crate::refusal::Refusal;
use crate::tools::{Party, Posted};

pub(crate) use call::Calls;

/// Largest message, in bytes.
const MESSAGE: usize = 16 * 1024 * 1024;

/// What a request says in MCP.
pub(super) enum Spoken {
    Posted(Posted),
    /// It opens or takes up a stream on which the server speaks.
    Listens,
}

/// Whether the headers say that this is MCP: then its body is taken in whole, however large it is.
pub(super) fn announces(asked: &Asked) -> bool {
    let events = said(&asked.headers, ACCEPT.as_str(), "text/event-stream");
    match asked.endpoint.method.as_str() {
        "POST" => events && said(&asked.headers, CONTENT_TYPE.as_str(), "json") || has_own_headers(asked),
        "GET" => events && has_own_headers(asked),
        _ => false,
    }
}

fn has_own_headers(asked: &Asked) -> bool {
    ["mcp-session-id", "mcp-protocol-version", "mcp-method"].iter().any(|name| asked.headers.contains_key(*name))
}

fn said(headers: &HeaderMap, name: &str, word: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.to_ascii_lowercase().contains(word)))
}

/// Whether the connection leads to Reeve's own MCP endpoint.
pub(super) fn is_endpoint(channel: &Channel) -> bool {
    channel.scheme == Scheme::Http && channel.shared.tools.get().is_some_and(|mouth| mouth.is_endpoint(&channel.target))
}

/// Hands a request to Reeve's own endpoint, which governs what is in it. Nothing of it leaves this process.
pub(super) async fn to_endpoint(channel: &Channel, incoming: Incoming, asked: &Asked) -> Result<Answer, Turned> {
    let Some(mouth) = channel.shared.tools.get() else { return Err(Refusal::unidentified().into()) };
    let body = Limited::new(incoming.body, MESSAGE).collect().await;
    let body = body.map_err(|_| Refusal::too_large("The MCP message is damaged or has more than 16 MiB."))?.to_bytes();
    let mut request = http::Request::builder().method(incoming.method.as_str()).uri(incoming.target.as_str());
    if let Some(headers) = request.headers_mut() {
        *headers = asked.headers.clone();
        headers.extend(HeaderValue::from_str(&channel.target.to_string()).ok().map(|host| (HOST, host)));
    }
    let malformed = |_| Turned::from(Refusal::malformed("The request is malformed."));
    Ok(mouth.serve(request.body(body).map_err(malformed)?).await.into())
}

/// Reads a request as MCP; `None`: it is something else.
pub(super) fn read(channel: &Channel, asked: &Asked, taken: &Taken) -> Result<Option<Spoken>, Turned> {
    let Some(mouth) = channel.shared.tools.get() else { return Ok(None) };
    match asked.endpoint.method.as_str() {
        "GET" if announces(asked) || channel.server.is_some() => Ok(Some(Spoken::Listens)),
        "POST" => {
            let Some(body) = taken.judged() else { return unseen(channel, asked) };
            let posted = mouth.read(body);
            let posted =
                posted.map_err(|why| Refusal::malformed(format!("The MCP message cannot be judged: {why}.")))?;
            Ok(posted.map(Spoken::Posted))
        }
        _ => Ok(None),
    }
}

/// What was not seen whole may hold a tool call.
fn unseen(channel: &Channel, asked: &Asked) -> Result<Option<Spoken>, Turned> {
    if announces(asked) || channel.server.is_some() {
        return Err(Refusal::too_large("The MCP message was not seen whole: it is too large or too slow.").into());
    }
    Ok(None)
}

/// Carries the request out as what it is.
///
/// # Errors
/// When it is turned away as a request; a tool call is told so in its own words.
pub(super) async fn exchange(case: Case, found: &Found, view: Value, spoken: Spoken) -> Result<Answer, Turned> {
    match spoken {
        Spoken::Posted(Posted::ToolCall { id, params }) => match check_call(&case, found).await {
            Ok(()) => Ok(call::make(case, found.carried.clone(), id, params).await),
            Err(Turned::Denied { denial, .. }) => Ok(answer::denied(&case, &id, &denial)),
            Err(other) => Err(other),
        },
        Spoken::Posted(Posted::Cancels { id }) => {
            case.channel.shared.calls.cancel(&key(&case, &id));
            guard::check(&case, found).await?;
            hold::decide(case, view).await
        }
        Spoken::Posted(Posted::Other) => {
            guard::check(&case, found).await?;
            hold::decide(case, view).await
        }
        Spoken::Posted(Posted::Request { method }) => {
            guard::check(&case, found).await?;
            listen::to_answer(case, view, Some(method)).await
        }
        Spoken::Listens => {
            guard::check(&case, found).await?;
            listen::to_answer(case, view, None).await
        }
    }
}

/// Like any request, whose place must not be forbidden either; and a call that writes a stored secret out would be recorded
/// with it.
async fn check_call(case: &Case, found: &Found) -> Result<(), Turned> {
    guard::check(case, found).await?;
    let engine = &case.channel.shared.engine;
    let session = &case.channel.session;
    let verdict = engine.gate().verdict(&case.operation, session, engine.now());
    let observed = engine.protection().mode_for(&session.session, engine.now()) == Mode::Observe;
    if verdict.decision() == Decision::Deny && !observed {
        let denial = by_policy(&case.operation, &verdict);
        let denial = engine.gate().refuse(case.operation.clone(), denial).await;
        return Err(Turned::Denied { denial, dialect: None });
    }
    if !found.secret_seen {
        return Ok(());
    }
    let message = format!("{} was stopped: the tool call holds a stored secret itself", case.operation.summary);
    let advice = "send the credential's placeholder; Reeve puts the secret in its place";
    Err(guard::turn_away(case, DenialKind::Leak, message, advice, "secret-in-tool-call").await)
}

/// What a call under way is found by: whose it is, where it goes, and its id there.
fn key(case: &Case, id: &Value) -> String {
    let session = case.asked.headers.get("mcp-session-id").and_then(|value| value.to_str().ok()).unwrap_or_default();
    format!("{} {} {session} {id}", case.channel.session.id(), case.channel.target)
}

fn party(case: &Case) -> Party {
    Party {
        session: case.channel.session.clone(),
        server: case.channel.server.clone(),
        endpoint: case.asked.endpoint.clone(),
    }
}

/// Credential of a call, by the name that the tool mouth gives it.
type Carried = Option<CredentialId>;
