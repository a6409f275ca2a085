//! Which hosts an agent has reached before, and which of them it has changed something at: the facts behind "first time
//! here".

use std::collections::HashMap;

use parking_lot::RwLock;
use reeve_domain::id::AgentId;
use reeve_domain::operation::Operation;

/// Filled from the record at start, then kept by the gate.
#[derive(Debug, Default)]
pub struct SeenHosts(RwLock<HashMap<AgentId, HashMap<String, Wrote>>>);

/// Whether anything but a read was admitted.
type Wrote = bool;

impl SeenHosts {
    /// Of what was admitted before: agent, host, and whether it was more than a read.
    #[must_use]
    pub fn new(seen: impl IntoIterator<Item = (AgentId, String, Wrote)>) -> Self {
        let mut all: HashMap<AgentId, HashMap<String, Wrote>> = HashMap::new();
        for (agent, host, wrote) in seen {
            *all.entry(agent).or_default().entry(host).or_default() |= wrote;
        }
        Self(RwLock::new(all))
    }

    /// Whether this is the agent's first operation there, and its first that is more than a read.
    #[must_use]
    pub fn firsts(&self, operation: &Operation) -> (bool, bool) {
        let all = self.0.read();
        let hosts = all.get(&operation.principal.agent);
        match hosts.and_then(|hosts| hosts.get(&operation.endpoint().host.to_string())) {
            None => (true, true),
            Some(wrote) => (false, !wrote),
        }
    }

    pub fn note(&self, operation: &Operation) {
        let writes = !operation.only_reads();
        let (first, first_write) = self.firsts(operation);
        if first || (first_write && writes) {
            let mut all = self.0.write();
            let hosts = all.entry(operation.principal.agent.clone()).or_default();
            *hosts.entry(operation.endpoint().host.to_string()).or_default() |= writes;
        }
    }
}
