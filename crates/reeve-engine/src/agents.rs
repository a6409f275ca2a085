//! Registered agents: known tools by their catalog entry, anything else by the name it was started under.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::{Mutex, RwLock};
use reeve_domain::agent::Agent;
use reeve_domain::clock::Clock;
use reeve_domain::event::{Draft, EventBody};
use reeve_domain::id::AgentId;
use reeve_store::{Change, Store};

use crate::error::EngineError;

/// Owner of the register.
#[derive(Debug)]
pub struct Agents {
    store: Store,
    clock: Arc<dyn Clock>,
    all: RwLock<Vec<Agent>>,
    /// One change at a time: each is recorded before the next one looks.
    changing: tokio::sync::Mutex<()>,
    /// Pauses in force that are still to be recorded.
    owed: Mutex<Vec<Pause>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pause {
    agent: AgentId,
    at: DateTime<Utc>,
    by: String,
}

impl Agents {
    /// # Errors
    /// When the store cannot be read.
    pub async fn load(store: Store, clock: Arc<dyn Clock>) -> Result<Self, EngineError> {
        let all = store.agents().await?;
        Ok(Self {
            store,
            clock,
            all: RwLock::new(all),
            changing: tokio::sync::Mutex::default(),
            owed: Mutex::default(),
        })
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
        let _turn = self.changing.lock().await;
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
        self.record(&agent, EventBody::AgentRegistered { agent: id.clone() }).await?;
        let mut all = self.all.write();
        all.retain(|known| known.id != agent.id);
        all.push(agent.clone());
        Ok(agent)
    }

    /// # Errors
    /// When there is no such agent, or it cannot be recorded.
    pub async fn remove(&self, id: &AgentId) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        let at = self.clock.now();
        let removed = Agent { removed_at: Some(at), ..self.get(id)? };
        self.record(&removed, EventBody::AgentRemoved { agent: id.clone() }).await?;
        self.edit(id, |agent| agent.removed_at = Some(at));
        Ok(())
    }

    /// Whether somebody has paused it.
    #[must_use]
    pub fn is_paused(&self, id: &AgentId) -> bool {
        self.all.read().iter().any(|a| a.id == *id && a.removed_at.is_none() && a.paused_at.is_some())
    }

    /// Denies what the agent begins from now on; its sessions stay open, and what it was admitted to before runs to its end
    /// (pausing is for new actions, stopping cuts). In force at once, also when it cannot be recorded: then it is
    /// recorded as soon as that is possible. Pausing a paused agent changes nothing.
    ///
    /// # Errors
    /// When there is no such agent, or it could not be recorded yet.
    pub async fn pause(&self, id: &AgentId, by: &str) -> Result<(), EngineError> {
        let before = self.get(id)?;
        if before.paused_at.is_some() {
            return Ok(());
        }
        let pause = Pause { agent: id.clone(), at: self.clock.now(), by: by.to_owned() };
        self.edit(id, |agent| agent.paused_at = Some(pause.at));
        let recorded = self.record_pause(&pause).await;
        if recorded.is_err() {
            self.owed.lock().push(pause);
        }
        recorded
    }

    /// A resume that was under way when the pause began does not undo it, and neither does a removal forget it.
    async fn record_pause(&self, pause: &Pause) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        let Some(paused) = self.edit(&pause.agent, |agent| agent.paused_at = Some(pause.at)) else { return Ok(()) };
        let (agent, by) = (pause.agent.clone(), Some(pause.by.clone()));
        self.record(&paused, EventBody::AgentPaused { agent, by }).await
    }

    /// Records pauses that are in force and could not be recorded.
    ///
    /// # Errors
    /// The first refusal; what was not recorded stays owed.
    pub async fn pay(&self) -> Result<(), EngineError> {
        loop {
            let Some(pause) = self.owed.lock().first().cloned() else { return Ok(()) };
            self.record_pause(&pause).await?;
            self.owed.lock().retain(|other| *other != pause);
        }
    }

    /// Ends a pause.
    ///
    /// # Errors
    /// When there is no such agent, or it cannot be recorded; then it stays paused.
    pub async fn resume(&self, id: &AgentId, by: &str) -> Result<(), EngineError> {
        let _turn = self.changing.lock().await;
        let mut agent = self.get(id)?;
        if agent.paused_at.take().is_none() {
            return Ok(());
        }
        let event = EventBody::AgentResumed { agent: id.clone(), by: Some(by.to_owned()) };
        self.record(&agent, event).await?;
        self.owed.lock().retain(|pause| pause.agent != *id);
        self.edit(id, |agent| agent.paused_at = None);
        Ok(())
    }

    fn get(&self, id: &AgentId) -> Result<Agent, EngineError> {
        self.find(id).ok_or_else(|| EngineError::NotFound { what: "agent", name: id.to_string() })
    }

    async fn record(&self, agent: &Agent, event: EventBody) -> Result<(), EngineError> {
        let draft = Draft { agent: Some(agent.id.clone()), session: None, operation: None, body: event };
        self.store.append_with(vec![Change::Agent(agent.clone())], vec![draft]).await?;
        Ok(())
    }

    /// Changes what is known of an agent in place; gives how it is afterwards.
    fn edit(&self, id: &AgentId, edit: impl FnOnce(&mut Agent)) -> Option<Agent> {
        let mut all = self.all.write();
        let agent = all.iter_mut().find(|agent| agent.id == *id && agent.removed_at.is_none())?;
        edit(agent);
        Some(agent.clone())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use reeve_domain::clock::ManualClock;
    use reeve_store::StoreOptions;

    use super::*;

    async fn agents() -> (Agents, AgentId) {
        let clock = Arc::new(ManualClock::new(DateTime::UNIX_EPOCH));
        let store = Store::open_in_memory(StoreOptions { clock: clock.clone(), seal_key: None, mirror: None }).unwrap();
        let agents = Agents::load(store, clock).await.unwrap();
        let id = AgentId::parse("codex").unwrap();
        agents.ensure(&id, "Codex", None).await.unwrap();
        (agents, id)
    }

    #[tokio::test]
    async fn a_pause_that_could_not_be_recorded_is_in_force_and_recorded_later() {
        let (agents, id) = agents().await;
        agents.store.limit_pages(1).await.unwrap();
        // More than the pages that are there have room for.
        agents.pause(&id, &"dana".repeat(100_000)).await.unwrap_err();
        assert!(agents.is_paused(&id) && agents.pay().await.is_err());
        agents.store.limit_pages(1_000_000).await.unwrap();
        agents.pay().await.unwrap();
        let kept = agents.store.agents().await.unwrap();
        assert!(kept.iter().any(|agent| agent.id == id && agent.paused_at.is_some()), "{kept:?}");
        agents.pay().await.unwrap();
        let told = agents.store.events(None, 10).await.unwrap();
        assert_eq!(told.iter().filter(|e| matches!(e.body, EventBody::AgentPaused { .. })).count(), 1);
    }

    #[tokio::test]
    async fn a_pause_and_a_removal_at_the_same_time_leave_both_behind() {
        for _ in 0..20 {
            let (agents, id) = agents().await;
            let (paused, removed) = tokio::join!(agents.pause(&id, "dana"), agents.remove(&id));
            removed.unwrap();
            let kept = agents.store.agents().await.unwrap();
            let kept = kept.iter().find(|agent| agent.id == id).unwrap();
            assert!(kept.removed_at.is_some() && agents.find(&id).is_none(), "{paused:?} {kept:?}");
        }
    }
}
