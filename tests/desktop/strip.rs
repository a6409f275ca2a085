//! The status strip: each state of protection stands there within a second of what made it so.

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use reeve_api::contract::calls::SettingsCall;
use reeve_api::contract::settings::SetSettingsInput;
use reeve_api::contract::status::ModeDto;

use crate::app::{App, Ground, Scene, on, with_app};

/// How late the strip may be (the product's promise).
const PROMISED: TimeDelta = TimeDelta::seconds(1);

/// Notes from now on every state the strip goes through and when: the page, the engine and this test have one clock.
async fn watch(app: &App) -> Result<()> {
    app.browser
        .execute(
            "const strip = document.querySelector('footer'); window.states = [];
             new MutationObserver(() => window.states.push([strip.dataset.state, Date.now()])).observe(strip, { attributes: true });",
            vec![],
        )
        .await?;
    Ok(())
}

/// When the strip came to this state, once it has; what was seen before is forgotten.
async fn shown(app: &App, state: &str) -> Result<DateTime<Utc>> {
    app.see(&format!("footer[data-state={state}]")).await?;
    let read = "const seen = window.states.findLast(([state]) => state === arguments[0]); window.states = []; return seen?.[1];";
    let millis = app.browser.execute(read, vec![state.into()]).await?;
    let millis = millis.as_i64().with_context(|| format!("the strip did not come to `{state}`"))?;
    DateTime::from_timestamp_millis(millis).context("no time")
}

/// The state follows the newest change of the mode that is recorded.
async fn follows(app: &App, state: &str) -> Result<()> {
    let at = shown(app, state).await?;
    let record = app.record().await?;
    let cause = record.iter().rfind(|event| event.name == "mode.changed").context("no change is recorded")?;
    ensure!(at - cause.at <= PROMISED, "`{state}` stood there only {} after its cause", at - cause.at);
    Ok(())
}

#[tokio::test]
async fn observing_protected_paused_stopped_and_gone_are_told_within_a_second() -> Result<()> {
    let ground = Ground::lay(Scene::default()).await?;
    let file = ground.world.reeve_home().join("config/config.toml");
    let config = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("mode = \"observe\"\n{config}"))?;
    on(ground, &[], async |app| {
        app.see("footer[data-state=observing]").await?;
        watch(app).await?;
        let tighten = SetSettingsInput { mode: Some(ModeDto::Enforce), ..SetSettingsInput::default() };
        app.engine().await?.call::<serde_json::Value>(&SettingsCall::Set(tighten)).await?;
        follows(app, "protected").await?;
        for (command, state) in [
            (["pause", "15m"].as_slice(), "paused"),
            (&["resume"], "protected"),
            (&["stop"], "stopped"),
            (&["resume"], "protected"),
        ] {
            app.reeve(command).await?;
            follows(app, state).await?;
        }
        let killed = Utc::now();
        app.kill_engine()?;
        let at = shown(app, "lost").await?;
        ensure!(at - killed <= PROMISED, "that the engine is gone was told only after {}", at - killed);
        app.protected().await
    })
    .await
}

/// Somebody else holds the file of the record, so nothing can be written to it. The engine waits a while for its turn; that it
/// has none is known at the latest when the agent hears so.
#[tokio::test]
async fn a_record_that_cannot_be_written_stands_in_the_strip_and_nothing_passes_meanwhile() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        watch(app).await?;
        let record = rusqlite::Connection::open(app.world.reeve_home().join("data/reeve.db"))?;
        record.execute_batch("BEGIN IMMEDIATE")?;
        let heard = app.agent("nobody could say afterwards")?.heard().await?;
        let known = Utc::now();
        ensure!(!heard.contains("[200]"), "{heard}");
        let at = shown(app, "degraded").await?;
        ensure!(at - known <= PROMISED, "that nothing can be recorded was told only after {}", at - known);
        record.execute_batch("ROLLBACK")?;
        app.protected().await
    })
    .await
}
