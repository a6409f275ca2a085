//! A registered server behind `reeve mcp`: there is no child here, the engine starts or reaches the server. With an engine
//! that was started anew the conversation goes on, because the server is greeted again.

use tokio::time::Instant;

use super::child::{self, GRACE};
use super::tunnel::{self, Heard, Tunnel};
use super::{AGAIN, Wrap, Wrapper};
use crate::home::Home;

impl Wrapper {
    /// Carries messages between the agent and the engine until the end, and returns the exit code.
    pub(super) async fn bridge(&mut self, home: &Home, wrap: &Wrap, mut tunnel: Tunnel) -> i32 {
        self.state.attached(tunnel.sender());
        let mut again = tokio::time::interval(AGAIN);
        let mut deadline = None;
        // A closed input is the end, once what was asked is answered.
        while self.agent_open || !self.state.is_idle() {
            tokio::select! {
                line = self.lines.recv(), if self.agent_open => match line {
                    Some(line) => self.state.heard_agent(line).await,
                    None => {
                        self.agent_open = false;
                        deadline = Some(Instant::now() + GRACE);
                    }
                },
                heard = tunnel.hear() => match heard {
                    Heard::Agent(message) => self.state.tell_agent(message).await,
                    Heard::Server(_) => {}
                    Heard::Over(why) => {
                        self.state.over(&why).await;
                        return 1;
                    }
                    Heard::Lost => self.state.lost().await,
                },
                _ = again.tick(), if self.state.is_lost() => {
                    if let Ok(found) = tunnel::attach(home, wrap, false, self.state.greeting()).await {
                        tunnel = found;
                        self.state.attached(tunnel.sender());
                    }
                }
                _ = self.told.recv() => break,
                () = child::until(deadline) => break,
            }
        }
        0
    }
}
