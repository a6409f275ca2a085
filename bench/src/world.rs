//! One engine under load: a process of its own on a processor of its own, in a throw-away profile, and the two ways to the
//! upstream.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reeve_api::Surface;
use reeve_api::client::Client;
use reeve_api::contract::calls::{CredentialsCall, SessionsCall};
use reeve_api::contract::credentials::{AddCredentialInput, CredentialDto, TypedSecret};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::home::Home;
use reeve_api::host::{Host, HostOptions};
use reeve_vault::Vault;

use crate::client::Target;
use crate::machine::{on_processor, runtime};
use crate::proxy::Level;
use crate::upstream::Upstream;

pub const MODEL_HOST: &str = "api.anthropic.com";
pub const PLAIN_HOST: &str = "bench.example.com";
/// Names that nobody asked for before.
pub const NEW_NAMES: u32 = 24;

/// The word on the command line that makes this program the engine.
pub const ENGINE: &str = "engine";

/// Is the engine until it is killed.
pub fn engine(folder: &Path) -> anyhow::Result<()> {
    let home = Home::under(folder);
    on_processor(1, move || {
        runtime()?.block_on(async {
            let options = HostOptions { vault: Some(Vault::memory()), ..HostOptions::default() };
            Ok(Host::start(home, options).await?.serve().await?)
        })
    })?
}

pub fn new_name(n: u32) -> String {
    format!("n{n}.{PLAIN_HOST}")
}

pub struct World {
    engine: Child,
    _folder: tempfile::TempDir,
    /// The session ends with it.
    opener: Option<Client>,
    /// From the start of the process until it answers.
    pub ready: Duration,
    /// Bytes that the engine holds before the first request.
    pub at_rest: Option<u64>,
    pub direct: Target,
    pub through: Target,
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.engine.kill();
        let _ = self.engine.wait();
    }
}

impl World {
    pub async fn start(level: Level, upstream: &Upstream) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let home = Home::under(folder.path());
        home.create()?;
        write_profile(&home, upstream, level)?;
        let begun = Instant::now();
        let program = std::env::current_exe()?;
        let engine = Command::new(program).arg(ENGINE).arg(folder.path()).stdout(Stdio::null()).spawn()?;
        let host = if level.is_llm() { MODEL_HOST } else { PLAIN_HOST };
        let direct = Target {
            host: host.to_owned(),
            address: upstream.address,
            token: None,
            roots: upstream.root_pem.clone(),
            key: "own-login".to_owned(),
        };
        let through = direct.clone();
        let ready = Duration::ZERO;
        let mut world = Self { engine, _folder: folder, opener: None, ready, at_rest: None, direct, through };
        let client = connect(&home).await?;
        world.ready = begun.elapsed();
        if level == Level::Inject {
            world.through.key = credential(&client).await?;
        }
        let input = OpenSessionInput {
            agent: Some("agent-1".to_owned()),
            cwd: "/".to_owned(),
            command: vec!["bench".to_owned()],
            mode: None,
            hours: None,
        };
        let opened: OpenedSessionDto = client.call(&SessionsCall::Open(input)).await?;
        world.through.address = opened.proxy.parse()?;
        world.through.token = Some(opened.token.0.clone());
        world.through.roots.clone_from(&opened.ca);
        world.opener = Some(client);
        tokio::time::sleep(Duration::from_secs(1)).await;
        world.at_rest = world.memory();
        Ok(world)
    }

    /// Bytes of memory that the engine holds now, where the system tells.
    pub fn memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.engine.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
    }
}

fn write_profile(home: &Home, upstream: &Upstream, level: Level) -> anyhow::Result<()> {
    let root = home.config.join("root.pem");
    std::fs::write(&root, &upstream.root_pem)?;
    let names = [MODEL_HOST.to_owned(), PLAIN_HOST.to_owned()].into_iter().chain((0..NEW_NAMES).map(new_name));
    let resolve: Vec<_> = names.map(|name| format!("\"{name}:443\" = \"{}\"", upstream.address)).collect();
    std::fs::write(
        home.config_file(),
        format!(
            "secrets = \"memory\"\n[upstream]\nresolve = {{ {} }}\nextra_roots = [\"{}\"]\n",
            resolve.join(", "),
            root.display()
        ),
    )?;
    let permit = format!(
        "@id(\"bench\")\n@reason(\"the bench's own host\")\n@lifts(\"ask-first-write\")\npermit (principal, action == Action::\"http.request\", resource == Host::\"{PLAIN_HOST}\");\n"
    );
    std::fs::write(home.config.join("policies").join("standing.cedar"), permit)?;
    if level != Level::Forward {
        std::fs::write(home.config.join("policies").join("many.cedar"), crate::policy::text(1000))?;
    }
    if level.is_llm() {
        std::fs::write(
            home.config.join("limits.yaml"),
            "budgets:\n  - id: bench\n    scope: me\n    window: day\n    max_cost: 100000\n",
        )?;
    }
    Ok(())
}

pub async fn connect(home: &Home) -> anyhow::Result<Client> {
    for _ in 0..10_000 {
        if let Ok(client) = Client::connect(home, Surface::Cli).await {
            return Ok(client);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    anyhow::bail!("the engine did not come up")
}

async fn credential(client: &Client) -> anyhow::Result<String> {
    let input = AddCredentialInput {
        id: "anthropic".to_owned(),
        secret: TypedSecret("sk-bench-0123456789abcdef0123456789".to_owned()),
        kind: Some("anthropic".to_owned()),
        name: None,
        variables: Vec::new(),
        binding: None,
        agents: Vec::new(),
    };
    let all: Vec<CredentialDto> = client.call(&CredentialsCall::Add(input)).await?;
    Ok(all.first().map(|c| c.placeholder.clone()).unwrap_or_default())
}
