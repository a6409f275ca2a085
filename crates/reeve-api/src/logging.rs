//! Plumbing words of the engine's process: to stderr, which a started engine has as its log file. No bodies, no secrets.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Begins logging: JSON lines, or plain text on a terminal. `REEVE_LOG` chooses what (default: warnings).
pub fn start() {
    let filter = EnvFilter::try_from_env("REEVE_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start in one process (tests, the demo) keeps the first.
    let _ = if std::io::stderr().is_terminal() { builder.try_init() } else { builder.json().try_init() };
}
