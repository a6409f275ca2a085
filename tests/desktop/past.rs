//! Finding what happened before: an engine whose clock is a day behind records real calls, and the app finds the dearest.

use std::process::{Child, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Days, Utc};
use fantoccini::Locator;
use fantoccini::key::Key;
use reeve_api::contract::calls::OperationsCall;
use reeve_api::contract::operations::{OperationRowDto, SearchInput, SearchPage};
use reeve_api::home::Home;
use reeve_api::host::{Host, HostOptions};
use reeve_demo::script::{Script, Step, Tokens};
use reeve_domain::clock::{Clock, SystemClock};
use reeve_tests::tools::Tool;

use crate::app::{App, Ground, Scene, on};

/// The day that the engine of the past begins on, for the process that is it.
const BEGINS: &str = "REEVE_TEST_BEGINS";

/// An answer of so many tokens, at $10 a million.
fn answer(tokens: u64) -> Script {
    let usage = Tokens { input: 0, cache_read: 0, cache_write_5m: 0, cache_write_1h: 0, output: tokens, reasoning: 0 };
    Script::of([Step { usage: Some(usage), ..Step::text("Seat belts are forty-two times better than none.") }])
}

#[tokio::test]
async fn search_finds_yesterdays_most_expensive_call() -> Result<()> {
    let ground = Ground::lay(Scene::default()).await?;
    let today = Utc::now().date_naive();
    let yesterday = today.checked_sub_days(Days::new(1)).context("no yesterday")?;
    let past = Past::start(&ground, yesterday.and_hms_opt(12, 0, 0).context("no noon")?.and_utc())?;
    // `reeve run` starts an engine of today where none answers.
    ground.engine().await?;
    for tokens in [1_000, 24_000, 9_000] {
        ask(&ground, tokens).await?;
    }
    let dearest = costing(&ground, 240_000_000).await?;
    past.end().await?;

    on(ground, &[], async |app| {
        app.protected().await?;
        // Dearer than all of yesterday.
        ask(app, 30_000).await?;
        app.press_place("Timeline").await?;
        let query = format!("kind:llm since:{yesterday} before:{today} cost:>0.1{}", char::from(Key::Enter));
        app.type_into("[role=search] input", &query).await?;
        let rows = Locator::Css("[role=row][data-row]");
        app.until("one call is found", async || Ok(app.browser.find_all(rows).await?.len() == 1)).await?;
        app.picture("dearest-of-yesterday").await?;
        app.see(&format!("[data-row={:?}]", dearest.id)).await?.click().await?;
        app.see("[aria-label='More parts']").await?.click().await?;
        app.choose("Cost").await?;
        app.read("$0.24").await?;
        app.picture("dearest-of-yesterday-cost").await?;

        // Where midnight came meanwhile, what the menu calls yesterday is the day that all this was recorded on.
        if Utc::now().date_naive() == today {
            by_mouse(app, &dearest).await?;
        }
        ensure!(app.reeve(&["verify"]).await?.contains("verif"), "the record of both days does not hold");
        Ok(())
    })
    .await
}

/// The same with the mouse alone.
async fn by_mouse(app: &App, dearest: &OperationRowDto) -> Result<()> {
    app.see("[aria-label='Clear query']").await?.click().await?;
    app.see("aside button[aria-label=Close]").await?.click().await?;
    app.gone("aside [role=tab]").await?;
    app.see("[aria-label^='Time range']").await?.click().await?;
    app.choose("Yesterday").await?;
    app.see("[aria-label='Time range: Yesterday']").await?;
    app.see("button[title^='By cost']").await?.click().await?;
    app.until("the dearest comes first", async || {
        let first = app.see("[role=row][data-row]").await?;
        Ok(first.attr("data-row").await?.as_deref() == Some(dearest.id.as_str()))
    })
    .await?;
    app.picture("dearest-of-yesterday-mouse").await?;
    app.see("[role=row][data-row]").await?.click().await?;
    app.read("$0.24").await
}

/// A real agent's question, answered at that length.
async fn ask(ground: &Ground, tokens: u64) -> Result<()> {
    ground.provider.set_script(answer(tokens));
    let heard = ground.ask(Tool::Claude)?.heard().await?;
    ensure!(heard.contains("forty-two"), "{heard}");
    Ok(())
}

/// The one call that cost so much, in nano-USD, once it is settled.
async fn costing(ground: &Ground, cost: i64) -> Result<OperationRowDto> {
    let engine = ground.engine().await?;
    let search = SearchInput { query: "kind:llm".to_owned(), before: None, limit: 100 };
    let page: SearchPage = engine.call(&OperationsCall::Search(search)).await?;
    page.rows.into_iter().find(|row| row.cost == Some(cost)).context("no call cost that much")
}

/// An engine of another day, in a process of its own: this test program again.
struct Past(Child);

impl Past {
    fn start(ground: &Ground, begins: DateTime<Utc>) -> Result<Self> {
        let mut command = ground.world.command(std::env::current_exe()?);
        command.args(["--exact", "past::an_engine_of_another_day", "--ignored", "--nocapture"]);
        command.env(BEGINS, begins.to_rfc3339()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(command.spawn()?))
    }

    /// Tells it to end, and waits until it has recorded that.
    async fn end(mut self) -> Result<()> {
        let pid = i32::try_from(self.0.id())?;
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)?;
        let ended = tokio::task::spawn_blocking(move || self.0.wait()).await??;
        ensure!(ended.success(), "the engine of the past ended with {ended}");
        Ok(())
    }
}

impl Drop for Past {
    /// A test that fails leaves no engine behind; one that has ended is only asked once more.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs like the machine's own clock, from another moment on.
#[derive(Debug)]
struct From {
    begins: DateTime<Utc>,
    system: SystemClock,
}

impl Clock for From {
    fn now(&self) -> DateTime<Utc> {
        let passed = chrono::Duration::from_std(self.monotonic()).unwrap_or_default();
        self.begins + passed
    }

    fn monotonic(&self) -> std::time::Duration {
        self.system.monotonic()
    }
}

#[tokio::test]
#[ignore = "the engine of the test above, in a process of its own"]
async fn an_engine_of_another_day() -> Result<()> {
    let begins = std::env::var(BEGINS).context("it is started by a test")?.parse()?;
    let clock = From { begins, system: SystemClock::new() };
    let options = HostOptions { clock: Some(Arc::new(clock)), ..HostOptions::default() };
    Ok(Host::start(Home::find()?, options).await?.serve().await?)
}
