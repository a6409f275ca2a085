//! What governs MCP in requests that pass here. The tool mouth does it, which this crate does not see: the composition root
//! brings both together.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use reeve_domain::host::Authority;
use reeve_domain::id::CredentialId;
use reeve_domain::operation::Endpoint;
use reeve_domain::server::ToolRecord;
use reeve_engine::origin::Origin;
use reeve_engine::patience::Patience;
use reeve_engine::{Admission, LiveSession};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::payload::Payload;

/// What a request is taken for before its body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// MCP and nothing else: it goes to a server that is known, or names an MCP session.
    Mcp,
    /// JSON, answered by a stream: MCP, or something like it.
    Json,
    Anything,
}

/// A request of a client, as far as what becomes of its answer depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What its answer is known by.
    pub id: Value,
    pub method: String,
    /// Of a list: it is read from its beginning, not from where a page of it ended.
    pub first: bool,
    /// Its id, where it subscribes to changes of the list of tools.
    pub listens: Option<Value>,
    /// The task that it asks about.
    pub task: Option<String>,
}

/// One message that a client posts.
#[derive(Debug, Clone, PartialEq)]
pub enum Posted {
    ToolCall {
        id: Value,
        params: Value,
    },
    /// Any other request.
    Request(Question),
    /// The client does not wait for this request any more.
    Cancels {
        id: Value,
    },
    /// The answer to a question of the server with this id.
    Answers {
        id: Value,
    },
    /// Any other notification.
    Other,
}

/// Where a message goes to or comes from.
#[derive(Clone)]
pub struct Party {
    pub session: Arc<LiveSession>,
    /// Whose connection it is.
    pub origin: Origin,
    /// As it is registered; `None`: the agent reached it by its address.
    pub server: Option<Arc<str>>,
    pub endpoint: Endpoint,
}

/// A tool call that was found in a request.
pub struct ToolCall {
    pub party: Party,
    pub id: Value,
    pub params: Value,
    /// The credential whose placeholder the request carries.
    pub credential: Option<CredentialId>,
    /// What the client hears before the answer.
    pub say: mpsc::Sender<Bytes>,
    pub cancelled: CancellationToken,
    /// Who is asked something for its sake.
    pub patience: Arc<Patience>,
}

/// What becomes of a message of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passage {
    AsItIs,
    Changed(Bytes),
    /// The client does not hear it; the server is answered this.
    Answered(Bytes),
    /// Nobody hears it, and nobody waits for an answer.
    Dropped,
}

/// Why a server gave no result.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolFailure {
    Gone(String),
    TooLarge(usize),
    Garbage(String),
    Cancelled,
    /// The server's own JSON-RPC error object.
    Rpc(Value),
    Status(u16),
}

/// The server that a call is for, reached with the headers of the client's own request.
pub trait ToolServer: Send + Sync {
    /// Sends a request and waits for its result. See the tool mouth's own trait.
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, ToolFailure>>;
}

/// Governs tool calls.
pub trait ToolMouth: Send + Sync + 'static {
    /// Reads what is posted; `None`: it is no MCP.
    ///
    /// # Errors
    /// When it may hold a tool call and can be read in two ways, or is not the MCP that it has to be: then it must be
    /// refused.
    fn read(&self, body: &[u8], expected: Expected) -> Result<Option<Posted>, String>;

    /// Whether a server is registered at this address.
    fn is_registered(&self, endpoint: &Endpoint) -> bool;

    /// A tool of the server, as it was listed on this way to it. `None`: nobody has seen one of this name.
    fn tool(&self, party: &Party, name: &str) -> Option<Arc<ToolRecord>>;

    /// Takes a call through every stage. `None`: it was cancelled, and wants no answer.
    fn call(&self, call: ToolCall, server: Arc<dyn ToolServer>) -> BoxFuture<'static, Option<Bytes>>;

    /// An answer to a call that never came before the gate.
    fn answer(&self, id: &Value, denial: &reeve_domain::verdict::Denial) -> Bytes;

    /// The answer to a request that a rule keeps from the server; it is no call of a tool. `None`: it passes.
    fn refuses(&self, party: Party, question: &Question) -> BoxFuture<'static, Option<Bytes>>;

    /// Whether this is the MCP endpoint of Reeve itself: clients reach it over the proxy too, which has no exceptions.
    fn is_endpoint(&self, place: &Authority) -> bool;

    /// Answers a request for that endpoint.
    fn serve(&self, request: http::Request<Bytes>) -> BoxFuture<'static, http::Response<Payload>>;

    /// Looks at a message of a server; `question`: the client's request that it answers. An answer to nothing that was asked
    /// is dropped.
    fn hear(&self, party: Party, question: Option<&Question>, message: Bytes) -> BoxFuture<'static, Passage>;

    /// Tells a client that listens there each time its list of tools would be another one. `subscription`: the id of the request by
    /// which it listens, where it is one.
    fn changes(&self, party: Party, subscription: Option<Value>) -> BoxStream<'static, Bytes>;

    /// Whether [`Self::hear`] might do more than let this message pass. Cheap, and right before it.
    fn concerns(&self, question: Option<&Question>, message: &[u8]) -> bool;

    /// The id of the request that this message answers; `None`: it is no answer, or names none.
    fn answers(&self, message: &[u8]) -> Option<Value>;

    /// Whether a person may be asked about this message: what comes after it does not wait for that.
    fn asks(&self, message: &[u8]) -> bool;
}
