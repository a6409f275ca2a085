//! An engine process that is started, killed, stopped and started again over the same profile, before any upstream.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reeve_api::client::Client;
use reeve_api::contract::calls::SessionsCall;
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::home::Home;
use reeve_domain::approval::Surface;
use reeve_testkit::agent::Agent;
use reeve_testkit::keyring::Keyring;
use reeve_testkit::world::World;

/// Longest wait for something that should happen at once on a busy machine.
pub const SOON: Duration = Duration::from_secs(30);

/// Names that lead to the upstream.
const HOSTS: [&str; 4] = ["api.anthropic.com", "api.openai.com", "api.acme.example", "other.example"];

pub struct Machine {
    pub world: World,
    /// Where secrets outlive the process; ends with it.
    _keyring: Option<Keyring>,
    engine: Option<Child>,
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Machine {
    /// Secrets are lost with the process.
    pub fn forgetful(upstream: SocketAddr, root_pem: &str, config: &str) -> Self {
        Self::over(World::new().unwrap(), None, "memory", upstream, root_pem, config)
    }

    /// Secrets (and so the key of the seals) outlive the process in a keyring.
    pub fn lasting(upstream: SocketAddr, root_pem: &str, config: &str) -> Self {
        let mut world = World::new().unwrap();
        let keyring = Keyring::start(&mut world).unwrap();
        Self::over(world, Some(keyring), "keychain", upstream, root_pem, config)
    }

    fn over(
        world: World,
        keyring: Option<Keyring>,
        secrets: &str,
        upstream: SocketAddr,
        root_pem: &str,
        config: &str,
    ) -> Self {
        let root = world.write_config("root.pem", root_pem).unwrap();
        let resolve: Vec<String> = HOSTS.iter().map(|host| format!("\"{host}:443\" = \"{upstream}\"")).collect();
        let config = format!(
            "secrets = \"{secrets}\"\n{config}\n[upstream]\nresolve = {{ {} }}\nextra_roots = [{:?}]\n",
            resolve.join(", "),
            root.display().to_string(),
        );
        world.write_config("config.toml", &config).unwrap();
        Self { world, _keyring: keyring, engine: None }
    }

    fn home(&self) -> Home {
        Home::under(&self.world.reeve_home())
    }

    pub fn database(&self) -> PathBuf {
        self.home().database()
    }

    pub fn engine_id(&self) -> u32 {
        self.engine.as_ref().unwrap().id()
    }

    pub fn is_running(&mut self) -> bool {
        self.engine.as_mut().is_some_and(|engine| engine.try_wait().unwrap().is_none())
    }

    /// Starts the engine and connects as the person's own terminal does.
    pub async fn start(&mut self) -> Client {
        let log = std::fs::File::create(self.world.reeve_home().join("stderr")).unwrap();
        let engine = self
            .world
            .command(reeve_tests::stage::reeve().unwrap())
            .args(["serve", "--idle-exit", "600"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.engine = Some(engine);
        let begun = Instant::now();
        loop {
            if let Ok(client) = Client::connect(&self.home(), Surface::Cli).await {
                return client;
            }
            assert!(self.is_running() && begun.elapsed() < SOON, "the engine does not come up: {}", self.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A connection to an engine that somebody else started: a command of Reeve, for itself.
    pub async fn connect(&self) -> Client {
        Client::connect(&self.home(), Surface::Cli).await.unwrap()
    }

    /// What the engine complained about.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.world.reeve_home().join("stderr")).unwrap_or_default()
    }

    /// `kill -9`: nothing of it runs on.
    pub fn kill(&mut self) {
        if let Some(mut engine) = self.engine.take() {
            let _ = engine.kill();
            let _ = engine.wait();
        }
    }

    /// Asks it to end, and waits until it did.
    pub fn stop(&mut self) {
        let mut engine = self.engine.take().unwrap();
        kill(Pid::from_raw(i32::try_from(engine.id()).unwrap()), Signal::SIGTERM).unwrap();
        let begun = Instant::now();
        while engine.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < SOON, "the engine does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A command of Reeve, to its end.
    pub fn reeve(&self, arguments: &[&str]) -> Output {
        let mut command = self.world.command(reeve_tests::stage::reeve().unwrap());
        command.args(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// A session as `reeve env` opens it, and a client that uses it.
    pub async fn agent(&self, client: &Client, name: &str) -> (Agent, OpenedSessionDto) {
        let input = OpenSessionInput {
            agent: Some(name.to_owned()),
            cwd: self.world.work().display().to_string(),
            command: Vec::new(),
            mode: None,
            hours: Some(1),
        };
        let opened: OpenedSessionDto = client.call(&SessionsCall::Open(input)).await.unwrap();
        let proxy = format!("http://{name}:{}@{}", opened.token.0, opened.proxy);
        (Agent::new(&proxy, &opened.ca).unwrap(), opened)
    }
}

/// Both outputs of a command as text.
pub fn printed(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
