//! What a person types fast on a real keyboard arrives whole in the system's web view, whatever is drawn anew meanwhile.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::app::{App, HOST, with_app};

const REASON: &str = "ask finance first, then send it to the staging service and tell me what it said";

impl App {
    /// Types as a keyboard does, with 30 ms between two keys, into whatever has the focus of this world's window.
    async fn type_fast(&self, text: &str) -> Result<()> {
        let window = self.window().await?.context("there is no window to type into")?;
        let words = ["windowactivate", "--sync", window.as_str(), "type", "--delay", "30", text];
        let mut command = self.world.command("xdotool");
        command.args(words).stdin(Stdio::null());
        let typing = tokio::task::spawn_blocking(move || command.output());
        let typed = tokio::time::timeout(Duration::from_secs(60), typing).await.context("the window takes no keys")?;
        let out = typed?.context("cannot start xdotool")?;
        ensure!(out.status.success(), "xdotool: {}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }
}

#[tokio::test]
async fn a_reason_typed_fast_reaches_the_agent_whole_while_the_record_grows() -> Result<()> {
    with_app(async |app| {
        app.protected().await?;
        let agent = app.agent("typed fast")?;
        app.card().await?;
        app.press("Deny").await?;
        app.see("#card input:focus").await?;

        // Another one goes on all the time, so that rows, counts and costs are told anew.
        let arrived = app.provider.requests().len();
        let busy = format!("for one in $(seq 400); do curl -sS -o /dev/null https://{HOST}/v1/notes/$one; done");
        let _busy = app.govern(&["--agent", "busy", "--", "sh", "-c", &busy], &[])?;
        app.until("the other agent is at work", async || Ok(app.provider.requests().len() > arrived)).await?;
        let before = app.provider.requests().len();
        app.type_fast(REASON).await?;
        ensure!(app.provider.requests().len() > before, "nothing was drawn anew while it was typed");
        app.until("the whole reason stands in its field", async || {
            Ok(app.see("#card input").await?.prop("value").await?.as_deref() == Some(REASON))
        })
        .await?;
        app.press("Deny").await?;
        let heard = agent.heard().await?;
        ensure!(heard.contains(REASON), "{heard}");
        Ok(())
    })
    .await
}
