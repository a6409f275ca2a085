//! A running engine and proxy in a folder of their own, and what they recorded.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use reeve_domain::clock::SystemClock;
use reeve_domain::credential::{Binding, Credential, Place, Slot};
use reeve_domain::event::{Event, EventBody};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, CredentialId};
use reeve_domain::outcome::Outcome;
use reeve_domain::sensitive::Secret;
use reeve_domain::session::Opener;
use reeve_domain::settings::Mode;
use reeve_engine::settings::{Settings, Upstream as UpstreamSettings};
use reeve_engine::{Engine, EngineOptions, LiveSession, OpenSession};
use reeve_proxy::{Proxy, ProxyOptions};
use reeve_vault::Vault;
use tokio::sync::broadcast;

use crate::upstream::Upstream;

/// Everything is permitted.
pub const PERMIT_ALL: &str = "@id(\"all\") @reason(\"tests\") permit(principal, action, resource);\n";

pub struct World {
    pub engine: Engine,
    pub proxy: Proxy,
    pub session: Arc<LiveSession>,
    pub token: String,
    pub ca: String,
    events: Mutex<(broadcast::Receiver<Arc<Vec<Event>>>, Vec<Event>)>,
    pub folder: tempfile::TempDir,
}

impl World {
    /// `names`: authorities that lead to the upstream. Rules are recorded and not enforced.
    pub async fn start(names: &[&str], upstream: &Upstream) -> Self {
        Self::with(names, upstream, Mode::Observe, PERMIT_ALL, None).await
    }

    /// As [`World::start`], with a proxy that upstream connections go through.
    pub async fn through(proxy: &str, upstream: &Upstream) -> Self {
        Self::build(&[], upstream, Mode::Observe, PERMIT_ALL, None, Some(proxy.to_owned())).await
    }

    /// As [`World::start`], with one name that leads to an upstream of the test's own, under its root.
    pub async fn over(name: &str, address: SocketAddr, root: &str) -> Self {
        Self::leading(&[name], (address, root), Mode::Observe, PERMIT_ALL, None, None).await
    }

    pub async fn with(
        names: &[&str],
        upstream: &Upstream,
        mode: Mode,
        policy: &str,
        credential: Option<(Credential, &str)>,
    ) -> Self {
        Self::build(names, upstream, mode, policy, credential, None).await
    }

    async fn build(
        names: &[&str],
        upstream: &Upstream,
        mode: Mode,
        policy: &str,
        credential: Option<(Credential, &str)>,
        proxy: Option<String>,
    ) -> Self {
        Self::leading(names, (upstream.address, &upstream.root), mode, policy, credential, proxy).await
    }

    async fn leading(
        names: &[&str],
        (address, root_pem): (SocketAddr, &str),
        mode: Mode,
        policy: &str,
        credential: Option<(Credential, &str)>,
        proxy: Option<String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policies = folder.path().join("config/policies");
        std::fs::create_dir_all(&policies).unwrap();
        std::fs::write(policies.join("mine.cedar"), policy).unwrap();
        let root = folder.path().join("root.pem");
        std::fs::write(&root, root_pem).unwrap();
        let resolve = names.iter().map(|name| ((*name).to_owned(), address)).collect();
        let settings = Settings {
            mode,
            upstream: UpstreamSettings { resolve, extra_roots: vec![root], proxy },
            ..Settings::default()
        };
        let engine = Engine::start(EngineOptions {
            config: folder.path().join("config"),
            managed: None,
            database: folder.path().join("reeve.db"),
            mirror: folder.path().join("heads"),
            public_key: folder.path().join("key.pub"),
            settings,
            vault: Vault::memory(),
            clock: Arc::new(SystemClock::new()),
            demo: false,
            system: None,
        })
        .await
        .unwrap();
        let events = engine.store().subscribe();
        if let Some((credential, secret)) = credential {
            engine.credentials().add(credential, Secret::from(secret.to_owned())).await.unwrap();
        }
        let (session, token) = engine.open_session(open(folder.path())).await.unwrap();
        let proxy = Proxy::start(engine.clone(), ProxyOptions::default()).await.unwrap();
        let ca = proxy.open(&session).unwrap();
        let token = String::from_utf8(token.expose().to_vec()).unwrap();
        Self { engine, proxy, session, token, ca, events: Mutex::new((events, Vec::new())), folder }
    }

    /// The same with a session that works under a file of rules in its folder.
    pub async fn under(mut self, file: &str, text: &str) -> Self {
        let rules = self.folder.path().join(".reeve/policies");
        std::fs::create_dir_all(&rules).unwrap();
        std::fs::write(rules.join(file), text).unwrap();
        let (session, token) = self.engine.open_session(open(self.folder.path())).await.unwrap();
        self.ca = self.proxy.open(&session).unwrap();
        self.token = String::from_utf8(token.expose().to_vec()).unwrap();
        self.session = session;
        self
    }

    /// From now on under these limits of the person's own.
    pub async fn limit(&self, text: &str) {
        std::fs::write(self.folder.path().join("config/limits.yaml"), text).unwrap();
        self.engine.reload().await.unwrap();
    }

    pub fn address(&self) -> SocketAddr {
        self.proxy.address()
    }

    /// Another session, lent by this process as `reeve env` does; and its token.
    pub async fn open_as(&self, opener: Opener) -> (Arc<LiveSession>, String) {
        let open = OpenSession { opener: Some(opener), ..open(self.folder.path()) };
        let (session, token) = self.engine.open_session(open).await.unwrap();
        (session, String::from_utf8(token.expose().to_vec()).unwrap())
    }

    /// What was recorded so far.
    pub fn events(&self) -> Vec<EventBody> {
        let (receiver, events) = &mut *self.events.lock();
        while let Ok(batch) = receiver.try_recv() {
            events.extend(batch.iter().cloned());
        }
        events.iter().map(|event| event.body.clone()).collect()
    }

    /// Waits for an event that fits.
    pub async fn event<T>(&self, find: impl Fn(&EventBody) -> Option<T>) -> T {
        for _ in 0..3000 {
            if let Some(found) = self.events().iter().find_map(&find) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no such event among {:#?}", self.events());
    }

    /// When the first event that fits was recorded.
    pub async fn moment(&self, fits: impl Fn(&EventBody) -> bool) -> DateTime<Utc> {
        self.event(|event| fits(event).then_some(())).await;
        let (_, events) = &*self.events.lock();
        events.iter().find(|event| fits(&event.body)).unwrap().at
    }

    pub async fn outcome(&self) -> Outcome {
        self.event(|event| match event {
            EventBody::OperationSettled { outcome, .. } => Some(outcome.clone()),
            _ => None,
        })
        .await
    }

    pub async fn refused(&self) -> String {
        self.event(|event| match event {
            EventBody::ConnectionRefused { why, .. } => Some(why.clone()),
            _ => None,
        })
        .await
    }
}

fn open(folder: &std::path::Path) -> OpenSession {
    OpenSession {
        agent: AgentId::parse("tester").unwrap(),
        user: "dana".to_owned(),
        team: None,
        cwd: folder.display().to_string(),
        command: vec!["test".to_owned()],
        mode: None,
        wraps: None,
        holder: None,
        opener: None,
        expires_at: None,
    }
}

pub const PLACEHOLDER: &str = "sk-reeve-placeholder-0001";
pub const SECRET: &str = "sk-live-4242424242424242";

/// A credential for one host.
pub fn credential(host: &str, slot: Slot) -> (Credential, &'static str) {
    let credential = Credential {
        id: CredentialId::parse("acme").unwrap(),
        name: "Acme".to_owned(),
        placeholder: PLACEHOLDER.to_owned(),
        variables: vec!["ACME_KEY".to_owned()],
        bindings: vec![Binding {
            agents: Vec::new(),
            place: Place { host: Host::parse(host).unwrap(), port: 443, methods: Vec::new(), path: None },
            slot,
        }],
        added_at: chrono::Utc::now(),
        rotated_at: None,
        rotate_days: None,
    };
    (credential, SECRET)
}
