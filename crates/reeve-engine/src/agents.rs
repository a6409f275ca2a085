//! Registered agents: known tools by their catalog entry, anything else by the name it was started under.

use parking_lot::RwLock;
use reeve_domain::agent::Agent;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::AgentId;
use reeve_store::{Change, Store};
use std::sync::Arc;

use crate::error::EngineError;

/// Owner of the register.
#[derive(Debug)]
pub struct Agents {
    store: Store,
    clock: Arc<dyn Clock>,
    all: RwLock<Vec<Agent>>,
}

impl Agents {
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Store, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let all = store.agents().await?;
        Ok(Self { store, clock, all: RwLock::new(all) })
    }

    #[must_use]
    pub fn list(&self) -> Vec<Agent> {
        self.all.read().iter().filter(|a| a.removed_at.is_none()).cloned().collect()
    }

    #[must_use]
    pub fn find(&self, id: &AgentId) -> Option<Agent> {
        self.all.read().iter().find(|a| a.id == *id && a.removed_at.is_none()).cloned()
    }

    /// Registers an agent that is started for the first time; a known one is returned as it is.
    ///
    /// # Errors
    /// When it cannot be recorded.
    pub async fn ensure(&self, id: &AgentId, name: &str, tool: Option<&str>) -> Result<Agent, EngineError> {
        if let Some(known) = self.find(id) {
            return Ok(known);
        }
        let agent = Agent {
            id: id.clone(),
            name: name.to_owned(),
            tool: tool.map(str::to_owned),
            team: None,
            registered_at: self.clock.now(),
            removed_at: None,
        };
        self.remember(&agent, EventBody::AgentRegistered { agent: id.clone() }).await?;
        Ok(agent)
    }

    /// # Errors
    /// When there is no such agent, or it cannot be recorded.
    pub async fn remove(&self, id: &AgentId) -> Result<(), EngineError> {
        let mut agent = self.find(id).ok_or_else(|| EngineError::NotFound { what: "agent", name: id.to_string() })?;
        agent.removed_at = Some(self.clock.now());
        self.remember(&agent, EventBody::AgentRemoved { agent: id.clone() }).await
    }

    async fn remember(&self, agent: &Agent, event: EventBody) -> Result<(), EngineError> {
        let draft = Draft { agent: Some(agent.id.clone()), session: None, operation: None, body: event };
        self.store.append_with(vec![Change::Agent(agent.clone())], vec![draft]).await?;
        let mut all = self.all.write();
        all.retain(|a| a.id != agent.id);
        all.push(agent.clone());
        Ok(())
    }
}
