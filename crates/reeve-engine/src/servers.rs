//! MCP servers and their tools: what was seen of them, what of it a person approved, and what waits for one. What is new or
//! changed is left out of lists and its calls are turned away, tool by tool, until a person looked at it.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::operation::{Digest, Operation};
use reeve_domain::server::{
    Finding, MOST_IDENTITIES, ServerIdentity, ServerRecord, Standing, ToolRecord, ToolSeen, annotations,
    definition_digest,
};
use reeve_domain::verdict::Denial;
use reeve_store::{Change, Store};
use serde_json::Value;
use tokio::sync::watch;

use crate::denials;
use crate::error::EngineError;

mod declared;
mod listing;
mod shapes;

pub use declared::{Declaration, MCP_FILE, Start, check_name};
pub use shapes::{Drift, Shape};

use declared::Declared;
use shapes::Shapes;

/// Most servers that are known at a time, and most tools of each: an agent chooses the names.
pub const MOST_SERVERS: usize = 500;
pub const MOST_TOOLS: usize = 1000;
/// Largest definition that is read, in bytes of its canonical text.
pub const MOST_DEFINITION: usize = 256 * 1024;
/// Longest name of a tool, in bytes.
const MOST_NAME: usize = 256;

/// A tool as its server offers it, with what a scan of its texts found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub definition: Value,
    pub findings: Vec<Finding>,
}

/// What a person approves: exactly what they were shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Approve {
    pub server: String,
    /// [`identity_digest`] of the identity that was shown; `None`: only tools are approved.
    pub identity: Option<Digest>,
    /// Names, each with the digest of the definition that was shown.
    pub tools: Vec<(String, Digest)>,
}

/// Why a tool is not used before a person looked at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The server was never seen, or never listed this tool.
    Unlisted,
    Server(Standing),
    Tool(Standing),
}

/// A server with its tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub record: ServerRecord,
    pub tools: BTreeMap<String, Arc<ToolRecord>>,
}

impl Known {
    /// How many of its tools wait for a person; a server that waits itself counts as one.
    #[must_use]
    pub fn to_review(&self) -> usize {
        let waits = |tool: &&Arc<ToolRecord>| matches!(tool.standing(), Standing::New | Standing::Changed);
        match self.record.standing() {
            Standing::Approved => self.tools.values().filter(waits).count(),
            _ => 1,
        }
    }
}

/// Hash of what a server is.
#[must_use]
pub fn identity_digest(identity: &ServerIdentity) -> Digest {
    // A plain structure of texts always has a JSON form.
    Digest::of(serde_json::to_string(identity).unwrap_or_default().as_bytes())
}

/// Owner of the register of servers.
#[derive(Debug)]
pub struct Servers {
    store: Store,
    clock: Arc<dyn Clock>,
    declared: Declared,
    all: RwLock<BTreeMap<String, Known>>,
    shapes: Mutex<Shapes>,
    /// One change at a time: each is recorded before the next one looks.
    changing: tokio::sync::Mutex<()>,
    /// Rises with every change of what may be used.
    version: watch::Sender<u64>,
}

impl Servers {
    /// # Errors
    /// When the store or the file of declared servers cannot be read. A file that does not load is no error: then none is
    /// declared, and the problem is told.
    pub async fn load(store: Store, clock: Arc<dyn Clock>, config: &Path) -> Result<Self, EngineError> {
        let mut all: BTreeMap<String, Known> = BTreeMap::new();
        for record in store.servers().await? {
            all.insert(record.name.clone(), Known { record, tools: BTreeMap::new() });
        }
        for tool in store.tools().await? {
            if let Some(known) = all.get_mut(&tool.server) {
                known.tools.insert(tool.name.clone(), Arc::new(tool));
            }
        }
        Ok(Self {
            store,
            clock,
            declared: Declared::load(config),
            all: RwLock::new(all),
            shapes: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            version: watch::Sender::new(0),
        })
    }

    /// Servers that the person's file declares.
    #[must_use]
    pub fn declared(&self) -> Arc<BTreeMap<String, Declaration>> {
        self.declared.all()
    }

    /// Why the file on disk is not what is in force.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.declared.problem()
    }

    /// Looks at the file and applies what changed; the problem, where it newly does not load.
    pub(crate) fn refresh(&self) -> Option<String> {
        let (changed, problem) = self.declared.refresh();
        if changed {
            self.tell();
        }
        problem
    }

    /// Declares a server in the person's file, in place of one of the same name.
    ///
    /// # Errors
    /// When name or declaration are not valid, the file does not load, or it cannot be written.
    pub async fn declare(&self, name: &str, declaration: &Declaration) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        self.declared.edit(name, Some(declaration))?;
        self.tell();
        Ok(())
    }

    /// Takes a server out of the person's file, where it is in it; whether it was.
    ///
    /// # Errors
    /// When the file does not load or cannot be written.
    pub async fn undeclare(&self, name: &str) -> Result<bool, EngineError> {
        let _turn = self.changing.lock().await;
        if !self.declared.all().contains_key(name) {
            return Ok(false);
        }
        self.declared.edit(name, None)?;
        self.tell();
        Ok(true)
    }

    /// Every server that was seen, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Known> {
        self.all.read().values().cloned().collect()
    }

    #[must_use]
    pub fn find(&self, server: &str) -> Option<Known> {
        self.all.read().get(server).cloned()
    }

    /// A tool as it was listed last.
    #[must_use]
    pub fn tool(&self, server: &str, name: &str) -> Option<Arc<ToolRecord>> {
        self.all.read().get(server)?.tools.get(name).cloned()
    }

    /// Names of the tools that are there, each with its server: for finding names that are taken for another's.
    #[must_use]
    pub fn names(&self) -> Vec<(String, String)> {
        let all = self.all.read();
        let of = |known: &Known| {
            let present = known.tools.values().filter(|tool| tool.present);
            present.map(|tool| (tool.server.clone(), tool.name.clone())).collect::<Vec<_>>()
        };
        all.values().flat_map(of).collect()
    }

    /// How much waits for a person.
    #[must_use]
    pub fn to_review(&self) -> usize {
        self.all.read().values().map(Known::to_review).sum()
    }

    /// Rises with every change of what may be used: gateways then tell their clients that lists changed.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn tell(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    /// A tool as a connection offers it; `None`: as it was seen last.
    #[must_use]
    pub fn tool_as(&self, server: &str, tool: &str, offered: Option<&Digest>) -> Option<Arc<ToolRecord>> {
        as_offered(&self.tool(server, tool)?, offered)
    }

    /// Whether a tool waits for a person. `identity`: what the server is on this connection, `offered`: the definition that it
    /// offers there; `None`: as they were seen last.
    #[must_use]
    pub fn held(
        &self,
        server: &str,
        identity: Option<&ServerIdentity>,
        tool: &str,
        offered: Option<&Digest>,
    ) -> Option<Held> {
        let all = self.all.read();
        let Some(known) = all.get(server) else { return Some(Held::Unlisted) };
        let standing = identity.map_or_else(|| known.record.standing(), |identity| known.record.standing_of(identity));
        if standing != Standing::Approved {
            return Some(Held::Server(standing));
        }
        match known.tools.get(tool).and_then(|tool| as_offered(tool, offered)).map(|tool| tool.standing()) {
            None => Some(Held::Unlisted),
            Some(Standing::Approved) => None,
            Some(standing) => Some(Held::Tool(standing)),
        }
    }

    /// Why a call is turned away before a person looked at its tool; `None`: it may go on to the rules.
    #[must_use]
    pub fn review(
        &self,
        operation: &Operation,
        identity: Option<&ServerIdentity>,
        offered: Option<&Digest>,
    ) -> Option<Denial> {
        let call = operation.mcp()?;
        let held = self.held(&call.server, identity, &call.tool, offered)?;
        Some(denials::to_review(operation, &call.server, &call.tool, held))
    }

    /// Takes over what a server offers, in one list or in one page of it. `whole`: the names of all its tools, once every
    /// page was seen; those that are not among them are gone. Gives every tool of this page as it is known now, in order;
    /// those that cannot be known (no name, too many, too large) are left out.
    ///
    /// # Errors
    /// When there are too many servers, or it cannot be recorded; then nothing of it may be used.
    pub async fn note_list(
        &self,
        server: &str,
        identity: &ServerIdentity,
        offered: Vec<Offered>,
        whole: Option<&HashSet<String>>,
    ) -> Result<Vec<Arc<ToolRecord>>, EngineError> {
        let _turn = self.changing.lock().await;
        let mut noting = self.begin(server, identity)?;
        let mut page = Vec::with_capacity(offered.len());
        for one in offered {
            page.extend(noting.take(one));
        }
        if let Some(names) = whole {
            noting.close(names);
        }
        self.finish(noting).await?;
        Ok(page.iter().filter_map(|name| self.tool(server, name)).collect())
    }

    /// Takes over what a server is, before it offers anything.
    ///
    /// # Errors
    /// As [`Servers::note_list`].
    pub async fn note_server(&self, server: &str, identity: &ServerIdentity) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        let noting = self.begin(server, identity)?;
        self.finish(noting).await
    }

    fn begin(&self, server: &str, identity: &ServerIdentity) -> Result<Noting, EngineError> {
        let now = self.clock.now();
        let all = self.all.read();
        if let Some(known) = all.get(server) {
            return Ok(Noting::of_known(known.clone(), identity, now));
        }
        declared::check_name(server).map_err(EngineError::Refused)?;
        if all.len() >= MOST_SERVERS {
            return Err(EngineError::Refused(format!(
                "`{server}` is one server too many: {MOST_SERVERS} are known; `reeve mcp forget` takes one away"
            )));
        }
        Ok(Noting::of_new(server, identity, now))
    }

    async fn finish(&self, noting: Noting) -> Result<(), EngineError> {
        let Noting { known, changes, events, .. } = noting;
        if changes.is_empty() && events.is_empty() {
            return Ok(());
        }
        self.store.append_with(changes, events.into_iter().map(Draft::engine).collect()).await?;
        self.all.write().insert(known.record.name.clone(), known);
        self.tell();
        Ok(())
    }

    /// A person lets a server and tools of it be used, exactly as they were shown.
    ///
    /// # Errors
    /// When there is no such server or tool, one of them is not what was shown any more, or it cannot be recorded; then
    /// nothing of it is approved.
    pub async fn approve(&self, wanted: &Approve, by: &str) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        let name = &wanted.server;
        let missing = |what: &'static str, name: &str| EngineError::NotFound { what, name: name.to_owned() };
        let mut known = self.find(name).ok_or_else(|| missing("server", name))?;
        let now = self.clock.now();
        let mut changes = Vec::new();
        if let Some(shown) = &wanted.identity {
            if *shown != identity_digest(&known.record.seen) {
                return Err(changed_meanwhile(name));
            }
            let record = &mut known.record;
            let seen = record.seen.clone();
            record.approved.retain(|approved| !approved.covers(&seen));
            record.approved.push(seen);
            if record.approved.len() > MOST_IDENTITIES {
                record.approved.remove(0);
            }
            (record.approved_at, record.approved_by) = (Some(now), Some(by.to_owned()));
            changes.push(Change::Server(Box::new(record.clone())));
        }
        let mut seen = Vec::new();
        for (tool, digest) in &wanted.tools {
            let record = known.tools.get_mut(tool).ok_or_else(|| missing("tool", tool))?;
            if record.digest != *digest || !record.present {
                return Err(changed_meanwhile(tool));
            }
            seen.push(ToolSeen { before: record.approved().map(|version| version.digest.clone()), ..seen_of(record) });
            let record = Arc::make_mut(record);
            if let Some(version) = record.versions.iter_mut().find(|version| version.digest == *digest) {
                (version.approved_at, version.approved_by) = (Some(now), Some(by.to_owned()));
            }
            changes.push(Change::Tool(Box::new(record.clone())));
        }
        let identity = known.record.seen.clone();
        let event = EventBody::ServerApproved { server: name.clone(), identity, tools: seen, by: by.to_owned() };
        self.store.append_with(changes, vec![Draft::engine(event)]).await?;
        self.all.write().insert(name.clone(), known);
        self.tell();
        Ok(())
    }

    /// Forgets a server with its pins and their history: the next time it is a new one.
    ///
    /// # Errors
    /// When there is no such server, or it cannot be recorded.
    pub async fn forget(&self, server: &str, by: &str) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        if self.find(server).is_none() {
            return Err(EngineError::NotFound { what: "server", name: server.to_owned() });
        }
        let event = EventBody::ServerForgotten { server: server.to_owned(), by: by.to_owned() };
        self.store.append_with(vec![Change::ServerForgotten(server.to_owned())], vec![Draft::engine(event)]).await?;
        self.all.write().remove(server);
        self.shapes.lock().forget(server);
        self.tell();
        Ok(())
    }

    /// Learns what results of a tool look like, and records where this one looks otherwise than those before it.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn note_result(&self, server: &str, tool: &str, result: &Value) -> Result<(), EngineError> {
        let Some(record) = self.tool(server, tool) else { return Ok(()) };
        let key = (server.to_owned(), tool.to_owned(), record.digest.clone());
        if !self.shapes.lock().knows(&key) {
            let kept = self.store.shape(server, tool, &record.digest).await?;
            self.shapes.lock().put(&key, kept.as_deref());
        }
        let Some((shape, changes)) = self.shapes.lock().learn(&key, result, self.clock.now()) else { return Ok(()) };
        let (server, tool, definition) = key;
        let drifted = (!changes.is_empty()).then(|| EventBody::ShapeDrifted {
            server: server.clone(),
            tool: tool.clone(),
            definition: definition.clone(),
            changes,
        });
        let change = Change::Shape { server, tool, definition, body: shape };
        self.store.append_with(vec![change], drifted.into_iter().map(Draft::engine).collect()).await?;
        Ok(())
    }

    /// What the results of the present version of a tool looked like so far.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn shape(&self, tool: &ToolRecord) -> Result<Option<Shape>, EngineError> {
        let kept = self.store.shape(&tool.server, &tool.name, &tool.digest).await?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()))
    }
}

/// Of a version that is not kept nothing is known.
fn as_offered(record: &Arc<ToolRecord>, offered: Option<&Digest>) -> Option<Arc<ToolRecord>> {
    let Some(digest) = offered.filter(|digest| **digest != record.digest || !record.present) else {
        return Some(Arc::clone(record));
    };
    let version = record.versions.iter().find(|version| version.digest == *digest)?;
    let (digest, definition) = (version.digest.clone(), version.definition.clone());
    let annotations = annotations(&definition);
    Some(Arc::new(ToolRecord { digest, definition, annotations, present: true, ..ToolRecord::clone(record) }))
}

fn changed_meanwhile(name: &str) -> EngineError {
    EngineError::Refused(format!("`{name}` is not what was shown any more: look at it again"))
}

fn seen_of(tool: &ToolRecord) -> ToolSeen {
    let mut findings: Vec<_> = tool.findings.iter().map(|finding| finding.kind).collect();
    findings.sort_unstable();
    findings.dedup();
    ToolSeen { name: tool.name.clone(), digest: tool.digest.clone(), before: None, findings }
}

/// A server while a list of it is taken over.
struct Noting {
    known: Known,
    now: chrono::DateTime<chrono::Utc>,
    changes: Vec<Change>,
    events: Vec<EventBody>,
    new: Vec<ToolSeen>,
    changed: Vec<ToolSeen>,
    gone: Vec<String>,
}

impl Noting {
    fn of_new(server: &str, identity: &ServerIdentity, now: chrono::DateTime<chrono::Utc>) -> Self {
        let record = ServerRecord {
            name: server.to_owned(),
            seen: identity.clone(),
            approved: Vec::new(),
            first_seen: now,
            changed_at: now,
            approved_at: None,
            approved_by: None,
        };
        let mut noting = Self::with(Known { record, tools: BTreeMap::new() }, now);
        noting.note_identity(identity, false);
        noting
    }

    fn of_known(known: Known, identity: &ServerIdentity, now: chrono::DateTime<chrono::Utc>) -> Self {
        let mut noting = Self::with(known, now);
        let record = &mut noting.known.record;
        if !record.seen.covers(identity) {
            record.seen = identity.clone();
            record.changed_at = now;
            noting.note_identity(identity, true);
        } else if record.seen.reported.is_none() && identity.reported.is_some() {
            // It is the same, and now says its name.
            record.seen = identity.clone();
            noting.changes.push(Change::Server(Box::new(noting.known.record.clone())));
        }
        noting
    }

    fn with(known: Known, now: chrono::DateTime<chrono::Utc>) -> Self {
        let (changes, events) = (Vec::new(), Vec::new());
        Self { known, now, changes, events, new: Vec::new(), changed: Vec::new(), gone: Vec::new() }
    }

    fn note_identity(&mut self, identity: &ServerIdentity, changed: bool) {
        let record = &self.known.record;
        self.changes.push(Change::Server(Box::new(record.clone())));
        self.events.push(EventBody::ServerSeen { server: record.name.clone(), identity: identity.clone(), changed });
    }

    /// Gives the tool's name, where it can be known.
    fn take(&mut self, offered: Offered) -> Option<String> {
        let Offered { definition, findings } = offered;
        let name = definition.get("name").and_then(Value::as_str)?.to_owned();
        if name.is_empty() || name.len() > MOST_NAME || definition.to_string().len() > MOST_DEFINITION {
            tracing::warn!(server = self.known.record.name, "a tool is left out: its name or definition is too large");
            return None;
        }
        let digest = definition_digest(&definition);
        let before = self.known.tools.get(&name).cloned();
        let same =
            before.as_ref().is_some_and(|tool| tool.digest == digest && tool.present && tool.findings == findings);
        if same || before.as_ref().is_some_and(|tool| self.would_clear(tool, &digest)) {
            return Some(name);
        }
        if before.is_none() && self.known.tools.len() >= MOST_TOOLS {
            return None;
        }
        let mut tool = before.as_deref().cloned().unwrap_or_else(|| ToolRecord {
            server: self.known.record.name.clone(),
            name: name.clone(),
            definition: Value::Null,
            digest: digest.clone(),
            annotations: annotations(&definition),
            findings: Vec::new(),
            present: true,
            versions: Vec::new(),
            changed_at: self.now,
        });
        (tool.annotations, tool.findings, tool.present) = (annotations(&definition), findings, true);
        let another = before.as_ref().is_none_or(|before| before.digest != digest || !before.present);
        if another {
            tool.become_version(digest, definition, self.now);
            match &before {
                None => self.new.push(seen_of(&tool)),
                Some(before) => {
                    self.changed.push(ToolSeen { before: Some(before.digest.clone()), ..seen_of(&tool) });
                }
            }
        }
        self.changes.push(Change::Tool(Box::new(tool.clone())));
        self.known.tools.insert(name.clone(), Arc::new(tool));
        self.tell_tools();
        Some(name)
    }

    /// Whether a program that no person approved says for one that a person did that its tool is as it was approved: then what
    /// that one changed would be used without a look at it.
    fn would_clear(&self, tool: &ToolRecord, digest: &Digest) -> bool {
        let approved = tool.versions.iter().any(|version| version.digest == *digest && version.approved_at.is_some());
        let stranger = !self.known.record.approved.is_empty() && self.known.record.standing() != Standing::Approved;
        stranger && approved && tool.standing() != Standing::Approved
    }

    fn close(&mut self, names: &HashSet<String>) {
        let over: Vec<String> = self
            .known
            .tools
            .values()
            .filter(|tool| tool.present && !names.contains(&tool.name))
            .map(|tool| tool.name.clone())
            .collect();
        for name in over {
            if let Some(tool) = self.known.tools.get_mut(&name).map(Arc::make_mut) {
                (tool.present, tool.changed_at) = (false, self.now);
                self.changes.push(Change::Tool(Box::new(tool.clone())));
            }
            self.gone.push(name);
        }
        self.tell_tools();
    }

    /// One event of all that changed, always the last.
    fn tell_tools(&mut self) {
        if self.new.is_empty() && self.changed.is_empty() && self.gone.is_empty() {
            return;
        }
        if matches!(self.events.last(), Some(EventBody::ToolsChanged { .. })) {
            self.events.pop();
        }
        self.events.push(EventBody::ToolsChanged {
            server: self.known.record.name.clone(),
            new: self.new.clone(),
            changed: self.changed.clone(),
            gone: self.gone.clone(),
        });
    }
}
