//! What a kind of request needs before it is judged: its entities and its slices, remembered by agent, class and target.

use std::sync::{Arc, PoisonError};

use cedar_policy::{Entities, Entity, EntityUid};
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, TeamId};
use reeve_domain::operation::{Action, Subject};

use crate::facts::{Case, Class};
use crate::schema::uid;
use crate::scope::Lineage;
use crate::set::PolicySet;
use crate::slice::{REMEMBERED, Slice};

/// What entities and slices depend on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    agent: AgentId,
    team: Option<TeamId>,
    class: Class,
    target: Target,
}

/// What it is aimed at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Target {
    Host(Host),
    Model { host: Host, provider: String, model: String },
    Tool { server: String, tool: String },
    Server { server: String, action: Action },
    Program(String),
}

impl Key {
    fn of(case: &Case<'_>) -> Self {
        let operation = case.operation;
        let target = match &operation.subject {
            Subject::Http(call) => Target::Host(call.endpoint.host.clone()),
            Subject::Llm(call) => Target::Model {
                host: call.endpoint.host.clone(),
                provider: call.provider.clone(),
                model: call.model.clone(),
            },
            Subject::Mcp(call) => Target::Tool { server: call.server.clone(), tool: call.resource() },
            Subject::McpAsk(ask) => Target::Server { server: ask.server.clone(), action: operation.action() },
            Subject::Shell(_) => Target::Program(case.program().to_owned()),
        };
        Self {
            agent: operation.principal.agent.clone(),
            team: operation.principal.team.clone(),
            class: case.class,
            target,
        }
    }
}

/// A request without its context.
pub(crate) struct Prepared {
    pub principal: EntityUid,
    pub action: EntityUid,
    pub resource: EntityUid,
    pub entities: Entities,
    pub rules: Arc<Slice>,
    pub standing: Arc<Slice>,
    pub observing: [Arc<Slice>; 2],
}

impl PolicySet {
    /// # Errors
    /// When Cedar refuses the entities; then nothing can be decided.
    pub(crate) fn prepare(&self, case: &Case<'_>) -> Result<Arc<Prepared>, String> {
        let key = Key::of(case);
        if let Some(known) = self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(known));
        }
        let prepared = Arc::new(self.build(&key, case.operation.action())?);
        let mut all = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(key, Arc::clone(&prepared));
        Ok(prepared)
    }

    fn build(&self, key: &Key, action: Action) -> Result<Prepared, String> {
        let names = &self.vocabulary.names;
        let team: Lineage = key.team.iter().map(|team| uid(&names.agent_group, team.as_str())).collect();
        let agent = uid(&names.agent, key.agent.as_str());
        let verb = names.action(action);
        let class = vec![names.class(key.class)];
        let mut entities = vec![entity(&agent, &team), entity(&verb, &class)];
        let (resource, above) = match &key.target {
            Target::Host(host) => self.host(host, &mut entities),
            Target::Model { host, provider, model } => {
                let (host, around) = self.host(host, &mut entities);
                let model = uid(&names.model, model);
                let above = vec![uid(&names.provider, provider), host];
                entities.push(entity(&model, &above));
                (model, above.into_iter().chain(around).collect())
            }
            Target::Tool { server, tool } => {
                let (tool, above) = (uid(&names.mcp_tool, tool), vec![uid(&names.mcp_server, server)]);
                entities.push(entity(&tool, &above));
                (tool, above)
            }
            Target::Server { server, .. } => {
                let server = uid(&names.mcp_server, server);
                entities.push(entity(&server, &Vec::new()));
                (server, Vec::new())
            }
            Target::Program(program) => {
                let program = uid(&names.program, program);
                entities.push(entity(&program, &Vec::new()));
                (program, Vec::new())
            }
        };
        let lineages = [lineage(&agent, team), lineage(&verb, class), lineage(&resource, above)];
        let [principal, verbs, resources] = &lineages;
        Ok(Prepared {
            rules: self.rules.slice(action, [principal, verbs, resources]),
            standing: self.standing.slice(action, [principal, verbs, resources]),
            observing: self.observing.each_ref().map(|table| table.slice(action, [principal, verbs, resources])),
            entities: Entities::from_entities(entities, None).map_err(|error| error.to_string())?,
            principal: agent,
            action: verb,
            resource,
        })
    }
}

impl PolicySet {
    /// A host with the patterns and groups it lies in.
    fn host(&self, host: &Host, entities: &mut Vec<Entity>) -> (EntityUid, Lineage) {
        let names = &self.vocabulary.names;
        let own = uid(&names.host, &host.to_string());
        let (wildcard, groups) = self.vocabulary.groups.of(host);
        let mut around: Lineage = wildcard.iter().map(|pattern| uid(&names.host, pattern)).collect();
        around.extend(groups.into_iter().map(|group| uid(&names.host_group, group)));
        entities.push(entity(&own, &around));
        (own, around)
    }
}

fn entity(uid: &EntityUid, parents: &Lineage) -> Entity {
    Entity::new_no_attrs(uid.clone(), parents.iter().cloned().collect())
}

fn lineage(own: &EntityUid, above: Lineage) -> Lineage {
    std::iter::once(own.clone()).chain(above).collect()
}
