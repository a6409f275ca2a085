//! The window as the window manager has it, and a second start of the app.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use super::{App, desktop, lives_in};

/// The window's title.
const TITLE: &str = "Reeve";

impl App {
    /// Asks the window manager to close the window, as a click on its cross does, and waits until it is hidden.
    pub async fn close_window(&self) -> Result<()> {
        let window = self.window().await?.context("there is no window to close")?;
        self.windows(&["-i", "-c", &window]).await?;
        self.until("the window is hidden", async || Ok(!self.is_shown().await?)).await
    }

    /// Whether the window manager shows the window.
    pub async fn is_shown(&self) -> Result<bool> {
        Ok(self.window().await?.is_some())
    }

    /// The window of this world's app, by its process: on a shared display there are others of that title.
    pub async fn window(&self) -> Result<Option<String>> {
        let home = self.world.reeve_home();
        let listed = self.windows(&["-l", "-p"]).await?;
        Ok(listed.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            let (window, pid) = (words.next()?, words.nth(1)?.parse().ok()?);
            (line.ends_with(TITLE) && lives_in(pid, &home)).then(|| window.to_owned())
        }))
    }

    async fn windows(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.world.command("wmctrl");
        command.args(arguments).stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || command.output()).await?.context("cannot start wmctrl")?;
        ensure!(out.status.success(), "wmctrl: {}", String::from_utf8_lossy(&out.stderr));
        Ok(String::from_utf8_lossy(&out.stdout).into_owned())
    }

    /// Starts the app a second time, as a click on its icon or on a link does; it ends at once, having told the first.
    pub async fn start_again(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.world.command(desktop()?);
        command.args(arguments).env_remove("TAURI_WEBVIEW_AUTOMATION").stdin(Stdio::null());
        let out = tokio::task::spawn_blocking(move || command.output()).await??;
        ensure!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        Ok(())
    }
}
