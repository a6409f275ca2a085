//! The scripted demo agent: a child process that acts on the network as its environment tells it to, as real agents do,
//! and says in plain lines what it does and what it hears.

mod acts;
mod tools;
pub mod tunnel;

use std::io::Write;

use crate::error::DemoError;
use tunnel::Network;

/// What became of one act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    pub status: u16,
    /// The answer's text: what the model said, what the API sent, or why it was refused.
    pub text: String,
}

impl Heard {
    /// Whether the answer is a refusal.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.status >= 400
    }
}

/// Performs the demo story over the proxy that the environment names, printing as it goes.
///
/// # Errors
/// When the environment is not a governed one, or an exchange breaks off. A refusal is not an error: it is part of the
/// story.
pub async fn run() -> Result<(), DemoError> {
    let variable = |name: &'static str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let network = Network::from_environment(&variable)?;
    let mut lines = std::io::stdout();
    acts::perform(&network, &variable, &mut lines).await?;
    tools::perform(&mut lines).await?;
    say(&mut lines, "demo agent: done")
}

fn say(out: &mut impl Write, text: &str) -> Result<(), DemoError> {
    writeln!(out, "{text}").and_then(|()| out.flush())?;
    Ok(())
}
