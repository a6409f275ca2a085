//! The demo: a governed run from end to end in a throw-away profile, against a provider and an agent that ship with Reeve.

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reeve_demo::script::story;
use reeve_demo::{Provider, office};
use reeve_domain::approval::Surface;
use reeve_vault::Vault;

use crate::client::Client;
use crate::contract::approvals::{AnswerDto, ApprovalDto, ApprovalInput, ApprovalsPage, ResolveInput, ScopeDto};
use crate::contract::calls::{ApprovalsCall, AuditCall, CredentialsCall, OperationsCall, ServersCall};
use crate::contract::credentials::{AddCredentialInput, CredentialDto, NewBindingDto, TypedSecret};
use crate::contract::operations::{OperationRowDto, RowStateDto, SearchInput, SearchPage};
use crate::contract::servers::{ApproveServerInput, ServerDetailDto, ServerInput, ServersDto, ShownToolDto};
use crate::contract::sessions::OpenSessionInput;
use crate::contract::status::VerificationDto;
use crate::contract::{ApiCode, ApiError};
use crate::home::Home;
use crate::host::{Host, HostOptions};
use crate::launch;

/// First line of the demo's own `config.toml`.
const HEADER: &str = "# The demo's throw-away profile.";

/// How the demo runs.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// No window: the demo itself answers the held action, as a stand-in for the human, and says so.
    pub headless: bool,
    /// Use this profile's home and leave it there, instead of a temporary one that is removed.
    pub keep: bool,
    /// A window started it, gave it a temporary home, and holds its stdin: when that closes, however the window ended, the
    /// demo ends and removes the home.
    pub attached: bool,
}

/// What was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub rows: Vec<OperationRowDto>,
    pub verification: VerificationDto,
}

impl Told {
    /// Whether every act of the story left its record: a paid call, an injection, a denied host, a held action that was
    /// answered, a budget denial, a tool call that was previewed, one that would have changed too much, one that was made
    /// once and asked for twice, and a chain that verifies.
    #[must_use]
    pub fn complete(&self) -> bool {
        let some = |test: fn(&OperationRowDto) -> bool| self.rows.iter().any(test);
        self.verification.ok
            && some(|r| r.kind == "llm" && r.cost.is_some_and(|c| c > 0))
            && some(|r| r.credential.is_some() && r.state == RowStateDto::Allowed)
            && some(|r| r.host.as_deref() == Some(story::FORBIDDEN_HOST) && r.state == RowStateDto::Denied)
            && some(|r| {
                r.host.as_deref() == Some(story::HELD_HOST)
                    && matches!(r.state, RowStateDto::Approved | RowStateDto::Refused)
            })
            && some(|r| r.kind == "llm" && r.state == RowStateDto::Denied)
            && self.calls(office::COUNT, RowStateDto::Allowed) >= 2
            && self.calls(office::UPDATE, RowStateDto::Approved) + self.calls(office::UPDATE, RowStateDto::Refused) == 1
            && self.calls(office::UPDATE, RowStateDto::Denied) == 1
            && self.calls(office::SEND, RowStateDto::Allowed) == 2
    }

    fn calls(&self, tool: &str, state: RowStateDto) -> usize {
        let named = format!("{}.{tool}", office::SERVER);
        self.rows.iter().filter(|row| row.summary == named && row.state == state).count()
    }
}

type Say<'a, E> = &'a mut (dyn FnMut(&str) -> Result<(), E> + Send);

/// Runs the demo and tells what it does, line by line.
///
/// # Errors
/// When the profile, the provider or the engine cannot be started, or a line cannot be told.
pub async fn run<E>(home: &Home, options: DemoOptions, say: Say<'_, E>) -> Result<Told, E>
where
    E: From<ApiError> + Send,
{
    let failed = |error: &dyn std::fmt::Display| E::from(ApiError::new(ApiCode::Failed, error.to_string()));
    let temporary = match options {
        DemoOptions { attached: true, .. } => TemporaryHome::given(home),
        DemoOptions { keep: true, .. } => None,
        _ => Some(TemporaryHome::new().map_err(|e| failed(&e))?),
    };
    let home = temporary.as_ref().map_or_else(|| home.clone(), |t| Home::under(&t.0));
    home.create().map_err(|e| failed(&e))?;
    if !is_demos_own(&home) {
        return Err(failed(&format!("{} holds a profile that is not the demo's: it is left alone", shown(&home))));
    }

    say("This is the demo: a scripted agent against a provider on this machine, both shipped with Reeve.")?;
    let after = if temporary.is_some() { "is thrown away afterwards" } else { "stays where it is" };
    say(&format!("Its profile {after}: home {}, secrets in memory only,", shown(&home)))?;
    say("one extra root certificate for its own provider, and names pointed at it. Nothing of yours is touched.")?;
    if options.headless {
        say("There is no window: the demo itself will answer the held action, as a stand-in for the human.")?;
    } else if !options.attached {
        eprintln!("{}", ways_in(&home));
    }
    let provider = Provider::start(story::script()).await.map_err(|e| failed(&e))?;
    write_profile(&home, &provider).map_err(|e| failed(&e))?;
    let host_options = HostOptions { vault: Some(Vault::memory()), demo: true, ..HostOptions::default() };
    let host = Host::start(home.clone(), host_options).await.map_err(|e| failed(&e))?;
    let serving = tokio::spawn(Arc::clone(&host).serve());
    if options.attached {
        let stopping = host.engine().stopping().clone();
        tokio::spawn(async move {
            let _ = tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await;
            stopping.cancel();
        });
    }
    let told = perform(&home, options, say).await;
    if !options.headless && told.is_ok() {
        say("The demo stays, to be looked at; Ctrl-C here, or closing the window that began it, ends it.")?;
        let _ = serving.await;
    } else {
        host.engine().stopping().cancel();
        let _ = serving.await;
    }
    told
}

/// The scripted agent, as the demo's child process.
///
/// # Errors
/// When its environment is not a governed one.
pub async fn agent() -> Result<(), reeve_demo::DemoError> {
    reeve_demo::agent::run().await
}

async fn perform<E>(home: &Home, options: DemoOptions, say: Say<'_, E>) -> Result<Told, E>
where
    E: From<ApiError> + Send,
{
    let client = connect(home).await?;
    let added: Vec<CredentialDto> = client.call(&CredentialsCall::Add(credential())).await?;
    let placeholder = added.first().map(|c| c.placeholder.clone()).unwrap_or_default();
    say(&format!("Stored a credential for {}; the agent will hold {placeholder} instead.", story::API_HOST))?;
    say("")?;
    let beside = client.clone();
    let answering = if options.headless { tokio::spawn(stand_in(beside)) } else { tokio::spawn(point_out(beside)) };
    let program: OsString = std::env::current_exe().map_err(|e| ApiError::new(ApiCode::Failed, e.to_string()))?.into();
    let input = OpenSessionInput {
        agent: Some("demo-agent".to_owned()),
        cwd: home.data.display().to_string(),
        command: vec!["demo-agent".to_owned()],
        mode: None,
        hours: None,
    };
    let mut prepared = launch::prepare(&client, home, input).await?;
    // What the agent starts of Reeve finds this engine, and not the person's own.
    if let Some(root) = home.config.parent().and_then(Path::to_str) {
        prepared.environment.add("REEVE_HOME", root);
    }
    let ended = launch::run(&client, prepared, &[program, "demo-agent".into()]).await;
    let code = ended.map_err(|e| ApiError::new(ApiCode::Failed, e.to_string()))?;
    answering.abort();
    say("")?;
    say(&format!("The agent ended with exit code {code}. The timeline it left:"))?;
    let search = SearchInput { query: String::new(), before: None, limit: 100 };
    let mut page: SearchPage = client.call(&OperationsCall::Search(search)).await?;
    page.rows.reverse();
    for row in &page.rows {
        say(&line(row))?;
    }
    let verification: VerificationDto = client.call(&AuditCall::Verify).await?;
    match &verification.problem {
        None => say(&format!(
            "✓ the chain verifies: {} records, sealed up to #{}",
            verification.events, verification.sealed_to
        ))?,
        Some(problem) => say(&format!("✕ the chain is broken: {problem}"))?,
    }
    Ok(Told { rows: page.rows, verification })
}

pub(crate) async fn connect(home: &Home) -> Result<Client, ApiError> {
    let mut last = ApiError::new(ApiCode::Unreachable, "the engine did not come up");
    for _ in 0..250 {
        match Client::connect(home, Surface::Demo).await {
            Ok(client) => return Ok(client),
            Err(error) => last = error,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(last)
}

/// Its tool server, started by the agent.
///
/// # Errors
/// When its client breaks off.
pub async fn office() -> Result<(), reeve_demo::DemoError> {
    office::serve().await
}

/// Approves the tools of a new server as they are.
async fn review(client: &Client) -> Result<(), ApiError> {
    let known: ServersDto = client.call(&ServersCall::List).await?;
    for server in known.servers.into_iter().filter(|server| server.to_review > 0) {
        println!("   (to review: the server `{}`; the demo, standing in for the human, reads its tools)", server.name);
        let input = ServerInput { server: server.name.clone() };
        let shown: ServerDetailDto = client.call(&ServersCall::Get(input)).await?;
        let tools = shown.tools.into_iter();
        let tools = tools.map(|tool| ShownToolDto { name: tool.name, digest: tool.digest }).collect();
        let identity = shown.identity.map(|identity| identity.digest);
        let input = ApproveServerInput { server: server.name, identity, tools };
        let _: ServerDetailDto = client.call(&ServersCall::Approve(input)).await?;
        println!("   (the demo, standing in for the human, approved them as they are)");
    }
    Ok(())
}

/// Approves whatever is held, two seconds after it appeared, as the human would.
async fn stand_in(client: Client) -> Result<(), ApiError> {
    let mut batches = client.subscribe().await?;
    while batches.recv().await.is_some() {
        review(&client).await?;
        let page: ApprovalsPage = client.call(&ApprovalsCall::List).await?;
        for held in page.open {
            println!("   (held: {}; the demo, standing in for the human, looks at it)", held.summary);
            let card: ApprovalDto =
                client.call(&ApprovalsCall::Get(ApprovalInput { approval: held.id.clone() })).await?;
            tokio::time::sleep(Duration::from_secs(2)).await;
            let nonce = card.arming.map(|arming| arming.nonce).unwrap_or_default();
            let answer = AnswerDto::Approve { scope: ScopeDto::Once };
            let input =
                ResolveInput { approval: held.id, nonce, answer, reading_ms: Some(2000), rule: None, proof: None };
            let _: ApprovalDto = client.call(&ApprovalsCall::Resolve(input)).await?;
            println!("   (the demo, standing in for the human, allowed it once)");
        }
    }
    Ok(())
}

/// Says where whatever waits for a person is answered: once for each question and each server.
async fn point_out(client: Client) -> Result<(), ApiError> {
    let mut batches = client.subscribe().await?;
    let mut told = HashSet::new();
    while batches.recv().await.is_some() {
        let known: ServersDto = client.call(&ServersCall::List).await?;
        for server in known.servers.into_iter().filter(|server| server.to_review > 0) {
            if told.insert(server.name.clone()) {
                println!("   (to review: `{}`, in the window: Agents, Tools and servers)", server.name);
            }
        }
        let page: ApprovalsPage = client.call(&ApprovalsCall::List).await?;
        for held in page.open {
            if told.insert(held.id) {
                println!("   (held: {}; answer it in the window: Inbox)", held.summary);
            }
        }
    }
    Ok(())
}

/// `reeve demo` starts no window: one that runs already would be shown instead, with the person's own profile in it.
fn ways_in(home: &Home) -> String {
    let root = shown(home);
    format!(
        "reeve: this command opens no window. `reeve-desktop --demo` runs the demo in one; for what is held here, in another\n       terminal: `REEVE_HOME={root} reeve-desktop`, while no other console is open, or `REEVE_HOME={root} reeve approve`"
    )
}

fn line(row: &OperationRowDto) -> String {
    let state = format!("{:?}", row.state).to_lowercase();
    let mut more: Vec<String> = Vec::new();
    more.extend(row.rule.clone());
    more.extend(row.credential.as_ref().map(|c| format!("injected {c}")));
    more.extend(row.cost.filter(|c| *c > 0).map(crate::money));
    more.extend(row.status.map(|s| s.to_string()));
    format!("  {:<9} {:<5} {}  {}", state, row.kind, row.summary, more.join(" · "))
}

pub(crate) fn credential() -> AddCredentialInput {
    AddCredentialInput {
        id: story::CREDENTIAL.to_owned(),
        secret: TypedSecret(story::secret()),
        kind: None,
        name: Some("Acme token (demo)".to_owned()),
        variables: vec![story::TOKEN_VARIABLE.to_owned()],
        binding: Some(NewBindingDto {
            host: story::API_HOST.to_owned(),
            port: None,
            methods: Vec::new(),
            path: None,
            slot: "bearer".to_owned(),
        }),
        agents: vec!["demo-agent".to_owned()],
    }
}

/// Whether the profile is empty or was made by a demo before.
fn is_demos_own(home: &Home) -> bool {
    match std::fs::read_to_string(home.config_file()) {
        Ok(text) => text.starts_with(HEADER),
        Err(_) => !home.database().exists(),
    }
}

/// Configuration, policy and limits of the throw-away profile.
pub(crate) fn write_profile(home: &Home, provider: &Provider) -> std::io::Result<()> {
    let root = home.config.join("demo-root.pem");
    std::fs::write(&root, provider.root_pem())?;
    let address = provider.addr();
    let resolve: Vec<String> = story::HOSTS.iter().map(|host| format!("\"{host}:443\" = \"{address}\"")).collect();
    let config = format!(
        "{HEADER}\nsecrets = \"memory\"\n\n[hold]\nhttp_seconds = 600\n\n[upstream]\nresolve = {{ {} }}\nextra_roots = [{}]\n",
        resolve.join(", "),
        serde_json::Value::from(root.display().to_string())
    );
    std::fs::write(home.config_file(), config)?;
    std::fs::write(home.config.join("policies").join("demo.cedar"), policy())?;
    std::fs::write(home.config.join("policies").join("standing.cedar"), standing())?;
    let limits = format!(
        "budgets:\n  - id: demo-session\n    scope: session\n    window: total\n    max_cost: {}\n    on_exhausted: deny\n",
        story::SESSION_DOLLARS
    );
    std::fs::write(home.config.join("limits.yaml"), limits)?;
    std::fs::write(home.config.join("tools.yaml"), story::tools_yaml())
}

fn policy() -> String {
    format!(
        "// The demo's own rules, on top of the preset.\n\n@id(\"no-paste-sites\")\n@reason(\"nothing may be pasted to a public paste site\")\nforbid (principal, action == Action::\"http.request\", resource == Host::\"{}\");\n",
        story::FORBIDDEN_HOST
    )
}

/// As if the person had said *Always* before: to the credential's first use, to counting, and to sending mail.
fn standing() -> String {
    let tool = |id: &str, tool: &str| {
        format!(
            "\n@id(\"{id}\")\n@reason(\"approved before the demo began\")\n@lifts(\"ask-first-tool, ask-tool-write\")\npermit (principal == Agent::\"demo-agent\", action == Action::\"mcp.tool_call\", resource == McpTool::\"{}/{tool}\");\n",
            office::SERVER
        )
    };
    let whoami = format!(
        "@id(\"demo-whoami\")\n@reason(\"approved before the demo began\")\n@lifts(\"ask-first-credential\")\npermit (principal == Agent::\"demo-agent\", action == Action::\"http.request\", resource == Host::\"{}\")\nwhen {{ context.method == \"GET\" }};\n",
        story::API_HOST
    );
    whoami + &tool("demo-count", office::COUNT) + &tool("demo-mail", office::SEND)
}

fn shown(home: &Home) -> String {
    home.config.parent().unwrap_or(Path::new("/")).display().to_string()
}

/// A folder that is removed when the demo ends.
#[derive(Debug)]
struct TemporaryHome(PathBuf);

/// How the name of a throw-away profile begins.
const PREFIX: &str = "reeve-demo-";

impl TemporaryHome {
    /// The home that a window made for this demo; nothing else is ever removed.
    fn given(home: &Home) -> Option<Self> {
        let root = home.config.parent()?;
        let ours = root.file_name()?.to_str()?.starts_with(PREFIX) && root.parent()? == std::env::temp_dir();
        ours.then(|| Self(root.to_owned()))
    }

    fn new() -> std::io::Result<Self> {
        let name: [u8; 8] = rand::random();
        let name = name.iter().fold(String::from(PREFIX), |s, b| format!("{s}{b:02x}"));
        let path = std::env::temp_dir().join(name);
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryHome {
    fn drop(&mut self) {
        // What cannot be removed holds no secret and lies in the temp folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
