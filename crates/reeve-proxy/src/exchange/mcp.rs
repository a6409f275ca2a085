//! MCP that an agent sends to a remote server over HTTP. A tool call is no request but a call: the tool mouth takes it through
//! its stages, and the server sees it only with an admission. All else stays a request, and what the server answers is
//! listened to, for lists of tools and for questions of its own.

mod answer;
mod call;
mod lanes;
mod listen;
mod opened;
mod questions;
mod server;

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, Limited};
use parking_lot::Mutex;
use reeve_domain::id::CredentialId;
use reeve_domain::operation::{Endpoint, Scheme};
use reeve_domain::settings::Mode;
use reeve_domain::verdict::{Decision, DenialKind};
use reeve_engine::denials::by_policy;
use reeve_protocol::mcp_headers;
use serde_json::Value;

use crate::channel::{Channel, Shared};
use crate::exchange::guard::{self, Found};
use crate::exchange::intake::Taken;
use crate::exchange::request::{Asked, Incoming};
use crate::exchange::{Answer, Case, Turned};
use crate::refusal::Refusal;
use crate::tools::{Expected, Party, Posted, Question, ToolMouth};

pub(crate) use call::Calls;
pub(crate) use lanes::Lanes;
pub(crate) use opened::Opened;
pub(crate) use questions::Questions;

const EVENTS: &str = "text/event-stream";
/// Largest message, in bytes.
const MESSAGE: usize = 16 * 1024 * 1024;

/// What a request says in MCP.
pub(super) enum Spoken {
    Posted(Posted),
    /// It may open or take up a stream on which the server speaks.
    Listens,
}

/// Most places that are known as MCP servers in one session.
const PLACES: usize = 1000;

/// Places that one session speaks MCP to.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<HashSet<String>>);

impl Places {
    fn knows(&self, endpoint: &Endpoint) -> bool {
        self.0.lock().contains(&place(endpoint))
    }

    fn note(&self, endpoint: &Endpoint) {
        let mut places = self.0.lock();
        if places.len() < PLACES {
            places.insert(place(endpoint));
        }
    }
}

/// Most servers take a path with and without the stroke at its end for the same.
fn place(endpoint: &Endpoint) -> String {
    let path = endpoint.path.as_str().trim_end_matches('/');
    format!("{} {}:{}{path}", endpoint.scheme.as_str(), endpoint.host, endpoint.port)
}

/// What the request is taken for. What may be MCP is taken in whole, however large it is.
pub(super) fn expected(channel: &Channel, asked: &Asked) -> Expected {
    let naming = ["mcp-session-id", mcp_headers::METHOD, mcp_headers::NAME];
    let named = || naming.iter().any(|name| asked.headers.contains_key(*name));
    let known = || channel.shared.desk(channel.session.id()).is_some_and(|desk| desk.places.knows(&asked.endpoint));
    let registered = || channel.shared.tools.get().is_some_and(|mouth| mouth.is_registered(&asked.endpoint));
    if channel.server.is_some() || named() || known() || registered() {
        return Expected::Mcp;
    }
    if announces(asked) { Expected::Json } else { Expected::Anything }
}

/// Whether the headers say that this may be MCP.
fn announces(asked: &Asked) -> bool {
    let events = said(&asked.headers, ACCEPT.as_str(), EVENTS);
    let version = asked.headers.contains_key("mcp-protocol-version");
    match asked.endpoint.method.as_str() {
        "POST" => said(&asked.headers, CONTENT_TYPE.as_str(), "json") && (events || version),
        "GET" => events && version,
        _ => false,
    }
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
pub(super) fn read(
    channel: &Channel,
    asked: &Asked,
    taken: &Taken,
    expected: Expected,
) -> Result<Option<Spoken>, Turned> {
    let Some(mouth) = channel.shared.tools.get() else { return Ok(None) };
    match asked.endpoint.method.as_str() {
        // Whether it is MCP that is heard there only the server's own words tell.
        "GET" => Ok(Some(Spoken::Listens)),
        "POST" => {
            let Some(body) = taken.judged() else { return unseen(expected) };
            let posted = mouth.read(body, expected);
            let posted =
                posted.map_err(|why| Refusal::malformed(format!("The MCP message cannot be judged: {why}.")))?;
            if posted.is_some() {
                check_headers(channel, asked, mouth.as_ref(), body)?;
            }
            if posted.as_ref().is_some_and(only_mcp)
                && let Some(desk) = channel.shared.desk(channel.session.id())
            {
                desk.places.note(&asked.endpoint);
            }
            Ok(posted.map(Spoken::Posted))
        }
        _ => Ok(None),
    }
}

/// What stands before a server may judge by the headers, and Reeve judges the body: both have to say the same. What is missing is
/// the server's to miss.
fn check_headers(channel: &Channel, asked: &Asked, mouth: &dyn ToolMouth, body: &[u8]) -> Result<(), Turned> {
    if !mcp_headers::are_there(&asked.headers) {
        return Ok(());
    }
    let malformed = |_| Refusal::malformed("The MCP message cannot be judged: it is no JSON.");
    let message: Value = serde_json::from_slice(body).map_err(malformed)?;
    let named = message.pointer("/params/name").and_then(Value::as_str);
    let tool = named.and_then(|name| mouth.tool(&party_of(channel, asked), name));
    let schema = tool.as_ref().and_then(|tool| tool.definition.get("inputSchema"));
    let id = || message.get("id").cloned().unwrap_or_default();
    let agreed = mcp_headers::agree(&asked.headers, &message, schema);
    agreed.map_err(|mismatch| Refusal::mismatch(id(), &mismatch).into())
}

/// Whether nobody but a client of an MCP server says this; other servers speak JSON-RPC too.
fn only_mcp(posted: &Posted) -> bool {
    match posted {
        Posted::ToolCall { .. } => true,
        Posted::Request(question) => {
            matches!(question.method.as_str(), "initialize" | "server/discover" | "tools/list")
        }
        Posted::Cancels { .. } | Posted::Answers { .. } | Posted::Other => false,
    }
}

/// Whether the request ends an MCP session that its sender opened there, and does nothing else.
pub(super) fn ends_session(channel: &Channel, asked: &Asked, taken: &Taken) -> bool {
    channel.shared.desk(channel.session.id()).is_some_and(|desk| desk.opened.ends(asked, taken))
}

/// What was not seen whole may hold a tool call.
fn unseen(expected: Expected) -> Result<Option<Spoken>, Turned> {
    if expected != Expected::Anything {
        return Err(Refusal::too_large("The MCP message was not seen whole: it is too large or too slow.").into());
    }
    Ok(None)
}

/// Carries the request out as what it is.
///
/// Listening is boxed: an exchange that the engine makes for itself begins deep in its stack already.
///
/// # Errors
/// When it is turned away as a request; a tool call is told so in its own words.
pub(super) async fn exchange(case: Case, found: &Found, view: Value, spoken: Spoken) -> Result<Answer, Turned> {
    match spoken {
        Spoken::Posted(Posted::ToolCall { id, params }) => match check_call(&case, found).await {
            Ok(()) => Ok(call::make(case, found.carried.clone(), id, params).await),
            Err(Turned::Denied { denial, .. }) => Ok(answer::denied(&case, &id, &denial).await),
            Err(other) => Err(other),
        },
        Spoken::Posted(Posted::Answers { id }) => {
            // Whether it may pass is still part of what people are waited for.
            let _answered =
                Answers { shared: Arc::clone(&case.channel.shared), key: key(&case.channel, &case.asked, &id) };
            guard::check(&case, found).await?;
            Box::pin(listen::to_answer(case, view, None)).await
        }
        Spoken::Posted(Posted::Cancels { id }) => {
            case.channel.shared.calls.cancel(&key(&case.channel, &case.asked, &id));
            guard::check(&case, found).await?;
            Box::pin(listen::to_answer(case, view, None)).await
        }
        Spoken::Posted(Posted::Request(question)) => {
            guard::check(&case, found).await?;
            if let Some(refused) = refused(&case, &question).await {
                return Ok(answer::told(&case, refused).await);
            }
            Box::pin(listen::to_answer(case, view, Some(question))).await
        }
        // Not all clients know that nothing is to be read from the answer to a notification.
        Spoken::Posted(Posted::Other) | Spoken::Listens => {
            guard::check(&case, found).await?;
            Box::pin(listen::to_answer(case, view, None)).await
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

/// What a call or a question under way is found by: whose it is, where it goes, and its id there. Without an MCP session what is
/// posted somewhere is answered there, or on the stream that named the place.
fn key(channel: &Channel, asked: &Asked, id: &Value) -> String {
    let session = asked.headers.get("mcp-session-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let session = session.unwrap_or_else(|| {
        let path = asked.endpoint.path.as_str().trim_end_matches('/');
        format!("{path}?{}", asked.query.as_deref().unwrap_or_default())
    });
    format!("{} {} {session} {id}", channel.session.id(), channel.target)
}

/// The answer to what a rule keeps from the server.
async fn refused(case: &Case, question: &Question) -> Option<Bytes> {
    let mouth = case.channel.shared.tools.get()?;
    mouth.refuses(party(case), question).await
}

/// What a message that was judged is answered under.
fn id_of(message: &[u8]) -> Value {
    serde_json::from_slice::<Value>(message).ok().and_then(|message| message.get("id").cloned()).unwrap_or_default()
}

/// The answer to a server's question is on its way: nobody is waited for once that is over.
struct Answers {
    shared: Arc<Shared>,
    key: String,
}

impl Drop for Answers {
    fn drop(&mut self) {
        self.shared.calls.answered(&self.key);
    }
}

fn party(case: &Case) -> Party {
    party_of(&case.channel, &case.asked)
}

fn party_of(channel: &Channel, asked: &Asked) -> Party {
    Party {
        session: channel.session.clone(),
        origin: channel.origin.clone(),
        server: channel.server.clone(),
        endpoint: asked.endpoint.clone(),
    }
}

/// Credential of a call, by the name that the tool mouth gives it.
type Carried = Option<CredentialId>;
