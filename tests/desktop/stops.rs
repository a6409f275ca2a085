//! Ending things: *Stop all*, and quitting the app.

use anyhow::{Context as _, Result, ensure};
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::ApprovalsCall;
use reeve_demo::script::{Fault, Mishap, Script, Step};
use reeve_tests::tools::Tool;

use crate::app::{App, Scene, with_app, with_scene};

/// Whatever runs: a question that waits, a real agent in the middle of an answer, a program that only sits there.
#[tokio::test]
async fn stop_all_ends_everything_within_a_second_and_resume_lets_the_next_one_act() -> Result<()> {
    let slow = Fault { only_main: true, ..Fault::always(Mishap::Slow { gap_ms: 2_000 }) };
    let script = Script::of([Step::text(&"Seat belts hold. ".repeat(200))]).with_fault(slow);
    with_scene(Scene { script, ..Scene::default() }, async |app| {
        app.protected().await?;
        let waits = app.agent("held")?;
        let talks = app.ask(Tool::Claude)?;
        let sits = app.govern(&["--agent", "sitter", "--", "sleep", "600"], &[])?;
        app.card().await?;
        app.until("the model is asked", async || {
            Ok(app.provider.calls(Tool::Claude.group()).iter().any(|call| call.main))
        })
        .await?;
        app.read("3 agents").await?;
        app.press("Stop all").await?;
        app.see("footer[data-state=stopped]").await?;
        app.picture("stopped").await?;

        for agent in [waits, talks, sits] {
            let heard = agent.heard().await?;
            ensure!(!heard.contains("[200]"), "{heard}");
        }
        let record = app.record().await?;
        let stopped = record.iter().find(|event| event.name == "mode.changed").context("the stop is not recorded")?;
        let ended: Vec<_> = record.iter().filter(|event| event.name == "session.ended").collect();
        ensure!(ended.len() == 3, "{} of 3 sessions ended: {ended:?}", ended.len());
        for event in ended {
            let took = event.at - stopped.at;
            ensure!(took <= chrono::Duration::seconds(1), "a session ended only {took} after the stop");
        }
        ensure!(app.provider.requests().iter().all(|request| request.path != "/v1/notes"), "what waited went upstream");

        let heard = app.agent("too late")?.heard().await?;
        ensure!(!heard.contains("[200]"), "an action passed while everything was stopped: {heard}");
        app.press("Resume…").await?;
        app.press_in("//footer", "Resume").await?;
        app.protected().await?;
        let next = app.agent("after")?;
        app.press_place("Inbox").await?;
        app.card().await?;
        app.press("Allow once").await?;
        let heard = next.heard().await?;
        ensure!(heard.contains("[200]"), "{heard}");
        Ok(())
    })
    .await
}

/// The one question that waits.
async fn waiting(app: &App) -> Result<String> {
    let page: ApprovalsPage = app.engine().await?.call(&ApprovalsCall::List).await?;
    page.open.into_iter().next().map(|question| question.id).context("nothing waits")
}

#[tokio::test]
async fn quitting_says_what_stops_and_what_goes_on_and_that_is_what_happens() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        let agent = app.agent("held")?;
        app.card().await?;
        let question = waiting(app).await?;
        app.close_window().await?;
        app.until("the tray says what quitting means", async || {
            let menu = app.desk.menu().await?;
            Ok(menu.iter().any(|line| line.words == "Quit: 1 session stays governed, what waits is not shown"))
        })
        .await?;

        app.desk.press("Quit").await?;
        app.until("the window asks", async || app.is_shown().await).await?;
        for sentence in
            ["Quit Reeve?", "1 session goes on", "1 question waits", "The window, the tray and notifications stop."]
        {
            app.read(sentence).await?;
        }
        app.picture("quit").await?;
        app.press_away("Keep running in the tray", "the window is hidden", async || Ok(!app.is_shown().await?)).await?;
        ensure!(app.app_runs(), "it quit although it was to stay");
        ensure!(waiting(app).await? == question, "staying answered the question");

        app.desk.press("Quit").await?;
        app.until("the window asks again", async || app.is_shown().await).await?;
        app.press_away("Quit anyway", "the app has ended", async || Ok(!app.app_runs())).await?;
        ensure!(waiting(app).await? == question, "quitting answered the question");
        app.reeve(&["approve", "deny", &question, "--reason", "nobody looks any more"]).await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("nobody looks any more"), "{heard}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn with_nothing_to_lose_quitting_asks_nothing() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.until("the tray is there", async || {
            Ok(app.desk.menu().await?.iter().any(|line| line.words.starts_with("Protected")))
        })
        .await?;
        app.desk.press("Quit").await?;
        app.until("the app has ended", async || Ok(!app.app_runs())).await?;
        Ok(())
    })
    .await
}
