//! The gate and everything stateful that it orders. One `Engine` per user and process; every part has one owner.

pub mod admission;
pub mod agents;
pub mod annotate;
pub mod approvals;
pub mod audit;
pub mod branch;
pub mod breakers;
pub mod budgets;
pub mod credentials;
pub mod decide;
pub mod decided;
pub mod denials;
mod error;
pub mod files;
pub mod gate;
pub mod grants;
pub mod history;
pub mod idempotency;
pub mod leaks;
pub mod limits;
mod lineage;
pub mod loops;
pub mod loosening;
pub mod mark;
pub mod origin;
mod owed;
pub mod patience;
pub mod policies;
pub mod presence;
pub mod prices;
pub mod protection;
pub mod raises;
mod refusals;
pub mod retention;
mod seen;
pub mod servers;
pub mod sessions;
pub mod settings;
mod tidy;
mod unanswered;
pub mod witness;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::SessionId;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::SessionEnd;
use reeve_store::{Store, StoreOptions};
use reeve_vault::Vault;
use tokio_util::sync::CancellationToken;

pub use crate::admission::Admission;
pub use crate::error::EngineError;
pub use crate::gate::{Gate, Ruling};
pub use crate::sessions::{LiveSession, OpenSession};

use crate::agents::Agents;
use crate::approvals::Approvals;
use crate::breakers::Breakers;
use crate::credentials::Credentials;
use crate::gate::Inner;
use crate::grants::Grants;
use crate::idempotency::Idempotency;
use crate::loops::Loops;
use crate::loosening::Change;
use crate::owed::Owed;
use crate::policies::{Policies, Reload};
use crate::presence::system::SystemMethod;
use crate::presence::{Person, Presence};
use crate::prices::Prices;
use crate::protection::{ProtectionState, Stop};
use crate::raises::Raises;
use crate::refusals::Refusals;
use crate::retention::Keeper;
use crate::seen::SeenHosts;
use crate::servers::Servers;
use crate::sessions::Sessions;
use crate::settings::{Notifications, Settings, SettingsEdit};
use crate::witness::Witness;

/// How often files, deadlines and expiries are looked at: well under the second in which a change must apply.
const TICK: Duration = Duration::from_millis(200);
/// How long a stopping engine waits for the keychain to take the last head.
const LAST_WITNESS: Duration = Duration::from_secs(2);

/// What an engine is made of.
#[derive(Debug)]
pub struct EngineOptions {
    /// Folder with `policies/`, `limits.yaml` and so on.
    pub config: PathBuf,
    /// Folder managed by the organisation, where there is one.
    pub managed: Option<PathBuf>,
    /// The database file.
    pub database: PathBuf,
    /// Second place for the heads of the chain.
    pub mirror: PathBuf,
    /// Where the public half of the seal key is written.
    pub public_key: PathBuf,
    pub settings: Settings,
    pub vault: Vault,
    pub clock: Arc<dyn Clock>,
    /// The throw-away profile of the demo, in which the demo may decide.
    pub demo: bool,
    /// The system's method of proving a human; none: the passphrase alone.
    pub system: Option<Arc<dyn SystemMethod>>,
}

impl EngineOptions {
    /// The record, sealed by the profile's own key.
    async fn open_store(&self) -> Result<Store, EngineError> {
        let seal_key = audit::seal_key(&self.vault).await?;
        audit::write_public(&self.public_key, &seal_key)?;
        let (clock, mirror) = (Arc::clone(&self.clock), Some(self.mirror.clone()));
        Ok(Store::open(&self.database, StoreOptions { clock, seal_key: Some(seal_key), mirror })?)
    }
}

/// One engine; cheap to clone.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: Store,
    vault: Vault,
    clock: Arc<dyn Clock>,
    settings: Arc<Settings>,
    notifications: ArcSwap<Notifications>,
    servers: Arc<Servers>,
    sessions: Arc<Sessions>,
    agents: Arc<Agents>,
    policies: Arc<Policies>,
    grants: Arc<Grants>,
    approvals: Arc<Approvals>,
    credentials: Arc<Credentials>,
    prices: Arc<Prices>,
    protection: Arc<ProtectionState>,
    raises: Arc<Raises>,
    presence: Presence,
    gate: Gate,
    witness: Arc<Witness>,
    keeper: Arc<Keeper>,
    /// What failed at the last look.
    failing: Mutex<Vec<String>>,
    owed: Arc<Owed>,
    breakers: Arc<Breakers>,
    loops: Arc<Loops>,
    idempotency: Idempotency,
    /// Held while the record is judged again: one at a time.
    weighing: Arc<tokio::sync::Mutex<()>>,
    tidy: tidy::Found,
    shutdown: CancellationToken,
    demo: bool,
}

impl Engine {
    /// Opens the record, charges what a crash left open, loads policy, limits and prices, and begins to tick.
    ///
    /// # Errors
    /// When any part does not load: without it nothing could be decided or recorded, so nothing may pass.
    pub async fn start(options: EngineOptions) -> Result<Self, EngineError> {
        let store = options.open_store().await?;
        let settings = Arc::new(options.settings);
        let policies = Arc::new(Policies::load(settings.preset, &options.config, options.managed.as_deref())?);
        policies.keep_history()?;
        let prices = Arc::new(Prices::load(settings.prices.as_deref())?);
        let swept = store.sweep().await?;
        store.append(begun(swept, &policies)).await?;
        let sessions = Arc::new(Sessions::new(store.clone()));
        let agents = Arc::new(Agents::load(store.clone(), Arc::clone(&options.clock)).await?);
        let servers = Servers::load(store.clone(), Arc::clone(&options.clock), &options.config).await?;
        let grants = Arc::new(Grants::load(store.clone()).await?);
        let approvals = Arc::new(Approvals::new(store.clone(), Arc::clone(&options.clock)));
        let credentials = Arc::new(Credentials::load(store.clone(), options.vault.clone()).await?);
        let protection = Arc::new(ProtectionState::load(store.clone(), settings.mode, options.clock.now()).await?);
        let owed = Arc::new(Owed::new(store.clone()));
        let raises = Arc::new(Raises::default());
        let (breakers, loops) = (Arc::<Breakers>::default(), Arc::<Loops>::default());
        let idempotency = Idempotency::new(store.clone(), Arc::clone(&options.clock));
        let presence = Presence::new(options.vault.clone(), store.clone(), Arc::clone(&options.clock), options.system);
        let gate = Gate::new(Inner {
            store: store.clone(),
            clock: Arc::clone(&options.clock),
            settings: Arc::clone(&settings),
            sessions: Arc::clone(&sessions),
            agents: Arc::clone(&agents),
            policies: Arc::clone(&policies),
            grants: Arc::clone(&grants),
            approvals: Arc::clone(&approvals),
            raises: Arc::clone(&raises),
            credentials: Arc::clone(&credentials),
            prices: Arc::clone(&prices),
            protection: Arc::clone(&protection),
            seen: SeenHosts::new(store.seen_hosts().await?),
            running: Mutex::new(HashMap::new()),
            owed: Arc::clone(&owed),
            refusals: Refusals::new(Arc::clone(&options.clock)),
            breakers: Arc::clone(&breakers),
            loops: Arc::clone(&loops),
        });
        let witness = Arc::new(Witness::new(store.clone(), options.vault.clone()));
        let keeper =
            Keeper::load(store.clone(), Arc::clone(&witness), Arc::clone(&options.clock), settings.retention).await?;
        let keeper = Arc::new(keeper);
        let engine = Self(Arc::new(Parts {
            witness: Arc::clone(&witness),
            keeper: Arc::clone(&keeper),
            failing: Mutex::default(),
            agents,
            store,
            vault: options.vault,
            clock: options.clock,
            notifications: ArcSwap::from_pointee(settings.notifications),
            settings,
            servers: Arc::new(servers),
            sessions,
            policies,
            grants,
            approvals,
            credentials,
            prices,
            protection,
            raises,
            presence,
            gate,
            owed,
            breakers,
            loops,
            idempotency,
            weighing: Arc::default(),
            tidy: tidy::Found::default(),
            shutdown: CancellationToken::new(),
            demo: options.demo,
        }));
        tokio::spawn(engine.clone().tick());
        tokio::spawn(witness.keep(engine.stopping().clone()));
        tokio::spawn(keeper.keep(engine.stopping().clone()));
        Ok(engine)
    }

    async fn tick(self) {
        let mut mode = self.0.protection.mode(self.now());
        loop {
            tokio::select! {
                () = self.0.shutdown.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
            self.look().await;
            // A pause that ran out by itself binds again what passed meanwhile.
            let before = std::mem::replace(&mut mode, self.0.protection.mode(self.now()));
            if before != mode {
                self.0.gate.recheck();
            }
        }
    }

    /// Each check by itself: one that fails stops no other.
    async fn look(&self) {
        let now = self.now();
        let mut failed: Vec<EngineError> = Vec::new();
        failed.extend(self.0.owed.pay().await.err().map(EngineError::from));
        failed.extend(self.0.agents.pay().await.err());
        failed.extend(self.0.gate.record_counted(false).await.err());
        failed.extend(self.0.approvals.expire(now).await.err());
        for session in self.0.sessions.expired(now) {
            failed.extend(self.end_session(&session, SessionEnd::Expired).await.err());
        }
        failed.extend(self.reload().await.err());
        let broken = self.0.store.problem().borrow().as_ref().map(ToString::to_string);
        self.tell_failures(&failed);
        self.0.protection.set_degraded(broken.or_else(|| failed.first().map(ToString::to_string)));
    }

    /// What fails at every look is said once, and once again when it is over.
    fn tell_failures(&self, failed: &[EngineError]) {
        let now: Vec<String> = failed.iter().map(ToString::to_string).collect();
        let before = std::mem::replace(&mut *self.0.failing.lock(), now.clone());
        for error in now.iter().filter(|error| !before.contains(error)) {
            tracing::error!(%error, "a periodic check failed");
        }
        for error in before.iter().filter(|error| !now.contains(error)) {
            tracing::info!(%error, "a periodic check works again");
        }
    }

    /// Looks at the policy and limits files, and applies what changed to what runs.
    ///
    /// # Errors
    /// When the reload cannot be recorded; it is in force all the same.
    pub async fn reload(&self) -> Result<Reload, EngineError> {
        // In force first: it applies also when it cannot be recorded.
        let (reload, projects, over, problem) = self
            .aside(|engine| {
                let reload = engine.0.policies.refresh();
                let (projects, over) = engine.refresh_projects();
                (reload, projects, over, engine.0.servers.refresh())
            })
            .await?;
        let mut events: Vec<EventBody> = std::iter::once(reload.clone()).chain(projects).filter_map(told).collect();
        events.extend(problem.map(|problem| EventBody::PolicyRejected { problem }));
        let mut done = Ok(());
        if !events.is_empty() {
            self.0.gate.recheck();
            let recorded = self.0.store.append(events.into_iter().map(Draft::engine).collect()).await;
            done = recorded.map(|_| ()).map_err(EngineError::from);
        }
        for session in over {
            done = done.and(self.end_session(&session, SessionEnd::Stopped).await.map(|_| ()));
        }
        done.map(|()| reload)
    }

    /// Runs what reads files on a thread that nobody else waits for.
    async fn aside<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> Result<T, EngineError> {
        let engine = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&engine)).await;
        done.map_err(|error| EngineError::Refused(format!("the files could not be looked at: {error}")))
    }

    /// Looks at the rules of every project somebody works in: what changed, and the sessions that may not go on.
    fn refresh_projects(&self) -> (Vec<Reload>, Vec<SessionId>) {
        let sessions = self.0.sessions.all();
        let (mut changes, mut over) = (Vec::new(), Vec::new());
        for live in &sessions {
            match self.0.policies.project(Path::new(&live.session.cwd)) {
                Ok(look) => {
                    live.project.store(Arc::new(look.sets));
                    changes.push(look.reload);
                }
                // A project may only forbid, and its agent can write its files: rules that load with no set in force
                // must not keep newer rules of higher layers away, nor be a way out of the project's own.
                Err(error) => {
                    tracing::error!(%error, session = %live.id(), "the project's rules do not load; the session ends");
                    live.ended().cancel();
                    over.push(live.id().clone());
                }
            }
        }
        self.0.policies.keep_projects(|cwd| sessions.iter().any(|live| Path::new(&live.session.cwd) == cwd));
        (changes, over)
    }

    /// A human agrees that a project's rules became weaker: only those that are there now bind. Gives the names of the others.
    ///
    /// # Errors
    /// When what is there or binds beyond it is not what the revision stands for, a human is to be proven first, or it cannot
    /// be recorded; then the rules that went away go on binding.
    pub async fn acknowledge_project(
        &self,
        cwd: &Path,
        revision: &str,
        person: &Person,
    ) -> Result<Vec<String>, EngineError> {
        let gone = self.0.policies.beyond_disk(cwd, revision)?;
        self.proven("agreeing to weaker rules", Change::Acknowledge.weight(), person).await?;
        let by = &person.name;
        let what = format!("weaker rules of `{}` acknowledged by {by} (revision {revision})", cwd.display());
        let event = EventBody::PolicyChanged { what, text: gone.join(", ") };
        self.0.store.append(vec![Draft::engine(event)]).await?;
        self.0.policies.let_go(cwd, revision)?;
        self.aside(|engine| _ = engine.refresh_projects()).await?;
        Ok(gone)
    }

    /// Opens a session for an agent: token, secrets, project rules. The mouth adds the CA.
    ///
    /// # Errors
    /// When everything is stopped, the project's rules do not load, or the opening cannot be recorded.
    pub async fn open_session(&self, mut open: OpenSession) -> Result<(Arc<LiveSession>, Secret), EngineError> {
        if self.0.protection.stopped() {
            return Err(EngineError::Refused("everything is stopped: `reeve resume` first".to_owned()));
        }
        open.team = open.team.or_else(|| self.0.settings.team_of(&open.agent));
        let cwd = PathBuf::from(&open.cwd);
        let project = self.aside(move |engine| engine.0.policies.project(&cwd)).await??;
        // Those who work there already go on with the last good rules; nobody new begins on rules that are not the
        // project's own any more.
        if let Some(problem) = project.problem {
            return Err(EngineError::Policy(problem));
        }
        let held = self.0.credentials.hold_for(&open.agent).await;
        self.0.sessions.open(open, held, project.sets, self.now()).await
    }

    /// Ends a session: its streams are cut and its questions withdrawn.
    ///
    /// # Errors
    /// When it cannot be recorded; it is ended all the same.
    pub async fn end_session(&self, id: &SessionId, because: SessionEnd) -> Result<bool, EngineError> {
        let ended = self.0.sessions.end(id, because).await;
        self.0.raises.forget(id);
        self.0.loops.forget(id);
        self.0.approvals.withdraw(id, self.now()).await?;
        ended
    }

    /// Ends every session and denies everything until `resume`.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn stop_all(&self) -> Result<(), EngineError> {
        // Everything is cut first; what cannot be recorded is told afterwards.
        for live in self.0.sessions.all() {
            live.ended().cancel();
        }
        let sessions = u32::try_from(self.0.sessions.all().len()).unwrap_or(u32::MAX);
        let mut told = self.0.protection.stop(Stop { at: self.now(), sessions }).await;
        for live in self.0.sessions.all() {
            let ended = self.end_session(live.id(), SessionEnd::Stopped).await;
            told = told.and(ended.map(|_| ()));
        }
        told
    }

    /// Ends both a stop and a pause: what passed meanwhile and is denied again is cut.
    ///
    /// # Errors
    /// When it cannot be recorded; then nothing changed.
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.0.protection.resume().await?;
        self.0.gate.recheck();
        Ok(())
    }

    /// Changes `config.toml`, and what it says, at once: written, recorded, then in force. What loosens needs proof of a human.
    ///
    /// # Errors
    /// When the file does not load as it is or with the change, the policies do not load with the new preset, a human is to be
    /// proven first, or it cannot be written or recorded. Then nothing changed.
    pub async fn change_settings(&self, file: &Path, edit: &SettingsEdit, person: &Person) -> Result<(), EngineError> {
        // Tried first: nobody is asked for what cannot be done.
        edit.prepare(file)?;
        let candidate = edit.preset.map(|preset| self.0.policies.try_preset(preset)).transpose()?;
        self.proven_for_settings(edit, candidate, person).await?;
        // What was written into the file meanwhile stays.
        let written = edit.prepare(file)?;
        written.write()?;
        if let Err(error) = self.record_settings(edit).await {
            if let Err(stays) = written.take_back() {
                tracing::error!(error = %stays, "a change of the settings was not recorded, and stays in the file");
            }
            return Err(error);
        }
        if let Some(notifications) = edit.notifications {
            self.0.notifications.store(Arc::new(notifications));
        }
        let done = edit.preset.map_or(Ok(()), |preset| self.0.policies.set_preset(preset));
        self.0.gate.recheck();
        done
    }

    /// Asks once, for the gravest of what loosens.
    async fn proven_for_settings(
        &self,
        edit: &SettingsEdit,
        candidate: Option<Arc<reeve_policy::PolicySet>>,
        person: &Person,
    ) -> Result<(), EngineError> {
        let before = self.0.protection.configured();
        let observe = edit.mode.and_then(|after| Change::Mode { before, after }.weight());
        if observe.is_some() {
            return self.proven("only observing", observe, person).await;
        }
        let (Some(after), Some(candidate)) = (edit.preset, candidate) else {
            return self.proven("changing the settings", None, person).await;
        };
        let weight = Change::Preset { before: self.0.policies.preset(), after }.weight();
        self.proven_for_rules("starting from a weaker policy", weight, candidate, person).await
    }

    /// All that changes, in one step of the record; the mode is in force with it.
    async fn record_settings(&self, edit: &SettingsEdit) -> Result<(), EngineError> {
        let preset = edit.preset.map(|preset| format!("preset {}", preset.as_str()));
        let notifications = edit.notifications.map(|_| "notifications".to_owned());
        let what = preset.into_iter().chain(notifications);
        let events: Vec<Draft> = what.map(|what| Draft::engine(EventBody::ModeChanged { what })).collect();
        match edit.mode {
            Some(mode) => self.0.protection.set_mode(mode, events, self.now()).await,
            None if events.is_empty() => Ok(()),
            None => Ok(self.0.store.append(events).await.map(|_| ())?),
        }
    }

    /// Which notifications the desktop shows.
    #[must_use]
    pub fn notifications(&self) -> Notifications {
        **self.0.notifications.load()
    }

    /// Live sessions hold secrets: after a change of a credential they hold the new state.
    pub async fn refresh_secrets(&self) {
        for live in self.0.sessions.all() {
            let held = self.0.credentials.hold_for(&live.session.agent).await;
            live.hold(held);
        }
    }

    /// Placeholders of this agent's credentials by the variable that carries each.
    #[must_use]
    pub fn placeholders(&self, live: &LiveSession) -> Vec<(String, String)> {
        let held = live.held.load();
        let pairs =
            held.credentials.iter().flat_map(|c| c.variables.iter().map(|v| (v.clone(), c.placeholder.clone())));
        pairs.collect()
    }

    /// Ends all sessions, records the stop, and lets the writer finish.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn shutdown(&self, why: &str) -> Result<(), EngineError> {
        self.0.shutdown.cancel();
        for live in self.0.sessions.all() {
            self.end_session(live.id(), SessionEnd::EngineStopped).await?;
        }
        // What was cut is settled by its mouth; the sweep of the next start would charge it whole.
        let patience = tokio::time::Instant::now() + Duration::from_secs(2);
        while self.0.gate.running() > 0 && tokio::time::Instant::now() < patience {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.0.owed.pay_now().await?;
        self.0.agents.pay().await?;
        self.0.gate.record_counted(true).await?;
        self.0.store.append(vec![Draft::engine(EventBody::EngineStopped { why: why.to_owned() })]).await?;
        // What the keychain misses is in the mirror; a keychain that waits for a human keeps no engine from stopping.
        let _ = tokio::time::timeout(LAST_WITNESS, self.0.witness.write_newest()).await;
        Ok(())
    }

    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    #[must_use]
    pub fn is_demo(&self) -> bool {
        self.0.demo
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// What proves the record.
    #[must_use]
    pub fn witness(&self) -> &Witness {
        &self.0.witness
    }

    /// What decides how long the record is kept.
    #[must_use]
    pub fn keeper(&self) -> &Keeper {
        &self.0.keeper
    }

    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.0.vault
    }

    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// MCP servers and their tools.
    #[must_use]
    pub fn servers(&self) -> &Arc<Servers> {
        &self.0.servers
    }

    #[must_use]
    pub fn agents(&self) -> &Agents {
        &self.0.agents
    }

    #[must_use]
    pub fn policies(&self) -> &Policies {
        &self.0.policies
    }

    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.0.grants
    }

    #[must_use]
    pub fn approvals(&self) -> &Approvals {
        &self.0.approvals
    }

    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    #[must_use]
    pub fn prices(&self) -> &Prices {
        &self.0.prices
    }

    pub(crate) fn tidy(&self) -> &tidy::Found {
        &self.0.tidy
    }

    /// What is left alone for a while because it failed again and again.
    #[must_use]
    pub fn breakers(&self) -> &Breakers {
        &self.0.breakers
    }

    /// Calls that are to have their effect once.
    #[must_use]
    pub fn idempotency(&self) -> &Idempotency {
        &self.0.idempotency
    }

    #[must_use]
    pub fn protection(&self) -> &ProtectionState {
        &self.0.protection
    }

    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.0.presence
    }

    pub(crate) fn raises(&self) -> &Raises {
        &self.0.raises
    }

    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// Cancelled when the engine ends.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.0.shutdown
    }
}

/// What the record says of a start.
fn begun(swept: u64, policies: &Policies) -> Vec<Draft> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let begun = std::iter::once(EventBody::EngineStarted { version, swept });
    begun.chain(policies.waits()).map(Draft::engine).collect()
}

/// What the record says of a look at the files.
fn told(reload: Reload) -> Option<EventBody> {
    match reload {
        Reload::Unchanged => None,
        Reload::Loaded { revision, files } => Some(EventBody::PolicyReloaded { revision, files }),
        Reload::Rejected { problem } => Some(EventBody::PolicyRejected { problem }),
        Reload::Waiting { problem } => Some(EventBody::PolicyWaiting { problem }),
    }
}
