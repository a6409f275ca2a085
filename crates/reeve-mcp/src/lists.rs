//! What a server is and offers, as one connection hears it: its greeting, its lists of tools page by page, and where each tool
//! stands with the person. Tools that wait for a person, and tools that no circumstance could permit, are left out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::Mutex;
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::server::{PinnedFile, Reported, Standing, ToolRecord, definition_digest};
use reeve_domain::settings::Mode;
use reeve_domain::verdict::Denial;
use reeve_engine::LiveSession;
use reeve_engine::servers::Offered;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::gateway::Gateway;
use crate::link::ServerRef;
use crate::message::{self, Answer};
use crate::pins;

pub(crate) const CHANGED: &str = "notifications/tools/list_changed";
/// Where a notification of the 2026-07-28 protocol names the request that subscribed to it.
pub(crate) const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// Most tools in one answer of a server that are looked at; the rest is left out.
const MOST: usize = 2000;

/// What a connection has heard of its server so far.
#[derive(Debug, Default)]
pub struct Seen {
    reported: Mutex<Option<Reported>>,
    /// The files that it was started from, as they were then.
    pub(crate) files: tokio::sync::Mutex<Option<Vec<PinnedFile>>>,
    /// The definition of each tool as this connection listed it last.
    offered: Mutex<HashMap<String, Digest>>,
    /// Names in the pages of the list that is being read from its beginning.
    listing: Mutex<Option<HashSet<String>>>,
    /// The agent has seen a list: it is told when another one would come.
    shown: Mutex<Option<Vec<String>>>,
}

impl Seen {
    pub(crate) fn reported(&self) -> Option<Reported> {
        self.reported.lock().clone()
    }

    /// The server is started anew, maybe from other files.
    pub(crate) async fn forget_files(&self) {
        *self.files.lock().await = None;
    }

    /// Whether the agent has seen a list.
    pub(crate) fn was_shown(&self) -> bool {
        self.shown.lock().is_some()
    }

    fn digest(&self, tool: &str) -> Option<Digest> {
        self.offered.lock().get(tool).cloned()
    }
}

/// Whether the answer to this method says what the server is.
#[must_use]
pub fn greets(method: &str) -> bool {
    matches!(method, "initialize" | "server/discover")
}

impl Gateway {
    /// Hears what a server says it is. What it says of lists of tools is made true: Reeve tells when they change.
    #[must_use]
    pub fn greeted(&self, server: &ServerRef, mut result: Value) -> Value {
        self.heard_greeting(server, &result);
        let tools = result.get_mut("capabilities").and_then(|all| all.get_mut("tools"));
        if let Some(Value::Object(tools)) = tools {
            tools.insert("listChanged".to_owned(), Value::Bool(true));
        }
        result
    }

    /// Hears what a server says it is, and leaves what it says of lists to itself.
    pub fn heard_greeting(&self, server: &ServerRef, result: &Value) {
        if let Some(reported) = pins::reported(result) {
            *server.seen.reported.lock() = Some(reported);
        }
    }

    /// Takes a page of tools over and gives what of it the agent is shown. `first`: whether it is the list's first page.
    pub async fn listed(&self, session: &LiveSession, server: &ServerRef, first: bool, mut result: Value) -> Answer {
        let Some(Value::Array(tools)) = result.get_mut("tools").map(Value::take) else {
            return message::failure(-32603, "the server's list of tools cannot be read");
        };
        let more = result.get("nextCursor").is_some_and(|cursor| !cursor.is_null());
        let tools: Vec<Value> = tools.into_iter().take(MOST).collect();
        let whole = self.gathered(server, &tools, first, more);
        let others: Vec<(String, String)> =
            self.engine().servers().names().into_iter().filter(|(name, _)| *name != server.name).collect();
        let scanner = Arc::clone(self.scanner());
        let offered = tokio::task::spawn_blocking(move || {
            let offer = |definition: Value| Offered { findings: scanner.scan(&definition, &others), definition };
            tools.into_iter().map(offer).collect::<Vec<_>>()
        });
        let Ok(offered) = offered.await else {
            return message::failure(-32603, "the server's tools could not be looked through");
        };
        let digests: HashMap<String, Digest> = offered
            .iter()
            .filter_map(|one| {
                Some((one.definition.get("name")?.as_str()?.to_owned(), definition_digest(&one.definition)))
            })
            .collect();
        let identity = self.identity(server).await;
        let noted = self.engine().servers().note_list(&server.name, &identity, offered, whole.as_ref()).await;
        let records = match noted {
            Ok(records) => records,
            Err(error) => {
                tracing::error!(%error, server = server.name, "a list of tools could not be taken over");
                return message::failure(-32603, "Reeve cannot record these tools, so none of them may be used");
            }
        };
        self.remember(server, &records, digests, whole.as_ref());
        let servers = self.engine().servers();
        let observing = self.observes(session);
        let standing = |tool: &Arc<ToolRecord>| {
            let offered = server.seen.digest(&tool.name);
            observing || servers.held(&server.name, Some(&identity), &tool.name, offered.as_ref()).is_none()
        };
        let shown = records.iter().filter_map(|tool| self.tool_of(server, &tool.name)).filter(standing);
        let shown = shown.filter(|tool| observing || self.could_permit(session, server, tool));
        let shown: Vec<Value> = shown.map(|tool| tool.definition.clone()).collect();
        if let Some(fields) = result.as_object_mut() {
            fields.insert("tools".to_owned(), Value::Array(shown));
        }
        if !more {
            *server.seen.shown.lock() = Some(self.usable(session, server).await);
        }
        Answer::Result(result)
    }

    /// What this very connection offers: another program of the same name may offer something else.
    fn remember(
        &self,
        server: &ServerRef,
        records: &[Arc<ToolRecord>],
        mut digests: HashMap<String, Digest>,
        whole: Option<&HashSet<String>>,
    ) {
        let mut offered = server.seen.offered.lock();
        for record in records {
            if let Some(digest) = digests.remove(&record.name) {
                offered.insert(record.name.clone(), digest);
            }
        }
        if let Some(names) = whole {
            offered.retain(|name, _| names.contains(name));
        }
    }

    /// A tool as this connection offers it; one that it did not list yet, as it was seen last.
    #[must_use]
    pub fn tool_of(&self, server: &ServerRef, tool: &str) -> Option<Arc<ToolRecord>> {
        self.tool_seen(&server.name, &server.seen, tool)
    }

    /// The same, by what a connection heard of a server of this name.
    pub(crate) fn tool_seen(&self, server: &str, seen: &Seen, tool: &str) -> Option<Arc<ToolRecord>> {
        self.engine().servers().tool_as(server, tool, seen.digest(tool).as_ref())
    }

    /// The names of all tools, once the last page is there and the first one was.
    fn gathered(&self, server: &ServerRef, tools: &[Value], first: bool, more: bool) -> Option<HashSet<String>> {
        let mut listing = server.seen.listing.lock();
        if first {
            *listing = Some(HashSet::new());
        }
        let names = tools.iter().filter_map(|tool| tool.get("name").and_then(Value::as_str)).map(str::to_owned);
        listing.as_mut()?.extend(names);
        if more { None } else { listing.take() }
    }

    /// Whether nothing is enforced for this session now.
    #[must_use]
    pub fn observes(&self, session: &LiveSession) -> bool {
        self.engine().protection().mode_for(&session.session, self.engine().now()) == Mode::Observe
    }

    fn could_permit(&self, session: &LiveSession, server: &ServerRef, tool: &ToolRecord) -> bool {
        self.engine().could_permit(session, server.transport, tool)
    }

    /// Why a call is turned away before a person looked at its tool.
    pub async fn standing(&self, server: &ServerRef, operation: &Operation) -> Option<Denial> {
        let identity = self.identity(server).await;
        let offered = operation.mcp().and_then(|call| server.seen.digest(&call.tool));
        self.engine().servers().review(operation, Some(&identity), offered.as_ref())
    }

    /// What the agent may see of a server's tools right now, by name.
    async fn usable(&self, session: &LiveSession, server: &ServerRef) -> Vec<String> {
        let identity = self.identity(server).await;
        let servers = self.engine().servers();
        let Some(known) = servers.find(&server.name) else { return Vec::new() };
        let observing = self.observes(session);
        let usable = |tool: &Arc<ToolRecord>| {
            let approved =
                known.record.standing_of(&identity) == Standing::Approved && tool.standing() == Standing::Approved;
            tool.present && (observing || (approved && self.could_permit(session, server, tool)))
        };
        let tools = known.tools.values().filter_map(|tool| self.tool_of(server, &tool.name));
        tools.filter(usable).map(|tool| tool.name.clone()).collect()
    }

    /// Hears when the agent's list of tools would be another one than it was shown.
    #[must_use]
    pub fn changes(&self, session: Arc<LiveSession>, server: Arc<ServerRef>) -> Changes {
        let heard = self.engine().servers().watch();
        Changes { gateway: self.clone(), session, server, heard, told: None }
    }
}

/// One listener for changes of an agent's list of tools. Several may listen for the same list.
pub struct Changes {
    gateway: Gateway,
    session: Arc<LiveSession>,
    server: Arc<ServerRef>,
    heard: watch::Receiver<u64>,
    /// The list that was told last, until the agent was shown it.
    told: Option<Vec<String>>,
}

impl Changes {
    /// Waits until the list is another one than the agent was shown, and than it was told of before.
    pub async fn next(&mut self) {
        loop {
            let shown = self.server.seen.shown.lock().clone();
            if let Some(shown) = shown {
                let now = self.gateway.usable(&self.session, &self.server).await;
                if now == shown {
                    self.told = None;
                } else if self.told.as_ref() != Some(&now) {
                    self.told = Some(now);
                    return;
                }
            }
            if self.heard.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}

/// The message that says so. `subscription`: the request of a client that hears it under its id.
#[must_use]
pub fn changed(subscription: Option<&Value>) -> bytes::Bytes {
    let params = subscription.map_or_else(|| json!({}), |id| json!({ "_meta": { SUBSCRIPTION: id } }));
    message::notification(CHANGED, params)
}

/// The request for tools that a client listens for changes of, where this is one.
#[must_use]
pub fn listens(method: &str, params: &Value) -> bool {
    method == "subscriptions/listen" && params.pointer("/notifications/toolsListChanged") == Some(&Value::Bool(true))
}
