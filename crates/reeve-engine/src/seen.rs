//! Which hosts an agent has reached before, which tools it called, which programs it ran, and where it did more than read: the
//! facts behind "first time here".

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
    /// Of what was admitted before: agent, place ([`Operation::places`]), and whether it was more than a read.
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
        let wrote = |place: &String| hosts.and_then(|hosts| hosts.get(place)).copied();
        let mut firsts = (false, false);
        // One new program of a command line is enough.
        for known in operation.places().iter().map(wrote) {
            firsts = (firsts.0 || known.is_none(), firsts.1 || known != Some(true));
        }
        firsts
    }

    /// Every host is a new one again; the record of the old ones was wiped.
    pub fn forget_all(&self) {
        self.0.write().clear();
    }

    pub fn note(&self, operation: &Operation) {
        let writes = !operation.only_reads();
        let (first, first_write) = self.firsts(operation);
        if first || (first_write && writes) {
            let mut all = self.0.write();
            let hosts = all.entry(operation.principal.agent.clone()).or_default();
            for place in operation.places() {
                *hosts.entry(place).or_default() |= writes;
            }
        }
    }
}
