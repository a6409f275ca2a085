//! `config.toml`: what a person sets once. Every key is checked; an unknown one is an error with its line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reeve_domain::id::{AgentId, TeamId};
use reeve_domain::operation::{Action, Dialect};
use reeve_domain::settings::{Mode, Preset};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

mod edit;

pub use edit::SettingsEdit;

/// Where secrets rest. Never switched silently: the person chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretsStore {
    #[default]
    Keychain,
    /// One file encrypted with a passphrase, in the data folder.
    File,
    /// Lost when the engine ends; the demo's choice.
    Memory,
}

/// A host that speaks one of the known dialects under another name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatibleHost {
    pub host: String,
    #[serde(default = "https_port")]
    pub port: u16,
    pub dialect: Dialect,
    /// Provider whose prices apply, as the price table names it.
    pub provider: String,
}

fn https_port() -> u16 {
    443
}

/// `[upstream]`: only from a person's own or a managed configuration, never from a project.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// `host:port` to the address it is dialled at, instead of asking the resolver.
    pub resolve: BTreeMap<String, SocketAddr>,
    /// PEM files with roots trusted besides the system's.
    pub extra_roots: Vec<PathBuf>,
    /// Corporate proxy that upstream connections go through; `None`: direct.
    pub proxy: Option<String>,
}

/// `[hold]`: how long a question may wait for a human, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hold {
    pub llm_seconds: u64,
    pub http_seconds: u64,
    /// For what is said in MCP: its clients hear meanwhile that it goes on.
    pub mcp_seconds: u64,
    /// Furthest that *+ 5 min* extends a question.
    pub longest_seconds: u64,
    /// The same for what is said in MCP.
    pub longest_mcp_seconds: u64,
}

impl Default for Hold {
    fn default() -> Self {
        Self { llm_seconds: 120, http_seconds: 120, mcp_seconds: 600, longest_seconds: 600, longest_mcp_seconds: 3600 }
    }
}

/// `[notifications]`: which of them the desktop shows. That protection is lost is always told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notifications {
    /// An action waits for an answer.
    pub waiting: bool,
    /// A budget is nearly or wholly used.
    pub budget: bool,
    /// A High or Critical action was denied.
    pub denied_high: bool,
}

impl Default for Notifications {
    fn default() -> Self {
        Self { waiting: true, budget: true, denied_high: true }
    }
}

/// `[retention]`: how much of the record is kept. What is older or more goes by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Days; 0: for ever.
    pub days: u32,
    /// What the record may take on disk, in megabytes; 0: no limit.
    pub megabytes: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { days: 90, megabytes: 0 }
    }
}

impl Retention {
    /// Least room that a record is useful in.
    pub const LEAST_MEGABYTES: u32 = 20;
    /// A century.
    pub const MOST_DAYS: u32 = 36_500;

    /// For sentences: `90 days`, `for ever`, `30 days and in 200 MB`.
    #[must_use]
    pub fn words(self) -> String {
        let age = match self.days {
            0 => "for ever".to_owned(),
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        if self.megabytes == 0 { age } else { format!("{age} and in {} MB", self.megabytes) }
    }

    /// # Errors
    /// When it is out of bounds, in words.
    pub fn check(self) -> Result<(), String> {
        if self.days > Self::MOST_DAYS {
            return Err(format!("[retention] days: at most {}, or 0 for ever", Self::MOST_DAYS));
        }
        if (1..Self::LEAST_MEGABYTES).contains(&self.megabytes) {
            return Err(format!("[retention] megabytes: at least {}, or 0 for no limit", Self::LEAST_MEGABYTES));
        }
        Ok(())
    }
}

/// `[agents.<id>]`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentSettings {
    pub team: Option<TeamId>,
    /// Longest that the head of an answer is withheld from it while somebody decides, in seconds from 1; left out: as long
    /// as its program is known to bear.
    pub withhold_seconds: Option<NonZeroU64>,
}

/// The whole of `config.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    pub mode: Mode,
    pub preset: Preset,
    pub secrets: SecretsStore,
    /// Team that agents without one of their own belong to.
    pub team: Option<TeamId>,
    /// Price file that replaces the shipped one.
    pub prices: Option<PathBuf>,
    pub upstream: Upstream,
    pub hold: Hold,
    pub notifications: Notifications,
    pub retention: Retention,
    pub compatible: Vec<CompatibleHost>,
    pub agents: BTreeMap<AgentId, AgentSettings>,
}

impl Settings {
    /// Reads the file; a missing one gives the defaults.
    ///
    /// # Errors
    /// When it cannot be read, or is not valid: with line, column and the offending key.
    pub fn load(path: &Path) -> Result<Self, EngineError> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(&text).map_err(|problem| EngineError::Config { path: path.to_path_buf(), problem }),
            Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(EngineError::Read { path: path.to_path_buf(), source }),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for name in settings.upstream.resolve.keys() {
            reeve_domain::host::Authority::parse(name, None)
                .map_err(|error| format!("[upstream] resolve `{name}`: {error}"))?;
        }
        settings.retention.check()?;
        for compatible in &settings.compatible {
            reeve_domain::host::Host::parse(&compatible.host)
                .map_err(|error| format!("[[compatible]] host `{}`: {error}", compatible.host))?;
        }
        Ok(settings)
    }

    #[must_use]
    pub fn team_of(&self, agent: &AgentId) -> Option<TeamId> {
        self.agents.get(agent).and_then(|a| a.team.clone()).or_else(|| self.team.clone())
    }

    /// How long a person lets the head of an answer be withheld from this agent; `None`: as long as it bears.
    #[must_use]
    pub fn withhold_from(&self, agent: &AgentId) -> Option<Duration> {
        let seconds = self.agents.get(agent)?.withhold_seconds?;
        Some(Duration::from_secs(seconds.get()))
    }

    /// How long a question of this kind waits.
    #[must_use]
    pub fn hold_for(&self, action: Action) -> Duration {
        Duration::from_secs(match action {
            Action::LlmCall => self.hold.llm_seconds,
            action if action.is_mcp() => self.hold.mcp_seconds,
            _ => self.hold.http_seconds,
        })
    }

    /// Furthest that a question of this kind can be put off.
    #[must_use]
    pub fn longest_for(&self, action: Action) -> Duration {
        let seconds = if action.is_mcp() { self.hold.longest_mcp_seconds } else { self.hold.longest_seconds };
        Duration::from_secs(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let problem = Settings::parse("mode = \"observe\"\nshiny = true\n").unwrap_err();
        assert!(problem.contains("line 2") && problem.contains("shiny"), "{problem}");
    }

    #[test]
    fn upstream_settings_are_read_and_checked() {
        let settings = Settings::parse(
            "[upstream]\nresolve = { \"api.anthropic.com:443\" = \"127.0.0.1:9443\" }\nextra_roots = [\"/tmp/root.pem\"]\n",
        )
        .unwrap();
        assert_eq!(settings.upstream.resolve["api.anthropic.com:443"].port(), 9443);
        assert!(Settings::parse("[upstream]\nresolve = { \"bad host:1\" = \"127.0.0.1:1\" }\n").is_err());
    }

    #[test]
    fn an_agent_may_be_less_patient_than_its_program_and_never_without_any_patience() {
        let settings = Settings::parse("[agents.my-bot]\nwithhold_seconds = 20\n").unwrap();
        let of = |agent: &str| settings.withhold_from(&AgentId::parse(agent).unwrap());
        assert_eq!((of("my-bot"), of("codex")), (Some(Duration::from_secs(20)), None));
        let problem = Settings::parse("[agents.my-bot]\nwithhold_seconds = 0\n").unwrap_err();
        assert!(problem.contains("line 2"), "{problem}");
    }

    #[test]
    fn a_record_is_kept_ninety_days_unless_the_file_says_otherwise() {
        assert_eq!(Settings::default().retention.words(), "90 days");
        let settings = Settings::parse("[retention]\ndays = 0\nmegabytes = 200\n").unwrap();
        assert_eq!(settings.retention.words(), "for ever and in 200 MB");
        for wrong in ["days = 36501", "megabytes = 19", "days = -1", "weeks = 2"] {
            assert!(Settings::parse(&format!("[retention]\n{wrong}\n")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_missing_file_gives_the_defaults() {
        let settings = Settings::load(Path::new("/nonexistent/reeve/config.toml")).unwrap();
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.mode, Mode::Enforce);
    }
}
