//! What the proxy adds to a call to a language model, at four levels, against direct in the same run; and with everything
//! on, what it adds to streams, big prompts, new names and long bodies, and what it holds in memory.
//!
//! Levels: *forward* sends the call to a host that is no provider's, so it is a plain request; *policy* adds a thousand
//! rules; *record* is a call with reservation and settlement; *inject* adds a credential, masking and metering of the echo.
//! Every level records durably before it forwards: that is never off.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::client::{Ask, Connection, Target};
use crate::figures::{Times, against, at_least, at_most, flush, ratio, share, us};
use crate::machine::{on_processor, pace, runtime};
use crate::upstream::Upstream;
use crate::world::{NEW_NAMES, World, new_name};

/// The four dialects' endpoints answer on any host.
const PATH: &str = "/v1/messages";
const RATE: u64 = 200;
/// Direct and through take turns, so that what else the machine does falls on both.
const ROUNDS: u32 = 3;
const SECONDS: u64 = 2;
const CONNECTIONS: usize = 16;
/// Calls of a kind that are measured one by one.
const SINGLES: u64 = 100;
/// Events of the stream that is as fast as it can be.
const BURST: u64 = 100_000;
const LONG_BODY: u64 = 100 << 20;
const IDLE_STREAMS: u32 = 200;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Level {
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

    pub fn is_llm(self) -> bool {
        matches!(self, Self::Record | Self::Inject)
    }
}

#[derive(Default)]
struct Measured {
    latency: Times,
    calls: u64,
    looped: Duration,
}

impl Measured {
    fn per_second(&self) -> f64 {
        per_second(self.calls, self.looped)
    }
}

pub fn run() -> anyhow::Result<()> {
    let flush = flush()?;
    println!("proxy: calls of 2 KB in and 8 KB out, open loop at {RATE}/s; one flush is {}", us(flush));
    on_processor(0, move || {
        runtime()?.block_on(async {
            let upstream = Upstream::start().await?;
            for level in Level::ALL {
                let world = World::start(level, &upstream).await?;
                calls(level, &world, flush).await?;
                if level == Level::Inject {
                    streams(&world, flush).await?;
                    others(&world, flush).await?;
                    memory(&world).await?;
                }
            }
            anyhow::Ok(())
        })
    })?
}

/// Calls at one level.
async fn calls(level: Level, world: &World, flush: Duration) -> anyhow::Result<()> {
    let sides = [connections(&world.direct).await?, connections(&world.through).await?];
    let [mut direct, mut through] = [Measured::default(), Measured::default()];
    for _ in 0..ROUNDS {
        for (pool, into) in sides.iter().zip([&mut direct, &mut through]) {
            open_loop(pool, into).await?;
            closed_loop(pool, into).await?;
        }
    }
    let added = through.latency.quantile(0.5).saturating_sub(direct.latency.quantile(0.5));
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
            at_least("LLM calls/s", through.per_second(), 5_000.0);
        }
        Level::Policy | Level::Record => {}
    }
    Ok(())
}

/// Answers that come as events.
async fn streams(world: &World, flush: Duration) -> anyhow::Result<()> {
    let paced = |n| ask(n, 280, "events=60,gap=2000");
    let [direct, through] = one_by_one(world, SINGLES / 5, paced).await?;
    let [fast_direct, fast_through] = one_by_one(world, 3, |n| ask(n, 280, &format!("events={BURST}"))).await?;
    let first = through.first.quantile(0.5).saturating_sub(direct.first.quantile(0.5));
    against("first stream event, added p50", first, Duration::from_micros(400) + flush);
    for (share, aim) in [(0.5, 100), (0.99, 300)] {
        let added = through.events.quantile(share).saturating_sub(direct.events.quantile(share));
        against(&format!("stream event, added p{:.0}", share * 100.0), added, Duration::from_micros(aim));
    }
    let [fast, rate] = [fast_direct, fast_through].map(|side| per_second(BURST, side.whole.quantile(0.5)));
    at_least(&format!("metered events/s (direct {fast:.0})"), rate, 250_000.0);
    Ok(())
}

/// What is asked less often.
async fn others(world: &World, flush: Duration) -> anyhow::Result<()> {
    let [direct, through] = one_by_one(world, SINGLES, |n| ask(n, 28_000, "")).await?;
    let added = through.whole.quantile(0.5).saturating_sub(direct.whole.quantile(0.5));
    against("200 KB prompt, added p50", added, Duration::from_micros(900) + flush);

    let [mut direct, mut through] = [Times::default(), Times::default()];
    for n in 0..NEW_NAMES {
        for (side, into) in [(&world.direct, &mut direct), (&world.through, &mut through)] {
            let target = Target { host: new_name(n), key: "none".to_owned(), ..side.clone() };
            let begun = Instant::now();
            Connection::open(&target).await?.call(&get("")).await?;
            into.push(begun.elapsed());
        }
    }
    let added = through.quantile(0.5).saturating_sub(direct.quantile(0.5));
    against("new name, added p50", added, Duration::from_micros(1500));

    let plain = |side: &Target| Target { host: new_name(0), key: "none".to_owned(), ..side.clone() };
    let mut rates = [0.0; 2];
    for (side, rate) in [&world.direct, &world.through].into_iter().zip(&mut rates) {
        let mut connection = Connection::open(&plain(side)).await?;
        let heard = connection.call(&get(&format!("bytes={LONG_BODY}"))).await?;
        anyhow::ensure!(heard.bytes == LONG_BODY, "{} bytes of {LONG_BODY} arrived", heard.bytes);
        *rate = per_second(LONG_BODY >> 20, heard.whole);
    }
    let [direct, through] = rates;
    share(&format!("100 MB body, share of direct ({direct:.0} MB/s)"), through / direct, 0.7);
    Ok(())
}

/// What the engine holds.
async fn memory(world: &World) -> anyhow::Result<()> {
    at_most("engine ready after start", world.ready.as_secs_f64() * 1e3, "ms", 100.0);
    let (Some(at_rest), Some(before)) = (world.at_rest, world.memory()) else {
        println!("  memory is not told on this system");
        return Ok(());
    };
    at_most("engine at rest", megabytes(at_rest), "MB", 30.0);
    let mut open = Vec::new();
    for n in 0..IDLE_STREAMS {
        let mut connection = Connection::open(&world.through).await?;
        // One event, then an hour of silence.
        let mut body = connection.send(&ask(u64::from(n), 280, "events=2,gap=3600000000")).await?.into_body();
        http_body_util::BodyExt::frame(&mut body).await.transpose()?;
        open.push((connection, body));
    }
    let held = world.memory().unwrap_or_default().saturating_sub(before);
    at_most("idle stream", megabytes(held) * 1024.0 / f64::from(IDLE_STREAMS), "KB", 64.0);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a figure to read")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "a number of things")]
fn per_second(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64().max(1e-9)
}

/// A call with so many words; no two are alike.
fn ask(n: u64, words: usize, plan: &str) -> Ask {
    let text = format!("{n} {}", "please ".repeat(words));
    let body = serde_json::json!({
        "model": "claude-sonnet-5", "max_tokens": 2000, "stream": !plan.is_empty(),
        "messages": [{ "role": "user", "content": text }],
    });
    Ask { method: "POST", path: PATH, plan: plan.to_owned(), body: Bytes::from(body.to_string()) }
}

fn get(plan: &str) -> Ask {
    Ask { method: "GET", path: "/", plan: plan.to_owned(), body: Bytes::new() }
}

#[derive(Default)]
struct Side {
    first: Times,
    whole: Times,
    events: Times,
}

/// Direct and through, in turns, one call after the other.
async fn one_by_one(world: &World, count: u64, ask: impl Fn(u64) -> Ask) -> anyhow::Result<[Side; 2]> {
    let mut sides = [Side::default(), Side::default()];
    let mut connections = [Connection::open(&world.direct).await?, Connection::open(&world.through).await?];
    for n in 0..count {
        for (connection, into) in connections.iter_mut().zip(&mut sides) {
            let heard = connection.call(&ask(n)).await?;
            into.first.push(heard.first);
            into.whole.push(heard.whole);
            into.events.extend(heard.events);
        }
    }
    Ok(sides)
}

type Pool = Vec<Arc<tokio::sync::Mutex<Connection>>>;

/// Connections that have carried a call each.
async fn connections(target: &Target) -> anyhow::Result<Pool> {
    let open = |_| async {
        let mut connection = Connection::open(target).await?;
        connection.call(&ask(0, 280, "")).await?;
        Ok(Arc::new(tokio::sync::Mutex::new(connection)))
    };
    let opened: Vec<_> = futures_util::stream::iter(0..CONNECTIONS).then(open).collect().await;
    opened.into_iter().collect()
}

/// Latency is counted from when a call was due.
async fn open_loop(pool: &Pool, into: &mut Measured) -> anyhow::Result<()> {
    let mut tasks = Vec::new();
    let mut due = pace(RATE * SECONDS, RATE);
    while let Some((n, due)) = due.recv().await {
        let connection = Arc::clone(&pool[usize::try_from(n)? % pool.len()]);
        tasks.push(tokio::spawn(async move {
            let mut connection = connection.lock().await;
            let waited = due.elapsed();
            anyhow::Ok(waited + connection.call(&ask(n, 280, "")).await?.whole)
        }));
    }
    for task in tasks {
        into.latency.push(task.await??);
    }
    Ok(())
}

/// Every connection sends one call after the other.
async fn closed_loop(pool: &Pool, into: &mut Measured) -> anyhow::Result<()> {
    let begun = Instant::now();
    let until = begun + Duration::from_secs(SECONDS);
    let mut tasks = Vec::new();
    for connection in pool {
        let connection = Arc::clone(connection);
        tasks.push(tokio::spawn(async move {
            let mut count = 0;
            let mut connection = connection.lock().await;
            while Instant::now() < until {
                connection.call(&ask(count + 1_000_000, 280, "")).await?;
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
