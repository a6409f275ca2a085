//! The real agents, as their npm packages bring them: how each is started for one question, and what is particular to it.
//!
//! The packages' install scripts are not run. They would only put the platform's program where the wrapper package looks
//! for it; the tests start the platform's program itself.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use reeve_demo::script::Group;
use reeve_testkit::world::World;

/// One of the governed programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    Claude,
    Codex,
    Gemini,
    Opencode,
}

impl Tool {
    /// The agent that Reeve takes it for, by its program's name.
    #[must_use]
    pub fn agent(self) -> &'static str {
        match self {
            Self::Claude => "claude-code",
            Self::Codex => "codex",
            Self::Gemini => "gemini-cli",
            Self::Opencode => "opencode",
        }
    }

    /// Where its model calls go.
    #[must_use]
    pub fn group(self) -> Group {
        match self {
            Self::Claude | Self::Opencode => Group::Messages,
            Self::Codex => Group::Responses,
            Self::Gemini => Group::Gemini,
        }
    }

    /// The kind of credential it logs in with.
    #[must_use]
    pub fn credential(self) -> &'static str {
        match self {
            Self::Claude | Self::Opencode => "anthropic",
            Self::Codex => "openai",
            Self::Gemini => "gemini",
        }
    }

    /// The variable it reads its key from.
    #[must_use]
    pub fn key_variable(self) -> &'static str {
        match self {
            Self::Claude | Self::Opencode => "ANTHROPIC_API_KEY",
            Self::Codex => "CODEX_API_KEY",
            Self::Gemini => "GEMINI_API_KEY",
        }
    }

    /// The header that carries its key, and the key as it stands there.
    #[must_use]
    pub fn key_header(self, key: &str) -> (&'static str, String) {
        match self {
            Self::Claude | Self::Opencode => ("x-api-key", key.to_owned()),
            Self::Codex => ("authorization", format!("Bearer {key}")),
            Self::Gemini => ("x-goog-api-key", key.to_owned()),
        }
    }

    /// The host of its model calls.
    #[must_use]
    pub fn host(self) -> &'static str {
        match self {
            Self::Claude | Self::Opencode => "api.anthropic.com",
            Self::Codex => "api.openai.com",
            Self::Gemini => "generativelanguage.googleapis.com",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Codex => "codex",
            Self::Gemini => "gemini",
            Self::Opencode => "opencode",
        }
    }

    /// The command that asks it one question, with a shell that it may use, and what it needs to find at home.
    ///
    /// # Errors
    /// When its package is not installed.
    pub fn command(self, world: &World, question: &str) -> Result<Vec<String>> {
        let program = self.installed(world)?;
        let arguments: &[&str] = match self {
            Self::Claude => &["-p", question, "--model", "claude-sonnet-5", "--allowedTools", "Bash"],
            // Its own sandbox would cut the shell off from the proxy (and from everything else).
            Self::Codex => &["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", question],
            // Naming the model spares the call that chooses one.
            Self::Gemini => &["--skip-trust", "--yolo", "-m", "gemini-3.8-flash", "-p", question],
            Self::Opencode => &["run", "-m", "anthropic/claude-sonnet-5", question],
        };
        std::fs::create_dir_all(world.home().join(".codex"))?;
        std::fs::create_dir_all(world.home().join(".gemini"))?;
        let program = program.display().to_string();
        Ok(std::iter::once(program).chain(arguments.iter().map(|a| (*a).to_owned())).collect())
    }

    /// A link under the name people start it by: that name is what Reeve knows it by.
    fn installed(self, world: &World) -> Result<PathBuf> {
        let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("agents/node_modules");
        let platform = if cfg!(target_arch = "aarch64") { "linux-arm64" } else { "linux-x64" };
        let program = match self {
            Self::Claude => modules.join(format!("@anthropic-ai/claude-code-{platform}/claude")),
            Self::Codex => modules.join("@openai/codex/bin/codex.js"),
            Self::Gemini => modules.join("@google/gemini-cli/bundle/gemini.js"),
            Self::Opencode => modules.join(format!("opencode-{platform}/bin/opencode")),
        };
        ensure!(program.is_file(), "`{}` is missing: run `npm ci --prefix tests/agents` first", program.display());
        let folder = world.home().join("bin");
        std::fs::create_dir_all(&folder)?;
        let link = folder.join(self.name());
        if !link.exists() {
            #[cfg(unix)]
            std::os::unix::fs::symlink(&program, &link).context("cannot link the program")?;
        }
        Ok(link)
    }
}
