//! The composition root and the engine's process: builds vault, engine and proxy, and answers on the socket.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reeve_domain::clock::{Clock, SystemClock};
use reeve_domain::sensitive::Secret;
use reeve_domain::session::SessionEnd;
use reeve_engine::branch::Branches;
use reeve_engine::presence::system::SystemMethod;
use reeve_engine::settings::{SecretsStore, Settings};
use reeve_engine::{Engine, EngineOptions};
use reeve_mcp::Gateway;
use reeve_mcp::http::Endpoint;
use reeve_proxy::tools::ToolMouth;
use reeve_proxy::{Proxy, ProxyOptions};
use reeve_vault::Vault;

use crate::endpoint::Behind;
use crate::home::Home;
use crate::lease::Lease;
use crate::tools::Mouth;

/// Why the engine's process cannot run.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("could not prepare `{path}`: {source}")]
    Home { path: PathBuf, source: std::io::Error },
    #[error("another engine runs for this profile already")]
    Taken,
    #[error("could not listen on `{path}`: {source}")]
    Socket { path: PathBuf, source: std::io::Error },
    #[error("{0}")]
    Engine(#[from] reeve_engine::EngineError),
    #[error("{problem}; nothing runs governed until secrets can be kept: {advice}")]
    Vault { problem: String, advice: String },
    #[error("the proxy cannot run: {0}")]
    Proxy(#[from] reeve_proxy::ProxyError),
    #[error(transparent)]
    Endpoint(#[from] reeve_mcp::http::EndpointError),
}

/// What to run.
#[derive(Debug, Default)]
pub struct HostOptions {
    /// Instead of the one that `config.toml` names; the demo's and the tests' memory.
    pub vault: Option<Vault>,
    /// Opens the encrypted file, where `config.toml` says `secrets = "file"`.
    pub passphrase: Option<Secret>,
    pub demo: bool,
    /// Instead of the machine's own; a recording's stands still.
    pub clock: Option<Arc<dyn Clock>>,
    /// End by itself after this long without client and session.
    pub idle_exit: Option<Duration>,
    /// The system's method of proving a human, where one is used: see [`system_method`].
    pub system: Option<Arc<dyn SystemMethod>>,
}

/// This system's method of proving a human, where Reeve knows one.
#[must_use]
pub fn system_method() -> Option<Arc<dyn SystemMethod>> {
    #[cfg(target_os = "linux")]
    return Some(Arc::new(crate::polkit::Polkit::of_system()));
    #[cfg(not(target_os = "linux"))]
    None
}

/// A running engine with its mouth and its socket.
pub struct Host {
    pub(crate) home: Home,
    pub(crate) engine: Engine,
    pub(crate) proxy: Proxy,
    pub(crate) mcp: Gateway,
    pub(crate) endpoint: Endpoint,
    pub(crate) chain: crate::commands::audit::ChainWatch,
    pub(crate) views: crate::views::Views,
    pub(crate) branches: Branches,
    pub(crate) clients: AtomicUsize,
    idle_exit: Option<Duration>,
    _lease: Lease,
}

impl Host {
    /// Takes the profile's lease and builds everything.
    ///
    /// # Errors
    /// When another engine holds the profile, or any part does not come up; then nothing runs.
    pub async fn start(home: Home, options: HostOptions) -> Result<Arc<Self>, HostError> {
        home.create().map_err(|source| HostError::Home { path: home.data.clone(), source })?;
        harden();
        let lease = Lease::take(&home)
            .map_err(|source| HostError::Home { path: home.lock_file(), source })?
            .ok_or(HostError::Taken)?;
        let settings = Settings::load(&home.config_file())?;
        let vault = match options.vault {
            Some(vault) => vault,
            None => open_vault(&home, settings.secrets, options.passphrase).await?,
        };
        let clock = options.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let engine = Engine::start(EngineOptions {
            config: home.config.clone(),
            managed: home.managed.clone(),
            database: home.database(),
            mirror: home.mirror(),
            public_key: home.public_key(),
            settings,
            vault,
            clock,
            demo: options.demo,
            system: options.system,
        })
        .await?;
        let proxy = Proxy::start(engine.clone(), ProxyOptions::default()).await?;
        let mcp = Gateway::new(engine.clone());
        let mouth = Arc::new(Mouth { gateway: mcp.clone(), endpoint: OnceLock::new() });
        proxy.govern_tools(Arc::clone(&mouth) as Arc<dyn ToolMouth>);
        let behind =
            Behind { home: home.clone(), engine: engine.clone(), proxy: proxy.clone(), failed: Arc::default() };
        let endpoint = Endpoint::start(engine.clone(), mcp.clone(), Arc::new(behind)).await?;
        // Nobody else sets it.
        let _ = mouth.endpoint.set(endpoint.downgrade());
        Ok(Arc::new(Self {
            home,
            mcp,
            endpoint,
            engine,
            proxy,
            chain: crate::commands::audit::ChainWatch::default(),
            views: crate::views::Views::default(),
            branches: Branches::default(),
            clients: AtomicUsize::new(0),
            idle_exit: options.idle_exit,
            _lease: lease,
        }))
    }

    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Answers on the socket until the engine is told to stop, is idle for too long, or the process is told to end.
    ///
    /// # Errors
    /// When the socket cannot be bound, or the stop cannot be recorded.
    pub async fn serve(self: Arc<Self>) -> Result<(), HostError> {
        let path = self.home.socket();
        let listener = crate::transport::local_socket::listen(&path)
            .map_err(|source| HostError::Socket { path: path.clone(), source })?;
        let why = tokio::select! {
            () = crate::connection::accept_all(Arc::clone(&self), listener) => "socket closed",
            () = crate::commands::audit::watch(&self) => "watch ended",
            () = self.engine.stopping().cancelled() => "asked to",
            () = self.idle() => "idle",
            () = told_to_end() => "signal",
        };
        self.stop(why).await
    }

    /// Ends every session and records the stop.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn stop(&self, why: &str) -> Result<(), HostError> {
        self.engine.shutdown(why).await?;
        let _ = std::fs::remove_file(self.home.socket());
        Ok(())
    }

    async fn idle(&self) {
        let Some(limit) = self.idle_exit else { return std::future::pending().await };
        let mut quiet = Duration::ZERO;
        let step = Duration::from_secs(1).min(limit);
        while quiet < limit {
            tokio::time::sleep(step).await;
            let busy = !self.engine.sessions().all().is_empty() || self.clients.load(Ordering::Relaxed) > 0;
            quiet = if busy { Duration::ZERO } else { quiet + step };
        }
    }

    /// Ends a session and removes what was laid out for it.
    pub(crate) async fn end_session(
        &self,
        id: &reeve_domain::id::SessionId,
        because: SessionEnd,
    ) -> Result<bool, reeve_engine::EngineError> {
        let ended = self.engine.end_session(id, because).await;
        let live: Vec<_> = self.engine.sessions().all().iter().map(|s| s.id().clone()).collect();
        if let Err(error) = reeve_sandbox::trust::sweep(&self.home.bundles(), &live) {
            tracing::warn!(%error, "could not remove a trust bundle");
        }
        ended
    }
}

/// Whether this profile keeps its secrets in a file that a passphrase opens.
///
/// # Errors
/// When `config.toml` does not load.
pub fn uses_passphrase(home: &Home) -> Result<bool, crate::contract::ApiError> {
    Ok(Settings::load(&home.config_file())?.secrets == SecretsStore::File)
}

async fn open_vault(home: &Home, store: SecretsStore, passphrase: Option<Secret>) -> Result<Vault, HostError> {
    let failed = |problem: reeve_vault::VaultError| HostError::Vault {
        advice: problem.advice().to_owned(),
        problem: problem.to_string(),
    };
    match store {
        SecretsStore::Memory => Ok(Vault::memory()),
        SecretsStore::Keychain => {
            let vault = Vault::keychain(&home.profile).map_err(failed)?;
            vault.probe().await.into_result().map_err(failed)?;
            Ok(vault)
        }
        SecretsStore::File => {
            let Some(passphrase) = passphrase else {
                return Err(HostError::Vault {
                    problem: "the secrets file is locked".to_owned(),
                    advice: "start it from a terminal, which asks for the passphrase: `reeve status`".to_owned(),
                });
            };
            let path = home.secrets_file();
            let opened = if path.exists() {
                Vault::open_file(&path, passphrase).await
            } else {
                Vault::create_file(&path, passphrase).await
            };
            opened.map_err(failed)
        }
    }
}

/// No core dumps and no reading of this process's memory by others of the same user; as many connections as the
/// system grants, because each stream takes two descriptors and the usual soft limit is 1,024.
fn harden() {
    #[cfg(target_os = "linux")]
    {
        if let Err(error) = nix::sys::prctl::set_dumpable(false) {
            tracing::warn!(%error, "could not make the process undumpable");
        }
    }
    #[cfg(unix)]
    if let Err(error) = nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!(%error, "could not switch core dumps off");
    }
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};
        let raised =
            getrlimit(Resource::RLIMIT_NOFILE).and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
        if let Err(error) = raised {
            tracing::warn!(%error, "could not raise the limit of open files");
        }
    }
}

async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        let _ = tokio::signal::ctrl_c().await;
    }
}
