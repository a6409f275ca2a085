//! A stage: a world of its own with the project's provider, a real engine process, and the person who answers questions.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use reeve_api::client::Client;
use reeve_api::contract::approvals::{AnswerDto, ApprovalDto, ApprovalInput, ApprovalsPage, ResolveInput};
use reeve_api::contract::calls::{
    ApprovalsCall, AuditCall, CredentialsCall, OperationsCall, ServersCall, SessionsCall,
};
use reeve_api::contract::credentials::{AddCredentialInput, CredentialDto, NewBindingDto, TypedSecret};
use reeve_api::contract::operations::{
    OperationDetailDto, OperationInput, OperationRowDto, RowStateDto, SearchInput, SearchPage,
};
use reeve_api::contract::servers::{ApproveServerInput, ServerDetailDto, ServerInput, ShownToolDto};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::contract::status::VerificationDto;
use reeve_api::home::Home;
use reeve_demo::Provider;
use reeve_demo::script::Script;
use reeve_domain::approval::Surface;
use reeve_testkit::agent::Agent;
use reeve_testkit::world::World;
use serde_json::Value;

/// Longest wait for something that should happen at once on a busy machine.
const SOON: Duration = Duration::from_secs(20);
/// Longest life of a governed command.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);

/// Every host that the real agents or the scripts of the tests ask for: all of them are the provider, nothing leaves the
/// machine.
pub const HOSTS: [&str; 14] = [
    "api.anthropic.com",
    "api.openai.com",
    "chatgpt.com",
    "ab.chatgpt.com",
    "generativelanguage.googleapis.com",
    "play.googleapis.com",
    "models.opencode.ai",
    "api.github.com",
    "github.com",
    "raw.githubusercontent.com",
    "api.acme.example",
    "files.example",
    "other.example",
    "forbidden.example",
];

/// What is different on this stage.
#[derive(Debug, Default)]
pub struct Setting<'a> {
    pub script: Script,
    /// The person's own rules, in Cedar.
    pub policy: &'a str,
    /// `limits.yaml`; empty: none.
    pub limits: &'a str,
    /// Keys of `config.toml` before the tables, and tables of its own after them.
    pub config: &'a str,
    /// Longest life of a governed command; none: two minutes.
    pub longest: Option<Duration>,
}

/// How a governed command ended.
#[derive(Debug, Clone)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Everything it printed.
    #[must_use]
    pub fn printed(&self) -> String {
        format!("{}\n{}", self.stdout, self.stderr)
    }
}

/// Provider, engine and world of one test; all end with it.
#[derive(Debug)]
pub struct Stage {
    pub world: World,
    pub provider: Provider,
    engine: Child,
    client: Client,
    longest: Duration,
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Gone already is as good as ended.
        let _ = self.engine.kill();
        let _ = self.engine.wait();
    }
}

impl Stage {
    /// Starts provider and engine.
    ///
    /// # Errors
    /// When one of them does not come up.
    pub async fn set(setting: Setting<'_>) -> Result<Self> {
        let provider = Provider::start(setting.script).await?;
        let world = World::new()?;
        let root = world.write_config("provider.pem", &provider.root_pem())?;
        let resolve: Vec<String> =
            HOSTS.iter().map(|host| format!("\"{host}:443\" = \"{}\"", provider.addr())).collect();
        let config = format!(
            "secrets = \"memory\"\n{}\n[upstream]\nresolve = {{ {} }}\nextra_roots = [{:?}]\n",
            setting.config,
            resolve.join(", "),
            root.display().to_string(),
        );
        world.write_config("config.toml", &config)?;
        if !setting.policy.is_empty() {
            world.write_config("policies/mine.cedar", setting.policy)?;
        }
        if !setting.limits.is_empty() {
            world.write_config("limits.yaml", setting.limits)?;
        }
        let mut engine = world
            .command(reeve()?)
            .args(["serve", "--idle-exit", "600"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::from(std::fs::File::create(world.reeve_home().join("stderr"))?))
            .spawn()
            .context("cannot start the engine")?;
        match connected(&world, &mut engine).await {
            Ok(client) => {
                let longest = setting.longest.unwrap_or(COMMAND_LIMIT);
                Ok(Self { world, provider, engine, client, longest })
            }
            Err(error) => {
                let _ = engine.kill();
                let _ = engine.wait();
                Err(error)
            }
        }
    }

    /// A connection as the person's own terminal has it.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Process id of the engine.
    #[must_use]
    pub fn engine_id(&self) -> u32 {
        self.engine.id()
    }

    /// Stores a well-known kind of credential; gives its placeholder.
    ///
    /// # Errors
    /// What the engine refuses.
    pub async fn store(&self, kind: &str, secret: &str) -> Result<String> {
        self.add(AddCredentialInput {
            id: kind.to_owned(),
            secret: TypedSecret(secret.to_owned()),
            kind: Some(kind.to_owned()),
            name: None,
            variables: Vec::new(),
            binding: None,
            agents: Vec::new(),
        })
        .await
    }

    /// Stores a credential of one's own that goes to one host as a bearer; gives its placeholder.
    ///
    /// # Errors
    /// What the engine refuses.
    pub async fn store_bearer(&self, id: &str, variable: &str, host: &str, secret: &str) -> Result<String> {
        let slot = "bearer".to_owned();
        self.add(AddCredentialInput {
            id: id.to_owned(),
            secret: TypedSecret(secret.to_owned()),
            kind: None,
            name: Some(id.to_owned()),
            variables: vec![variable.to_owned()],
            binding: Some(NewBindingDto { host: host.to_owned(), port: None, methods: Vec::new(), path: None, slot }),
            agents: Vec::new(),
        })
        .await
    }

    async fn add(&self, input: AddCredentialInput) -> Result<String> {
        let id = input.id.clone();
        let all: Vec<CredentialDto> = self.client.call(&CredentialsCall::Add(input)).await?;
        let added = all.into_iter().find(|credential| credential.id == id);
        Ok(added.context("the credential is not in the list")?.placeholder)
    }

    /// Opens a session as `reeve env` does, for a scripted client.
    ///
    /// # Errors
    /// What the engine refuses.
    pub async fn agent(&self, name: &str) -> Result<(Agent, OpenedSessionDto)> {
        let input = OpenSessionInput {
            agent: Some(name.to_owned()),
            cwd: self.world.work().display().to_string(),
            command: Vec::new(),
            mode: None,
            hours: Some(1),
        };
        let opened: OpenedSessionDto = self.client.call(&SessionsCall::Open(input)).await?;
        let proxy = format!("http://{name}:{}@{}", opened.token.0, opened.proxy);
        Ok((Agent::new(&proxy, &opened.ca)?, opened))
    }

    /// The person looks at an MCP server with all its tools and lets them be used.
    ///
    /// # Errors
    /// When the engine does not take it.
    pub async fn approve_server(&self, server: &str) -> Result<()> {
        approve_server(&self.client, server).await
    }

    /// Runs a command of Reeve to its end.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub async fn reeve(&self, arguments: &[&str]) -> Result<Ended> {
        let mut command = self.world.command(reeve()?);
        command.args(arguments);
        to_the_end(command, COMMAND_LIMIT).await
    }

    /// Runs a command governed to its end. `own` are variables of its own environment.
    ///
    /// # Errors
    /// When it cannot be started or does not end.
    pub async fn run(&self, command: &[String], own: &[(&str, &str)]) -> Result<Ended> {
        let mut governed = self.world.command(reeve()?);
        governed.args(["run", "--"]).args(command).envs(own.iter().copied());
        to_the_end(governed, self.longest).await
    }

    /// Waits for the next question.
    ///
    /// # Errors
    /// When none comes.
    pub async fn asked(&self) -> Result<ApprovalDto> {
        let begun = Instant::now();
        loop {
            let page: ApprovalsPage = self.client.call(&ApprovalsCall::List).await?;
            if let Some(first) = page.open.into_iter().next() {
                return Ok(first);
            }
            ensure!(begun.elapsed() < COMMAND_LIMIT, "nothing was held");
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Answers a question as a person at a terminal does: looks at it whole, then decides.
    ///
    /// # Errors
    /// When the engine does not take the answer.
    pub async fn answer(&self, question: &ApprovalDto, answer: AnswerDto) -> Result<ApprovalDto> {
        let input = ApprovalInput { approval: question.id.clone() };
        let shown: ApprovalDto = self.client.call(&ApprovalsCall::Get(input)).await?;
        let arming = shown.arming.context("an open question has no ticket to answer it with")?;
        tokio::time::sleep(Duration::from_millis(u64::from(arming.arms_after_ms) + 50)).await;
        let input =
            ResolveInput { approval: shown.id, nonce: arming.nonce, answer, reading_ms: None, rule: None, proof: None };
        Ok(self.client.call(&ApprovalsCall::Resolve(input)).await?)
    }

    /// Rows of the Timeline that match, oldest first, once nothing of them is still going on.
    ///
    /// # Errors
    /// When something never ends, or the query is not understood.
    pub async fn rows(&self, query: &str) -> Result<Vec<OperationRowDto>> {
        let begun = Instant::now();
        loop {
            let search = SearchInput { query: query.to_owned(), before: None, limit: 500 };
            let mut page: SearchPage = self.client.call(&OperationsCall::Search(search)).await?;
            ensure!(page.problems.is_empty(), "the query is not understood: {:?}", page.problems);
            if !page.rows.iter().any(going_on) {
                page.rows.reverse();
                return Ok(page.rows);
            }
            ensure!(
                begun.elapsed() < SOON,
                "still going on: {:?}",
                page.rows.iter().filter(|r| going_on(r)).collect::<Vec<_>>()
            );
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    /// Everything known of one operation.
    ///
    /// # Errors
    /// When there is none of that id.
    pub async fn operation(&self, id: &str) -> Result<OperationDetailDto> {
        Ok(self.client.call(&OperationsCall::Get(OperationInput { operation: id.to_owned() })).await?)
    }

    /// Proves the chain.
    ///
    /// # Errors
    /// When it is broken.
    pub async fn verify(&self) -> Result<()> {
        let proof: VerificationDto = self.client.call(&AuditCall::Verify).await?;
        ensure!(proof.ok, "the chain is broken: {:?}", proof.problem);
        Ok(())
    }

    /// What the engine said on its own log, for failing tests.
    #[must_use]
    pub fn engine_log(&self) -> String {
        let home = self.world.reeve_home();
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        format!("{}\n{}", read(&home.join("stderr")), read(&home.join("state/engine.log")))
    }
}

/// A person looks at an MCP server with all its tools and lets them be used.
///
/// # Errors
/// When the engine does not take it, or the server is not heard of in time.
pub async fn approve_server(client: &Client, server: &str) -> Result<()> {
    let begun = Instant::now();
    let input = || ServerInput { server: server.to_owned() };
    loop {
        let seen: Result<ServerDetailDto, _> = client.call(&ServersCall::Get(input())).await;
        if let Ok(ServerDetailDto { identity: Some(identity), tools, .. }) = seen
            && !tools.is_empty()
        {
            let tools = tools.into_iter().map(|tool| ShownToolDto { name: tool.name, digest: tool.digest }).collect();
            let approved = ApproveServerInput { server: server.to_owned(), identity: Some(identity.digest), tools };
            client.call::<Value>(&ServersCall::Approve(approved)).await?;
            return Ok(());
        }
        ensure!(begun.elapsed() < COMMAND_LIMIT, "the server `{server}` never listed a tool");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

fn going_on(row: &OperationRowDto) -> bool {
    let sent = matches!(
        row.state,
        RowStateDto::Allowed | RowStateDto::Approved | RowStateDto::WouldDeny | RowStateDto::WouldHold
    );
    row.state == RowStateDto::Held || (sent && !row.settled)
}

async fn connected(world: &World, engine: &mut Child) -> Result<Client> {
    let home = Home::under(&world.reeve_home());
    let begun = Instant::now();
    loop {
        match Client::connect(&home, Surface::Cli).await {
            Ok(client) => return Ok(client),
            Err(error) if begun.elapsed() > SOON => return Err(error.into()),
            Err(_) => {}
        }
        if let Some(status) = engine.try_wait()? {
            let said = std::fs::read_to_string(world.reeve_home().join("stderr")).unwrap_or_default();
            bail!("the engine ended with {status}: {said}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn to_the_end(command: std::process::Command, longest: Duration) -> Result<Ended> {
    let shown = format!("{command:?}");
    let mut command = tokio::process::Command::from(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
    let output = tokio::time::timeout(longest, child.wait_with_output()).await;
    let output = output.with_context(|| format!("still running after {} s: {shown}", longest.as_secs()))??;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// The `reeve` program of this build, beside the test program.
///
/// # Errors
/// When it was not built.
pub fn reeve() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let folder = test.ancestors().nth(2).context("no target folder")?;
    let program = folder.join(if cfg!(windows) { "reeve.exe" } else { "reeve" });
    ensure!(program.is_file(), "`{}` is missing: run `cargo build --package reeve-cli` first", program.display());
    Ok(program)
}
