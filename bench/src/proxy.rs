//! What the proxy adds to a call to a language model, at four levels, against direct in the same run.
//!
//! Levels: *forward* sends the call to a host that is no provider's, so it is a plain request; *policy* adds a thousand
//! rules; *record* is a call with reservation and settlement; *inject* adds a credential, masking and metering of the echo.
//! Every level records durably before it forwards: that is never off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reeve_api::Surface;
use reeve_api::client::Client;
use reeve_api::contract::calls::{CredentialsCall, SessionsCall};
use reeve_api::contract::credentials::{AddCredentialInput, CredentialDto, TypedSecret};
use reeve_api::contract::sessions::{OpenSessionInput, OpenedSessionDto};
use reeve_api::home::Home;
use reeve_api::host::{Host, HostOptions};
use reeve_demo::Provider;
use reeve_demo::script::{Script, Step, Tokens};
use reeve_vault::Vault;
use tokio::runtime::Runtime;

use crate::client::{Connection, Target};
use crate::figures::{Times, against, at_least, flush, ratio, us};
use crate::machine::{on_processor, pace, runtime};

const MODEL_HOST: &str = "api.anthropic.com";
const PLAIN_HOST: &str = "bench.example.com";
/// The four dialects' endpoints answer on any host.
const PATH: &str = "/v1/messages";
const RATE: u64 = 200;
/// Direct and through take turns, so that what else the machine does falls on both.
const ROUNDS: u32 = 3;
const SECONDS: u64 = 2;
/// Words of the answer, each an event of about 120 bytes: 8 KB.
const WORDS: usize = 60;
const CONNECTIONS: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Forward,
    Policy,
    Record,
    Inject,
}

impl Level {
    const ALL: [Self; 4] = [Self::Forward, Self::Policy, Self::Record, Self::Inject];

    fn name(self) -> &'static str {
        match self {
            Self::Forward => "forward only",
            Self::Policy => "+ policy (1,000 rules)",
            Self::Record => "+ budget and durable record",
            Self::Inject => "+ injection and masking",
        }
    }

    fn is_llm(self) -> bool {
        matches!(self, Self::Record | Self::Inject)
    }
}

#[derive(Default)]
struct Measured {
    latency: Times,
    first: Times,
    calls: u64,
    looped: Duration,
}

impl Measured {
    fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a number of calls")]
        let calls = self.calls as f64;
        calls / self.looped.as_secs_f64().max(1e-9)
    }
}

pub fn run() -> anyhow::Result<()> {
    let flush = flush()?;
    println!("proxy: 2 KB in, 8 KB out in {WORDS} events, open loop at {RATE}/s; one flush is {}", us(flush));
    let reeve = on_processor(1, runtime)??;
    on_processor(0, move || runtime()?.block_on(levels(&reeve, flush)))?
}

async fn levels(reeve: &Runtime, flush: Duration) -> anyhow::Result<()> {
    let mut script = Script::of([Step::text(&"word ".repeat(WORDS))]);
    script.tools_optional = true;
    let output = WORDS as u64;
    script.usage = Tokens { input: 500, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output, reasoning: 0 };
    let provider = Provider::start(script).await?;
    for level in Level::ALL {
        let (direct, through) = at(level, &provider, reeve).await?;
        let added = through.latency.quantile(0.5).saturating_sub(direct.latency.quantile(0.5));
        let first = through.first.quantile(0.5).saturating_sub(direct.first.quantile(0.5));
        println!("{}", level.name());
        println!(
            "  p50 {} (direct {}, {})  p99 {} (direct {})  added {}",
            us(through.latency.quantile(0.5)),
            us(direct.latency.quantile(0.5)),
            ratio(through.latency.quantile(0.5), direct.latency.quantile(0.5)),
            us(through.latency.quantile(0.99)),
            us(direct.latency.quantile(0.99)),
            us(added)
        );
        println!(
            "  {:.0} calls/s closed loop (direct {:.0}, {:.2} of it)",
            through.per_second(),
            direct.per_second(),
            through.per_second() / direct.per_second()
        );
        match level {
            Level::Forward => {
                against("forwarded, added p50", added, Duration::from_micros(350) + flush);
                at_least("forwarded, calls/s", through.per_second(), 15_000.0);
            }
            Level::Inject => {
                against("LLM call, added p50", added, Duration::from_micros(600) + flush);
                let p99 = through.latency.quantile(0.99).saturating_sub(direct.latency.quantile(0.5));
                against("LLM call, p99 over direct p50", p99, Duration::from_millis(3) + flush);
                against("first stream event, added p50", first, Duration::from_micros(400) + flush);
                at_least("LLM calls/s", through.per_second(), 5_000.0);
            }
            Level::Policy | Level::Record => {}
        }
    }
    Ok(())
}

async fn at(level: Level, provider: &Provider, reeve: &Runtime) -> anyhow::Result<(Measured, Measured)> {
    let folder = tempfile::tempdir()?;
    let home = Home::under(folder.path());
    home.create()?;
    write_profile(&home, provider, level)?;
    let options = HostOptions { vault: Some(Vault::memory()), ..HostOptions::default() };
    let starting = home.clone();
    let running = reeve.spawn(async move { Host::start(starting, options).await }).await??;
    let serving = reeve.spawn(Arc::clone(&running).serve());
    let client = connect(&home).await?;
    let key = if level == Level::Inject { credential(&client).await? } else { "own-login".to_owned() };
    let input = OpenSessionInput {
        agent: Some("agent-1".to_owned()),
        cwd: "/".to_owned(),
        command: vec!["bench".to_owned()],
        mode: None,
        hours: None,
    };
    let opened: OpenedSessionDto = client.call(&SessionsCall::Open(input)).await?;
    let host = if level.is_llm() { MODEL_HOST } else { PLAIN_HOST };
    let direct = Target { host: host.to_owned(), address: provider.addr(), token: None, roots: provider.root_pem() };
    let through = Target {
        host: host.to_owned(),
        address: opened.proxy.parse()?,
        token: Some(opened.token.0.clone()),
        roots: opened.ca.clone(),
    };
    let sides = [(connections(&direct, "direct").await?, "direct"), (connections(&through, &key).await?, key.as_str())];
    let [mut direct, mut through] = [Measured::default(), Measured::default()];
    for _ in 0..ROUNDS {
        for ((pool, key), into) in sides.iter().zip([&mut direct, &mut through]) {
            open_loop(pool, key, into).await?;
            closed_loop(pool, key, into).await?;
            provider.forget();
        }
    }
    running.engine().stopping().cancel();
    serving.await??;
    Ok((direct, through))
}

fn write_profile(home: &Home, provider: &Provider, level: Level) -> anyhow::Result<()> {
    let root = home.config.join("root.pem");
    std::fs::write(&root, provider.root_pem())?;
    let address = provider.addr();
    std::fs::write(
        home.config_file(),
        format!(
            "secrets = \"memory\"\n[upstream]\nresolve = {{ \"{MODEL_HOST}:443\" = \"{address}\", \"{PLAIN_HOST}:443\" = \"{address}\" }}\nextra_roots = [\"{}\"]\n",
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

async fn connect(home: &Home) -> anyhow::Result<Client> {
    for _ in 0..500 {
        if let Ok(client) = Client::connect(home, Surface::Cli).await {
            return Ok(client);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
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

fn body(n: u64) -> Bytes {
    let text = format!("{n} {}", "please ".repeat(280));
    Bytes::from(
        serde_json::json!({
            "model": "claude-sonnet-5", "max_tokens": 2000, "stream": true,
            "messages": [{ "role": "user", "content": text }],
        })
        .to_string(),
    )
}

type Pool = Vec<Arc<tokio::sync::Mutex<Connection>>>;

/// Connections that have carried a call each.
async fn connections(target: &Target, key: &str) -> anyhow::Result<Pool> {
    let mut pool = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = Connection::open(target).await?;
        connection.call(PATH, ("x-api-key", key), &body(0)).await?;
        pool.push(Arc::new(tokio::sync::Mutex::new(connection)));
    }
    Ok(pool)
}

/// Latency is counted from when a call was due.
async fn open_loop(pool: &Pool, key: &str, into: &mut Measured) -> anyhow::Result<()> {
    let mut tasks = Vec::new();
    let mut due = pace(RATE * SECONDS, RATE);
    while let Some((n, due)) = due.recv().await {
        let connection = Arc::clone(&pool[usize::try_from(n)? % pool.len()]);
        let key = key.to_owned();
        tasks.push(tokio::spawn(async move {
            let mut connection = connection.lock().await;
            let waited = due.elapsed();
            let (first, whole) = connection.call(PATH, ("x-api-key", &key), &body(n)).await?;
            anyhow::Ok((waited + first, waited + whole))
        }));
    }
    for task in tasks {
        let (first, whole) = task.await??;
        into.first.push(first);
        into.latency.push(whole);
    }
    Ok(())
}

/// Every connection sends one call after the other.
async fn closed_loop(pool: &Pool, key: &str, into: &mut Measured) -> anyhow::Result<()> {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for connection in pool {
        let (connection, key) = (Arc::clone(connection), key.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut count = 0;
            let mut connection = connection.lock().await;
            while Instant::now() < until {
                connection.call(PATH, ("x-api-key", &key), &body(count + 1_000_000)).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }));
    }
    for task in tasks {
        into.calls += task.await??;
    }
    into.looped += begun.elapsed();
    Ok(())
}
