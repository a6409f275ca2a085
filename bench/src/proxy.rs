//! What the proxy adds to an LLM call, at four levels, against direct in the same run.
//!
//! Levels: *forward* is a plain request with the record in memory; *policy* adds a thousand rules; *record* is an LLM call
//! with reservation and durable record; *inject* adds a credential, masking and metering of the echo.

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
use std::sync::Arc;

use crate::client::{Connection, Target};
use crate::figures::{Times, against, flush, ratio, us};

const MODEL_HOST: &str = "api.anthropic.com";
const PLAIN_HOST: &str = "bench.example.com";
const RATE: u64 = 200;
const SECONDS: u64 = 5;

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

struct Measured {
    latency: Times,
    first: Times,
    per_second: f64,
}

pub async fn run() -> anyhow::Result<()> {
    let flush = flush()?;
    println!("proxy: 2 KB in, 8 KB out, open loop at {RATE}/s for {SECONDS} s; one flush is {}", us(flush));
    let mut script = Script::of([Step::text(&"word ".repeat(1600))]);
    script.tools_optional = true;
    script.usage =
        Tokens { input: 500, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: 1600, reasoning: 0 };
    let provider = Provider::start(script).await?;
    for level in Level::ALL {
        let (direct, through) = at(level, &provider).await?;
        let added = through.latency.quantile(0.5).saturating_sub(direct.latency.quantile(0.5));
        println!("{}", level.name());
        println!(
            "  p50 {} (direct {}, {})  p99 {}  added {}",
            us(through.latency.quantile(0.5)),
            us(direct.latency.quantile(0.5)),
            ratio(through.latency.quantile(0.5), direct.latency.quantile(0.5)),
            us(through.latency.quantile(0.99)),
            us(added)
        );
        println!(
            "  {:.0} calls/s closed loop (direct {:.0}, {:.2} of it)",
            through.per_second,
            direct.per_second,
            through.per_second / direct.per_second
        );
        if level == Level::Inject {
            against("LLM call, added p50", added, Duration::from_micros(600) + flush);
            let first = through.first.quantile(0.5).saturating_sub(direct.first.quantile(0.5));
            against("first stream event, added p50", first, Duration::from_micros(400) + flush);
        }
        if level == Level::Forward {
            against("forwarded request, added p50", added, Duration::from_micros(350));
        }
    }
    Ok(())
}

async fn at(level: Level, provider: &Provider) -> anyhow::Result<(Measured, Measured)> {
    let folder = tempfile::tempdir()?;
    let home = Home::under(folder.path());
    home.create()?;
    write_profile(&home, provider, level)?;
    let options = HostOptions { vault: Some(Vault::memory()), ..HostOptions::default() };
    let running = Host::start(home.clone(), options).await?;
    let serving = tokio::spawn(Arc::clone(&running).serve());
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
    let direct = measure(&direct, level, "direct").await?;
    let through = measure(&through, level, &key).await?;
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

/// Open loop: latency is counted from when a call was due. Then a short closed loop for the rate.
async fn measure(target: &Target, level: Level, key: &str) -> anyhow::Result<Measured> {
    let path = if level.is_llm() { "/v1/messages" } else { "/echo" };
    let mut pool = Vec::new();
    for _ in 0..16 {
        pool.push(Arc::new(tokio::sync::Mutex::new(Connection::open(target).await?)));
    }
    for connection in &pool {
        connection.lock().await.call(path, ("x-api-key", key), &body(0)).await?;
    }
    let begun = Instant::now();
    let mut tasks = Vec::new();
    for n in 0..RATE * SECONDS {
        let due = begun + Duration::from_micros(n * 1_000_000 / RATE);
        tokio::time::sleep_until(due.into()).await;
        let connection = Arc::clone(&pool[usize::try_from(n)? % pool.len()]);
        let (path, key) = (path.to_owned(), key.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut connection = connection.lock().await;
            let waited = due.elapsed();
            let (first, whole) = connection.call(&path, ("x-api-key", &key), &body(n)).await?;
            anyhow::Ok((waited + first, waited + whole))
        }));
    }
    let (mut latency, mut first) = (Times::default(), Times::default());
    for task in tasks {
        let (one_first, whole) = task.await??;
        first.push(one_first);
        latency.push(whole);
    }
    let rate = closed_loop(&pool, path, key).await?;
    Ok(Measured { latency, first, per_second: rate })
}

async fn closed_loop(pool: &[Arc<tokio::sync::Mutex<Connection>>], path: &str, key: &str) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(3);
    let mut tasks = Vec::new();
    for connection in pool {
        let (connection, path, key) = (Arc::clone(connection), path.to_owned(), key.to_owned());
        tasks.push(tokio::spawn(async move {
            let mut count = 0_u32;
            let mut connection = connection.lock().await;
            while Instant::now() < until {
                connection.call(&path, ("x-api-key", &key), &body(u64::from(count) + 1_000_000)).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }));
    }
    let mut total = 0;
    for task in tasks {
        total += task.await??;
    }
    Ok(f64::from(total) / begun.elapsed().as_secs_f64())
}
