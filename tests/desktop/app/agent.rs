//! Governed commands: a scripted agent, and the real ones.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use reeve_tests::stage::reeve;
use reeve_tests::tools::Tool;
use tokio::process::{Child, Command};

use super::{Ground, HOST};

/// Longest life of a governed command: a real agent takes its time to start on a busy machine.
const LONGEST: Duration = Duration::from_secs(120);

/// What a real agent is asked.
const QUESTION: &str = "Say what you think of seat belts.";

/// A governed command that goes on in the background; it ends with this.
pub struct Agent(Child);

impl Ground {
    /// A governed agent that writes a note and prints what it hears.
    pub fn agent(&self, note: &str) -> Result<Agent> {
        let post = format!(
            r#"curl -sS -w ' [%{{http_code}}]' --json '{{"note":"{note}"}}' -H "authorization: Bearer $ACME_TOKEN" https://{HOST}/v1/notes"#
        );
        self.govern(&["--agent", "note-taker", "--", "sh", "-c", &post], &[])
    }

    /// A real agent that is asked one question, with a login of its own unless one is stored.
    pub fn ask(&self, tool: Tool) -> Result<Agent> {
        let command = tool.command(&self.world, QUESTION)?;
        let words: Vec<&str> = std::iter::once("--").chain(command.iter().map(String::as_str)).collect();
        self.govern(&words, &[(tool.key_variable(), "sk-a-login-of-its-own")])
    }

    /// Runs something governed, with these words behind `reeve run`.
    pub fn govern(&self, words: &[&str], own: &[(&str, &str)]) -> Result<Agent> {
        let mut command = self.world.command(reeve()?);
        command.arg("run").args(words).envs(own.iter().copied());
        let mut command = Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Ok(Agent(command.spawn()?))
    }
}

impl Agent {
    /// Everything it printed, once it has ended.
    pub async fn heard(self) -> Result<String> {
        let ended = tokio::time::timeout(LONGEST, self.0.wait_with_output());
        let out = ended.await.context("the agent never went on")??;
        Ok(format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
    }
}
