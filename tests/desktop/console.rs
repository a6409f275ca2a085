//! What a person does on the other screens, and that it reaches a real agent.

use anyhow::{Context as _, Result, ensure};
use fantoccini::key::Key;

use crate::app::{HOST, with_app};

const SECRET: &str = "a-secret-typed-on-the-screen-0815";

#[tokio::test]
async fn a_credential_added_on_the_screen_is_injected_and_the_agent_never_holds_it() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.press_place("Credentials").await?;
        app.press("Add credential").await?;
        app.see("[role=dialog] select").await?.select_by_value("own").await?;
        for (field, text) in [("id", "acme"), ("host", HOST), ("slot", "bearer"), ("variables", "ACME_TOKEN")] {
            app.type_into(&format!("[role=dialog] input[name={field}]"), text).await?;
        }
        app.type_into("[role=dialog] input[type=password]", SECRET).await?;
        app.see("[role=dialog] button[type=submit]").await?.click().await?;
        app.gone("[role=dialog]").await?;
        app.read("acme").await?;
        ensure!(!app.text().await?.contains(SECRET), "the secret is on the screen");

        // The window has no bar of a browser's: its own keys lead back to the place before.
        app.press_place("Inbox").await?;
        let back = format!("{}{}{}", char::from(Key::Alt), char::from(Key::Left), char::from(Key::Null));
        app.see("nav a[title='Inbox']").await?.send_keys(&back).await?;
        app.until("the place before is back", async || Ok(app.see("main h1").await?.text().await? == "Credentials"))
            .await?;
        app.read("acme").await?;

        let agent = app.agent("note-taker")?;
        app.press_place("Inbox").await?;
        app.card().await?;
        app.press("Allow once").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains("[200]") && !heard.contains(SECRET), "{heard}");
        let arrived = app.provider.requests();
        let bearer = format!("Bearer {SECRET}");
        let note = arrived.iter().find(|request| request.host == HOST).context("nothing arrived")?;
        ensure!(note.header("authorization") == Some(&bearer), "another credential arrived: {:?}", note.headers);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_doctor_sees_the_tray_in_which_closing_leaves_the_app_and_a_second_start_brings_it_back() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        app.press_place("Settings").await?;
        app.follow("Doctor").await?;
        app.press("Run all checks").await?;
        // The engine's own rows and the shell's stand in one list.
        for found in ["listens on 127.0.0.1", "Reeve's icon is in it", "the desktop shows them", "WebKitGTK 2."] {
            app.read(found).await?;
        }
        app.picture("doctor").await?;
        app.close_window().await?;
        app.start_again(&[]).await?;
        app.until("the window is back", async || app.is_shown().await).await?;
        Ok(())
    })
    .await
}
