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
            paused_at: None,
            removed_at: None,
        };
        self.remember(&agent, EventBody::AgentRegistered { agent: id.clone() }).await?;
        Ok(agent)
    }

    /// # Errors
    /// When there is no such agent, or it cannot be recorded.
    pub async fn remove(&self, id: &AgentId) -> Result<(), EngineError> {
        let mut agent = self.get(id)?;
        agent.removed_at = Some(self.clock.now());
        self.remember(&agent, EventBody::AgentRemoved { agent: id.clone() }).await
    }

    /// Whether a person has paused it.
    #[must_use]
    pub fn is_paused(&self, id: &AgentId) -> bool {
        self.all.read().iter().any(|a| a.id == *id && a.removed_at.is_none() && a.paused_at.is_some())
    }

    /// Denies what the agent does from now on; its sessions stay open. In force at once, also when it cannot be recorded.
    /// Pausing a paused agent changes nothing.
    ///
    /// # Errors
    /// When there is no such agent, or it cannot be recorded.
    pub async fn pause(&self, id: &AgentId) -> Result<(), EngineError> {
        let mut agent = self.get(id)?;
        if agent.paused_at.is_some() {
            return Ok(());
        }
        agent.paused_at = Some(self.clock.now());
        self.keep(&agent);
        self.remember(&agent, EventBody::AgentPaused { agent: id.clone() }).await
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// When there is no such agent, or it cannot be recorded; then it stays paused.
    pub async fn resume(&self, id: &AgentId) -> Result<(), EngineError> {
        let mut agent = self.get(id)?;
        if agent.paused_at.take().is_none() {
            return Ok(());
        }
        self.remember(&agent, EventBody::AgentResumed { agent: id.clone() }).await
    }

    fn get(&self, id: &AgentId) -> Result<Agent, EngineError> {
        self.find(id).ok_or_else(|| EngineError::NotFound { what: "agent", name: id.to_string() })
    }

    async fn remember(&self, agent: &Agent, event: EventBody) -> Result<(), EngineError> {
        let draft = Draft { agent: Some(agent.id.clone()), session: None, operation: None, body: event };
        self.store.append_with(vec![Change::Agent(agent.clone())], vec![draft]).await?;
        self.keep(agent);
        Ok(())
    }

    fn keep(&self, agent: &Agent) {
        let mut all = self.all.write();
        all.retain(|a| a.id != agent.id);
        all.push(agent.clone());
    }
}
