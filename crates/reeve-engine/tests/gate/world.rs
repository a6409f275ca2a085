//! An engine in a temporary folder with secrets in memory and a clock that stands still until it is moved.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone as _, Utc};
use reeve_domain::approval::{Approval, Resolution, Surface};
use reeve_domain::budget::{Balance, Window};
use reeve_domain::clock::{Clock as _, ManualClock};
use reeve_domain::event::Event;
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId};
use reeve_domain::operation::{Billing, Dialect, Digest, Endpoint, HttpCall, LlmCall, Operation, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::sensitive::Secret;
use reeve_engine::approvals::ARMING;
use reeve_engine::decide::Answering;
use reeve_engine::presence::Person;
use reeve_engine::presence::system::SystemMethod;
use reeve_engine::settings::Settings;
use reeve_engine::{Engine, EngineError, EngineOptions, Gate, LiveSession, OpenSession, Ruling};
use reeve_vault::Vault;

/// The person on this machine, with what they typed as their passphrase.
pub fn dana(typed: Option<&str>) -> Person {
    let proof = typed.map(|text| Secret::from(text.to_owned()));
    Person { name: "dana".to_owned(), surface: Surface::MainWindow, proof }
}

pub struct World {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    vault: Vault,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::configured("", &[]).await
    }

    pub async fn with(file: &str, text: &str) -> Self {
        Self::configured("", &[(file, text)]).await
    }

    pub async fn configured(config: &str, files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("policies")).unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let clock = Arc::new(ManualClock::new(Utc.with_ymd_and_hms(2026, 11, 20, 14, 3, 0).unwrap()));
        let vault = Vault::memory();
        let engine = start(folder.path(), &clock, &vault, None).await;
        Self { engine, clock, vault, folder }
    }

    /// Another engine over the same folder, when the one before has ended; the system may ask for it.
    pub async fn restarted(self, system: Option<Arc<dyn SystemMethod>>) -> Self {
        let Self { engine, clock, vault, folder } = self;
        engine.shutdown("a test").await.unwrap();
        drop(engine);
        let engine = start(folder.path(), &clock, &vault, system).await;
        Self { engine, clock, vault, folder }
    }

    /// A file of its folder.
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub fn gate(&self) -> &Gate {
        self.engine.gate()
    }

    pub async fn session(&self, agent: &str) -> Arc<LiveSession> {
        self.try_session(agent).await.unwrap().0
    }

    pub async fn try_session(&self, agent: &str) -> Result<(Arc<LiveSession>, Secret), EngineError> {
        self.open(agent, Path::new("/tmp")).await
    }

    pub async fn session_in(&self, agent: &str, cwd: &Path) -> Arc<LiveSession> {
        self.open(agent, cwd).await.unwrap().0
    }

    async fn open(&self, agent: &str, cwd: &Path) -> Result<(Arc<LiveSession>, Secret), EngineError> {
        self.engine
            .open_session(OpenSession {
                agent: AgentId::parse(agent).unwrap(),
                user: "dana".to_owned(),
                team: None,
                cwd: cwd.display().to_string(),
                command: vec![agent.to_owned()],
                mode: None,
                wraps: None,
                holder: None,
                opener: None,
                expires_at: None,
            })
            .await
    }

    pub fn http(&self, live: &LiveSession, method: &str, host: &str, path: &str) -> Operation {
        let endpoint = endpoint(method, host, path);
        let summary = format!("{method} {host}{path}");
        let call = HttpCall::to(endpoint);
        self.operation(live, Subject::Http(call), &summary)
    }

    pub fn llm(&self, live: &LiveSession, words: &str, output_limit: u64) -> Operation {
        self.llm_of(live, "claude-sonnet-5", words, output_limit)
    }

    pub fn llm_of(&self, live: &LiveSession, model: &str, words: &str, output_limit: u64) -> Operation {
        let call = LlmCall {
            endpoint: endpoint("POST", "api.anthropic.com", "/v1/messages"),
            dialect: Dialect::AnthropicMessages,
            provider: "anthropic".to_owned(),
            model: model.to_owned(),
            stream: true,
            input_bound: 1000,
            cache_write_bound: 0,
            cache_one_hour: false,
            output_limit: Some(output_limit),
            candidates: 1,
            question: None,
            stage: None,
            thinking_budget: None,
            tools_offered: Vec::new(),
            server_tools: Vec::new(),
            service_tier: None,
            multipliers: Vec::new(),
            billing: Billing::Metered,
            body_bytes: 100,
        };
        self.operation(live, Subject::Llm(call), &format!("{model} {words}"))
    }

    pub fn operation(&self, live: &LiveSession, subject: Subject, summary: &str) -> Operation {
        Operation {
            id: OperationId::new(),
            at: self.clock.now(),
            principal: live.principal(),
            content: Digest::of(summary.as_bytes()),
            subject,
            summary: summary.to_owned(),
            conversation: None,
            credential: None,
            parent: None,
        }
    }

    pub fn spawn_admit(&self, operation: Operation) -> tokio::task::JoinHandle<Ruling> {
        let gate = self.gate().clone();
        tokio::spawn(async move { gate.admit(operation, serde_json::json!({ "shown": true })).await })
    }

    /// The one question that waits.
    pub async fn held(&self) -> Approval {
        self.held_joined(1).await
    }

    pub async fn held_joined(&self, joined: u32) -> Approval {
        for _ in 0..3_000 {
            let open = self.engine.store().open_approvals().await.unwrap();
            if let Some(approval) = open.into_iter().find(|a| a.joined >= joined) {
                return approval;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing is held");
    }

    pub async fn answer(&self, approval: &Approval, resolution: Resolution) -> Result<(), EngineError> {
        let ticket = self.engine.approvals().show(&approval.id)?;
        self.clock.advance(ARMING);
        self.answer_with(approval, &ticket, Surface::Cli, resolution).await
    }

    pub async fn answer_with(
        &self,
        approval: &Approval,
        ticket: &str,
        surface: Surface,
        resolution: Resolution,
    ) -> Result<(), EngineError> {
        self.engine
            .answer(Answering {
                approval: approval.id.clone(),
                ticket: ticket.to_owned(),
                resolution,
                by: "dana".to_owned(),
                surface,
                reading_ms: None,
                rule: Default::default(),
                proof: None,
            })
            .await
    }

    pub async fn events(&self, operation: &OperationId) -> Vec<Event> {
        self.engine.store().detail(operation).await.unwrap().map(|d| d.events).unwrap_or_default()
    }

    pub async fn names(&self, operation: &OperationId) -> Vec<String> {
        let events = self.events(operation).await;
        let name = |e: &Event| serde_json::to_value(&e.body).unwrap()["event"].as_str().unwrap().to_owned();
        events.iter().map(name).collect()
    }

    pub async fn until(&self, operation: &OperationId, name: &str) {
        for _ in 0..3_000 {
            if self.names(operation).await.iter().any(|n| n == name) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("`{name}` never came");
    }

    pub async fn until_problem(&self) -> String {
        for _ in 0..3_000 {
            if let Some(problem) = &self.engine.policies().in_force().problem {
                return problem.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no problem was seen");
    }

    pub async fn balance(&self, budget: &str) -> Balance {
        let in_force = self.engine.policies().in_force();
        let definition = in_force.limits.budgets().iter().find(|d| d.id.as_str() == budget).unwrap();
        assert_ne!(definition.window, Window::Call);
        let accounts = reeve_engine::budgets::concrete_accounts(definition, "dana", &[], &[], self.clock.now());
        self.engine.store().balances(accounts).await.unwrap().remove(0)
    }
}

async fn start(
    folder: &Path,
    clock: &Arc<ManualClock>,
    vault: &Vault,
    system: Option<Arc<dyn SystemMethod>>,
) -> Engine {
    Engine::start(EngineOptions {
        config: folder.to_path_buf(),
        managed: None,
        database: folder.join("reeve.db"),
        mirror: folder.join("heads.jsonl"),
        public_key: folder.join("seal.pub"),
        settings: Settings::load(&folder.join("config.toml")).unwrap(),
        vault: vault.clone(),
        clock: clock.clone(),
        demo: false,
        system,
    })
    .await
    .unwrap()
}

fn endpoint(method: &str, host: &str, path: &str) -> Endpoint {
    Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(host).unwrap(),
        port: 443,
        method: method.to_owned(),
        path: RequestPath::parse(path).unwrap(),
    }
}
