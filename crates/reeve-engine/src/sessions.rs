//! Sessions: one run of an agent each, known by a random token of which only the hash is kept.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine as _;
use chrono::{DateTime, Utc};
use parking_lot::{Mutex, RwLock};
use reeve_domain::credential::Credential;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::{AgentId, CredentialId, OperationId, SessionId, TeamId};
use reeve_domain::operation::Operation;
use reeve_domain::principal::Principal;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::{Opener, Session, SessionEnd};
use reeve_domain::settings::Mode;
use reeve_domain::verdict::Reason;
use reeve_policy::{PolicySet, tools};
use reeve_store::Store;
use sha2::Digest as _;
use subtle::ConstantTimeEq as _;
use tokio_util::sync::CancellationToken;

use crate::denials::own;
use crate::error::EngineError;
use crate::leaks::LeakGuard;
use crate::lineage::Lineage;
use crate::origin::{Origin, Origins};
use crate::policies::Policies;

/// So many operations are known to come back from questions that expired.
const MOST_ANEW: usize = 64;

/// A session that is running. Shared by every connection that carries its token.
#[derive(Debug)]
pub struct LiveSession {
    pub session: Session,
    /// Process that holds the session open (`reeve run`), where there is one: children are looked for below it.
    pub holder: Option<u32>,
    cancel: CancellationToken,
    /// What the credentials bound to this session's agent look like, and what must not leave for elsewhere.
    pub(crate) held: ArcSwap<HeldSecrets>,
    /// Sets with the project's own rules on top, where the working directory has any: as they are now and, where they were
    /// stricter while somebody worked there, as they were.
    pub(crate) project: ArcSwap<Vec<Arc<PolicySet>>>,
    /// What its models asked for and wait for.
    pub(crate) lineage: Lineage,
    /// Over whose connections it asked lately.
    origins: Origins,
    /// What comes back from questions that expired; the oldest is forgotten first.
    anew: Mutex<VecDeque<OperationId>>,
}

/// Secrets of a live session, wiped with it.
#[derive(Debug, Default)]
pub struct HeldSecrets {
    pub credentials: Vec<Credential>,
    pub secrets: HashMap<CredentialId, Secret>,
    pub guard: Arc<LeakGuard>,
    /// Why some secret could not be read: operations that need it are refused with this sentence.
    pub problem: Option<String>,
}

impl LiveSession {
    /// The sets with the project's own rules on top, where it has any; those on disk first, kept ones behind.
    #[must_use]
    pub fn project_rules(&self) -> Vec<Arc<PolicySet>> {
        Vec::clone(&self.project.load())
    }

    /// Rules for a tool that bind here: of the set in force, or of each that stands on it with the project's own.
    #[must_use]
    pub fn tool_rules(&self, policies: &Policies, server: &str, tool: &str) -> Vec<tools::InForce> {
        let projects = self.project.load();
        match projects.as_slice() {
            [] => policies.in_force().tools.tool(server, tool).into_iter().collect(),
            sets => sets.iter().filter_map(|set| set.tools().tool(server, tool)).collect(),
        }
    }

    /// Why this method, which is no call of a tool, does not pass to the server; of the versions of a project's rules that bind
    /// here, any one. `None`: it passes.
    #[must_use]
    pub fn refused_method(&self, policies: &Policies, server: &str, method: &str) -> Option<Reason> {
        let found = |rules: &tools::ToolRules| {
            rules.refused_method(server, method).map(|rule| Reason {
                text: format!("`{}` is denied in {}, line {}", rule.tools, rule.file, rule.line),
                layer: rule.layer,
                file: rule.file.clone(),
                line: rule.line,
                ..own(tools::REFUSED_METHOD)
            })
        };
        let projects = self.project.load();
        match projects.as_slice() {
            [] => found(&policies.in_force().tools),
            sets => sets.iter().find_map(|set| found(set.tools())),
        }
    }

    /// The operation that this one, which is about to be put before the gate, belongs under. `answers`: the tool calls
    /// whose results it brings, by id, else by name.
    #[must_use]
    pub fn parent_of(&self, operation: &Operation, answers: &[String]) -> Option<OperationId> {
        self.lineage.parent(operation, answers)
    }

    /// The operation that a tool call belongs under: the answer that asked for it by one of these ids, else as
    /// [`Self::parent_of`].
    #[must_use]
    pub fn parent_of_call(&self, operation: &Operation, calls: &[&str]) -> Option<OperationId> {
        self.lineage.asked_for(calls).or_else(|| self.lineage.parent(operation, &[]))
    }

    /// An operation that is about to be put before the gate came over this connection.
    pub fn asked_over(&self, operation: &OperationId, origin: &Origin) {
        self.origins.note(operation, origin);
    }

    /// An operation that is about to be put before the gate comes back from a question that expired, after its person was sent
    /// there: it is asked again.
    pub fn asks_anew(&self, operation: &OperationId) {
        let mut anew = self.anew.lock();
        anew.push_back(operation.clone());
        if anew.len() > MOST_ANEW {
            anew.pop_front();
        }
    }

    pub(crate) fn is_anew(&self, operation: &OperationId) -> bool {
        self.anew.lock().contains(operation)
    }

    pub(crate) fn origin_of(&self, operation: &OperationId) -> Origin {
        self.origins.of(operation)
    }

    #[must_use]
    pub fn id(&self) -> &SessionId {
        &self.session.id
    }

    #[must_use]
    pub fn principal(&self) -> Principal {
        Principal {
            agent: self.session.agent.clone(),
            session: self.session.id.clone(),
            user: self.session.user.clone(),
            team: self.session.team.clone(),
        }
    }

    /// Cancelled when the session ends, however it ends: every stream of it stops then.
    #[must_use]
    pub fn ended(&self) -> &CancellationToken {
        &self.cancel
    }

    /// Holds other secrets from now on; a session that ended meanwhile holds none.
    pub(crate) fn hold(&self, held: HeldSecrets) {
        self.held.store(Arc::new(held));
        // An end cancels before it wipes: whoever comes after that wipes again.
        if self.cancel.is_cancelled() {
            self.held.store(Arc::new(HeldSecrets::default()));
        }
    }

    #[must_use]
    pub fn leaks(&self) -> Arc<LeakGuard> {
        Arc::clone(&self.held.load().guard)
    }

    /// The secrets that the session holds now, for masking them where they come back.
    #[must_use]
    pub fn secrets(&self) -> Vec<(CredentialId, Secret)> {
        self.held.load().secrets.iter().map(|(id, secret)| (id.clone(), secret.clone())).collect()
    }
}

/// What opens a session.
#[derive(Debug, Clone)]
pub struct OpenSession {
    pub agent: AgentId,
    pub user: String,
    pub team: Option<TeamId>,
    pub cwd: String,
    pub command: Vec<String>,
    /// None: the mode of everything.
    pub mode: Option<Mode>,
    /// The server of a wrapper that belongs to no session.
    pub wraps: Option<String>,
    pub holder: Option<u32>,
    /// Who asked for it, where the system tells.
    pub opener: Option<Opener>,
    pub expires_at: Option<DateTime<Utc>>,
}

/// A new token and its hash.
fn fresh() -> (String, [u8; 32]) {
    let token: [u8; 32] = rand::random();
    let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token);
    let hash = sha2::Sha256::digest(token.as_bytes()).into();
    (token, hash)
}

/// Owner of the live sessions.
#[derive(Debug)]
pub struct Sessions {
    store: Store,
    live: RwLock<Live>,
}

#[derive(Debug, Default)]
struct Live {
    by_id: HashMap<SessionId, Arc<LiveSession>>,
    by_token: HashMap<[u8; 32], Arc<LiveSession>>,
}

impl Sessions {
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, live: RwLock::default() }
    }

    /// Opens a session and hands out its token, once.
    ///
    /// # Errors
    /// When the opening cannot be recorded.
    pub async fn open(
        &self,
        open: OpenSession,
        held: HeldSecrets,
        project: Vec<Arc<PolicySet>>,
        now: DateTime<Utc>,
    ) -> Result<(Arc<LiveSession>, Secret), EngineError> {
        let (token, hash) = fresh();
        let session = Session {
            id: SessionId::new(),
            agent: open.agent,
            user: open.user,
            team: open.team,
            cwd: open.cwd,
            command: open.command,
            mode: open.mode,
            wraps: open.wraps,
            opener: open.opener,
            opened_at: now,
            expires_at: open.expires_at,
            ended_at: None,
            ended_because: None,
        };
        self.store.open_session(session.clone(), hex::encode(hash)).await?;
        let live = Arc::new(LiveSession {
            session,
            holder: open.holder,
            cancel: CancellationToken::new(),
            held: ArcSwap::from_pointee(held),
            project: ArcSwap::from_pointee(project),
            lineage: Lineage::default(),
            origins: Origins::default(),
            anew: Mutex::default(),
        });
        let mut all = self.live.write();
        all.by_id.insert(live.session.id.clone(), Arc::clone(&live));
        all.by_token.insert(hash, Arc::clone(&live));
        drop(all);
        Ok((live, Secret::from(token)))
    }

    /// The session a token belongs to. The token is hashed first, so that neither the look-up nor the comparison says
    /// anything about it.
    #[must_use]
    pub fn authenticate(&self, token: &str) -> Option<Arc<LiveSession>> {
        let hash: [u8; 32] = sha2::Sha256::digest(token.as_bytes()).into();
        let live = self.live.read();
        let (stored, session) = live.by_token.get_key_value(&hash)?;
        let same: bool = stored.ct_eq(&hash).into();
        (same && !session.cancel.is_cancelled()).then(|| Arc::clone(session))
    }

    /// A further token for a session, for a process of it that cannot be told the first one; `None` when it ended.
    #[must_use]
    pub fn lend(&self, live: &Arc<LiveSession>) -> Option<Secret> {
        let (token, hash) = fresh();
        let mut all = self.live.write();
        if !all.by_id.contains_key(live.id()) {
            return None;
        }
        all.by_token.insert(hash, Arc::clone(live));
        Some(Secret::from(token))
    }

    #[must_use]
    pub fn find(&self, id: &SessionId) -> Option<Arc<LiveSession>> {
        self.live.read().by_id.get(id).cloned()
    }

    #[must_use]
    pub fn all(&self) -> Vec<Arc<LiveSession>> {
        self.live.read().by_id.values().cloned().collect()
    }

    /// Ends a session: its token stops working, its streams are cut, its secrets are wiped. A second call does nothing.
    ///
    /// # Errors
    /// When the end cannot be recorded; the session is ended all the same.
    pub async fn end(&self, id: &SessionId, because: SessionEnd) -> Result<bool, EngineError> {
        let Some(live) = self.forget(id) else { return Ok(false) };
        live.cancel.cancel();
        live.held.store(Arc::new(HeldSecrets::default()));
        let draft = Draft {
            agent: Some(live.session.agent.clone()),
            session: Some(id.clone()),
            operation: None,
            body: EventBody::SessionEnded { because },
        };
        self.store.append(vec![draft]).await?;
        Ok(true)
    }

    fn forget(&self, id: &SessionId) -> Option<Arc<LiveSession>> {
        let mut all = self.live.write();
        let live = all.by_id.remove(id)?;
        all.by_token.retain(|_, other| other.session.id != *id);
        Some(live)
    }

    /// Sessions whose time is up at `now`.
    #[must_use]
    pub fn expired(&self, now: DateTime<Utc>) -> Vec<SessionId> {
        let live = self.live.read();
        let over = |s: &&Arc<LiveSession>| s.session.expires_at.is_some_and(|at| at <= now);
        live.by_id.values().filter(over).map(|s| s.session.id.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use reeve_domain::clock::ManualClock;
    use reeve_store::StoreOptions;

    use super::*;

    #[tokio::test]
    async fn a_refresh_that_comes_after_the_end_leaves_no_secret_behind() {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let store = Store::open_in_memory(StoreOptions { clock, seal_key: None, mirror: None }).unwrap();
        let sessions = Sessions::new(store);
        let open = OpenSession {
            agent: AgentId::parse("codex").unwrap(),
            user: "dana".to_owned(),
            team: None,
            cwd: "/tmp".to_owned(),
            command: Vec::new(),
            mode: None,
            wraps: None,
            holder: None,
            opener: None,
            expires_at: None,
        };
        let held = || {
            let id = CredentialId::parse("github").unwrap();
            let secrets = HashMap::from([(id, Secret::from("a-secret-of-some-length".to_owned()))]);
            HeldSecrets { secrets, ..HeldSecrets::default() }
        };
        let (live, _) = sessions.open(open, held(), Vec::new(), DateTime::UNIX_EPOCH).await.unwrap();
        live.hold(held());
        assert_eq!(live.held.load().secrets.len(), 1);
        sessions.end(live.id(), SessionEnd::Stopped).await.unwrap();
        // What read the vault meanwhile arrives now.
        live.hold(held());
        assert!(live.held.load().secrets.is_empty());
    }
}
