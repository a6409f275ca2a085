//! Plumbing words of the engine's process: to stderr, which a started engine has as its log file. No bodies, no secrets.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// How much is said when `REEVE_LOG` chooses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Warnings,
    /// Every step of Reeve itself; of its libraries warnings.
    Steps,
}

impl Detail {
    fn filter(self) -> EnvFilter {
        let ours =
            ["api", "cli", "engine", "proxy", "store", "vault", "policy", "protocol", "sandbox", "domain", "demo"];
        EnvFilter::new(match self {
            Self::Warnings => "warn".to_owned(),
            Self::Steps => {
                ours.iter().fold("warn,reeve=debug".to_owned(), |all, one| format!("{all},reeve_{one}=debug"))
            }
        })
    }
}

/// Begins logging: JSON lines, or plain text on a terminal. `REEVE_LOG` chooses what.
pub fn start(detail: Detail) {
    let filter = EnvFilter::try_from_env("REEVE_LOG").unwrap_or_else(|_| detail.filter());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests, the demo) keeps the first.
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
}
