//! From an empty window to an answered question, an injected credential, a rule, and a chain that verifies.

use anyhow::{Result, ensure};
use fantoccini::key::Key;

use crate::app::{HOST, run_bare, with_app};

const SECRET: &str = "real-secret-of-this-test-4711";

#[tokio::test]
async fn a_held_action_is_shown_allowed_by_chord_goes_on_and_is_recorded() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.picture("empty-inbox").await?;
        app.store_credential(SECRET).await?;
        let agent = app.agent("first")?;

        let card = app.card().await?;
        app.read("Send a POST request").await?;
        app.read("POST /v1/notes").await?;
        app.read("ask-writes").await?;
        app.picture("inbox").await?;
        ensure!(!app.text().await?.contains(SECRET), "the secret is on the screen");
        app.chord(&card, Key::Enter).await?;

        let heard = agent.heard().await?;
        ensure!(heard.contains("[200]") && heard.contains("kept"), "{heard}");
        ensure!(!heard.contains(SECRET), "the echo of the secret was not masked: {heard}");
        let arrived = app.provider.requests();
        ensure!(arrived.iter().filter(|request| request.host == HOST).count() == 1, "{arrived:?}");

        app.press_place("Timeline").await?;
        app.see("[role=row]").await?.click().await?;
        app.read("Approved").await?;
        app.read("Chain verified").await?;
        app.picture("timeline").await?;
        ensure!(app.reeve(&["verify"]).await?.contains("verif"), "no word of the chain");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn keys_typed_before_the_card_is_armed_decide_nothing_and_a_denial_reaches_the_agent_in_our_words() -> Result<()>
{
    with_app(async |app| {
        app.protected().await?;
        // A window that is being resized arms nothing, however long the keys take to get there.
        let resizes = "window.kept = setInterval(() => window.dispatchEvent(new Event('resize')), 100)";
        app.browser.execute(resizes, vec![]).await?;
        let agent = app.agent("second")?;
        // Typing goes on while the card appears.
        let card = app.see("#card").await?;
        for key in [Key::Enter, Key::Backspace] {
            app.chord(&card, key).await?;
        }
        ensure!(app.provider.requests().is_empty(), "a chord before arming released the action");
        app.browser.execute("clearInterval(window.kept)", vec![]).await?;
        app.card().await?;
        app.press("Deny").await?;
        app.type_into("#card input", "use the staging service").await?;
        app.press("Deny").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("use the staging service"), "{heard}");
        ensure!(app.provider.requests().is_empty(), "a denied action went upstream");
        app.read("Nothing is waiting").await?;
        Ok(())
    })
    .await
}

#[tokio::test]
async fn always_writes_the_rule_that_was_shown_and_the_next_call_passes() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        let agent = app.agent("third")?;
        app.card().await?;
        app.see("button[aria-label='Allow for longer']:not([aria-disabled])").await?.click().await?;
        app.choose("Always allow…").await?;
        app.read("Will be written to").await?;
        let shown = app.text().await?;
        app.picture("always").await?;
        app.see("#card[data-armed=true]").await?;
        app.press("Write rule and allow").await?;
        ensure!(agent.heard().await?.contains("[200]"));

        let written = app.written_policies()?;
        let missing = written.lines().find(|line| !shown.contains(line.trim()));
        ensure!(!written.is_empty() && missing.is_none(), "{missing:?} was never shown\n{written}\n{shown}");
        ensure!(app.agent("fourth")?.heard().await?.contains("[200]"), "the next call was held");
        Ok(())
    })
    .await
}

#[test]
fn without_a_display_the_app_ends_with_a_sentence() -> Result<()> {
    let (code, said) = run_bare(&[], &[])?;
    ensure!(code == Some(1) && said.contains("no display"), "{code:?}: {said}");
    let (code, said) = run_bare(&[], &[("DISPLAY", ":987")])?;
    ensure!(code == Some(1) && said.contains("error: ") && !said.contains("panicked"), "{code:?}: {said}");
    let (code, said) = run_bare(&["--fake"], &[])?;
    ensure!(code == Some(2) && said.contains("--fake"), "{code:?}: {said}");
    Ok(())
}
