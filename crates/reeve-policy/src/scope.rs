//! Which requests a rule can concern at all, by its head and first condition: what the set is sliced by.

use cedar_policy::{ActionConstraint, EntityTypeName, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};

use reeve_domain::id::{AgentId, TeamId};

use crate::condition::Reading;

/// Bounds of a rule. `None` bounds nothing.
#[derive(Debug)]
pub(crate) struct Scope {
    principal: Option<EntityUid>,
    actions: Option<Vec<EntityUid>>,
    resource_type: Option<EntityTypeName>,
    resources: Option<Vec<EntityUid>>,
}

/// One side of a request with everything it lies in, itself first.
pub(crate) type Lineage = Vec<EntityUid>;

impl Scope {
    pub fn of(policy: &Policy, reading: &Reading) -> Self {
        let principal = match policy.principal_constraint() {
            PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
            PrincipalConstraint::Eq(uid) | PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => {
                Some(uid)
            }
        };
        let actions = match policy.action_constraint() {
            ActionConstraint::Any => None,
            ActionConstraint::Eq(uid) => Some(vec![uid]),
            ActionConstraint::In(uids) => Some(uids),
        };
        let (resource_type, head) = match policy.resource_constraint() {
            ResourceConstraint::Any => (None, None),
            ResourceConstraint::Is(kind) => (Some(kind), None),
            ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) => (None, Some(uid)),
            ResourceConstraint::IsIn(kind, uid) => (Some(kind), Some(uid)),
        };
        let resources = head.map(|uid| vec![uid]).or_else(|| reading.resources.clone());
        Self { principal, actions, resource_type, resources }
    }

    /// Whether the rule's head names this agent or its team (`Some(true)`) or leaves it open whom it is for
    /// (`Some(false)`); `None` for a rule of others. Its conditions may still narrow it.
    pub fn concerns(&self, agent: &AgentId, team: Option<&TeamId>) -> Option<bool> {
        let Some(uid) = &self.principal else { return Some(false) };
        let id: &str = uid.id().as_ref();
        let named = match uid.type_name().basename() {
            "Agent" => id == agent.as_str(),
            _ => team.is_some_and(|team| id == team.as_str()),
        };
        named.then_some(true)
    }

    /// The entities of which the resource must be, or lie in, one; `None`: any.
    pub fn resources(&self) -> Option<&[EntityUid]> {
        self.resources.as_deref()
    }

    /// Whether the rule says at which hosts it holds.
    pub fn names_hosts(&self) -> bool {
        self.resources
            .as_ref()
            .is_some_and(|uids| uids.iter().all(|uid| matches!(uid.type_name().basename(), "Host" | "HostGroup")))
    }

    /// Whether the rule can concern this request, the bound by resources apart. Never false for one that it does concern.
    pub fn admits(&self, principal: &Lineage, action: &Lineage, resource: &Lineage) -> bool {
        self.principal.as_ref().is_none_or(|uid| principal.contains(uid))
            && self.actions.as_ref().is_none_or(|uids| uids.iter().any(|uid| action.contains(uid)))
            && self.resource_type.as_ref().is_none_or(|kind| resource.first().is_some_and(|r| r.type_name() == kind))
    }
}
