//! Outside of the window: tray, notifications, links, and the demo's own start.

use anyhow::{Context as _, Result, ensure};
use reeve_api::contract::approvals::ApprovalsPage;
use reeve_api::contract::calls::{ApprovalsCall, StatusCall};
use reeve_api::contract::status::{ProtectionDto, StatusDto};

use crate::app::{App, Ground, HOST, Scene, on, with_app};

/// Written by the agent; none of it may leave the window.
const NOTE: &str = "a-note-that-only-the-window-shows";

/// Nothing of the action itself is said outside.
fn tells_nothing(said: &str) -> Result<()> {
    for word in [NOTE, HOST, "/v1/notes", "POST", "curl", "ask-writes"] {
        ensure!(!said.contains(word), "`{word}` is said outside of the window: {said}");
    }
    Ok(())
}

#[tokio::test]
async fn a_held_action_raises_one_notification_without_its_text_whose_first_action_leads_to_the_card() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.close_window().await?;
        let agent = app.agent(NOTE)?;
        app.until("a notification is there", async || Ok(!app.desk.notifications().is_empty())).await?;
        let told = app.desk.notifications();
        let first = told.first().context("none")?;
        ensure!(first.title == "note-taker is waiting", "{first:?}");
        ensure!(first.body.ends_with(" · in work"), "{first:?}");
        ensure!(first.actions.get(1).is_some_and(|label| label == "Review"), "{first:?}");
        ensure!(!first.actions.iter().any(|words| words.contains("llow")), "{first:?}");
        tells_nothing(&first.whole)?;

        // As often as it takes until the app listens for it.
        app.until("the window is back", async || {
            app.desk.invoke(first, "default").await?;
            app.is_shown().await
        })
        .await?;
        app.card().await?;
        app.read(NOTE).await?;
        ensure!(app.provider.requests().is_empty(), "looking at it released the action");
        app.press("Allow once").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("[200]"), "{heard}");
        let told = app.desk.notifications();
        ensure!(told.len() == 1, "one question, {} notifications: {told:?}", told.len());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_tray_shows_state_count_and_decisions_as_they_change_and_nothing_of_an_action() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        says(app, "Protected, 0 agents").await?;
        says(app, "Nothing is waiting").await?;
        let calm = app.desk.icon().await?;
        app.close_window().await?;
        let agent = app.agent(NOTE)?;
        says(app, "1 waiting: Review").await?;
        says(app, "Protected, 1 agent").await?;
        ensure!(app.desk.icon().await? != calm, "what waits does not change the icon");
        says(app, "note-taker · http · waiting").await?;
        tells_nothing(&format!("{:?}", app.desk.menu().await?))?;

        app.desk.press("1 waiting").await?;
        app.until("the window is back", async || app.is_shown().await).await?;
        app.card().await?;
        app.press("Allow once").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("[200]"), "{heard}");
        says(app, "note-taker · http · approved").await?;
        says(app, "Nothing is waiting").await?;

        app.desk.press("Stop all").await?;
        says(app, "Stopped").await?;
        app.see("footer[data-state=stopped]").await?;
        tells_nothing(&format!("{:?}", app.desk.menu().await?))
    })
    .await
}

#[tokio::test]
async fn the_tray_ends_a_pause_at_once_and_a_stop_only_after_the_windows_question() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.desk.press("15 minutes").await?;
        says(app, "Paused").await?;
        says(app, "Resume").await?;
        app.desk.press("Resume").await?;
        app.protected().await?;

        app.close_window().await?;
        app.desk.press("Stop all").await?;
        says(app, "Resume…").await?;
        app.desk.press("Resume…").await?;
        app.until("the window is back", async || app.is_shown().await).await?;
        app.read("Resume? Agents may act again.").await?;
        let status: StatusDto = app.engine().await?.call(&StatusCall::Get).await?;
        ensure!(status.protection == ProtectionDto::Stopped, "one press in the tray lifted the stop: {status:?}");
        says(app, "Stopped").await?;
        app.press_in("//footer", "Resume").await?;
        app.protected().await
    })
    .await
}

/// Waits for a line of the tray's menu.
async fn says(app: &App, words: &str) -> Result<()> {
    app.until(&format!("the tray says `{words}`"), async || {
        let menu = app.desk.menu().await?;
        ensure!(menu.iter().any(|line| line.words == words), "{menu:?}");
        Ok(true)
    })
    .await
}

#[tokio::test]
async fn a_link_only_leads_somewhere_whatever_it_says() -> Result<()> {
    let ground = Ground::lay(Scene::default()).await?;
    on(ground, &["reeve://agents"], async |app| {
        app.protected().await?;
        at(app, "/agents").await?;
        let agent = app.agent(NOTE)?;
        app.until("the question waits", async || Ok(standing(app).await?.1.len() == 1)).await?;
        let before = standing(app).await?;
        let question = before.1.first().context("nothing waits")?.clone();

        app.start_again(&[&format!("reeve://inbox/{question}")]).await?;
        at(app, &format!("/inbox/{question}")).await?;
        app.card().await?;
        let unknown = [
            format!("reeve://inbox/{question}/allow"),
            format!("reeve://approvals/allow/{question}"),
            format!("reeve://inbox/{question}?answer=approve"),
            "reeve://status/pause".to_owned(),
            "reeve://settings/../stop".to_owned(),
            "reeve://timeline/javascript:alert(1)".to_owned(),
        ];
        for link in unknown {
            app.start_again(&["reeve://agents"]).await?;
            at(app, "/agents").await?;
            app.start_again(&[&link]).await?;
            app.read("The link names nothing that Reeve knows.").await.with_context(|| link.clone())?;
        }
        app.picture("unknown-link").await?;
        ensure!(standing(app).await? == before, "a link changed something");
        ensure!(app.provider.requests().is_empty(), "a link released the action");

        app.start_again(&["reeve://inbox"]).await?;
        app.card().await?;
        app.press("Deny").await?;
        app.press("Deny").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("Reeve denied this"), "{heard}");
        Ok(())
    })
    .await
}

/// Waits until the window is at a place.
async fn at(app: &App, path: &str) -> Result<()> {
    app.until(&format!("the window is at {path}"), async || Ok(app.browser.current_url().await?.path() == path)).await
}

/// How long the record is, and what waits.
async fn standing(app: &App) -> Result<(u64, Vec<String>)> {
    let engine = app.engine().await?;
    let status: StatusDto = engine.call(&StatusCall::Get).await?;
    let page: ApprovalsPage = engine.call(&ApprovalsCall::List).await?;
    Ok((status.chain.head, page.open.into_iter().map(|question| question.id).collect()))
}

#[tokio::test]
async fn the_demo_shows_its_five_acts_in_the_window_and_leaves_nothing_behind() -> Result<()> {
    let ground = Ground::lay(Scene::default()).await?;
    on(ground, &["--demo"], async |app| {
        app.protected().await?;
        app.read("demo profile").await?;
        app.card().await?;
        app.read("staging.acme.example").await?;
        app.picture("demo-held").await?;
        app.press("Allow once").await?;
        app.press_place("Timeline").await?;
        // A paid call, an injected credential, a denied host, the answer, and what the budget would not pay for.
        for act in ["claude-sonnet-5", "acme-demo", "no-paste-sites", "approved", "demo-session"] {
            app.read(act).await?;
        }
        app.picture("demo-timeline").await?;
        let home = app.world.work().with_file_name("tmp");
        let profiles = || -> Result<usize> {
            let all = std::fs::read_dir(&home)?.flatten();
            Ok(all.filter(|entry| entry.file_name().to_string_lossy().starts_with("reeve-demo-")).count())
        };
        ensure!(profiles()? == 1, "the demo has {} profiles of its own", profiles()?);
        ensure!(!app.world.reeve_home().join("data").exists(), "the demo wrote into the person's own profile");
        // The agent goes on only when a person looked at its new tools; who quits instead is told that it runs.
        app.read("1 to review").await?;
        app.desk.press("Quit").await?;
        app.press_away("Quit anyway", "the app has ended", async || Ok(!app.app_runs())).await?;
        app.until("its profile is gone", async || Ok(profiles()? == 0)).await
    })
    .await
}
