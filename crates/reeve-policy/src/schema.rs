//! The vocabulary of rules: the Cedar schema, the entity types and the groups of hosts, all shipped with Reeve.

use std::collections::{BTreeMap, HashMap, HashSet};

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema, Validator};
use reeve_domain::host::{Host, HostPattern};
use reeve_domain::operation::Action;
use serde::Deserialize;

use crate::error::{PolicyError, Problem};
use crate::facts::Class;

/// The Cedar schema that every rule is checked against.
pub const SCHEMA: &str = include_str!("../../../policies/schema.cedarschema");
const HOSTS: &str = include_str!("../../../policies/hosts.yaml");

/// Entity types that requests are made of, parsed once.
#[derive(Debug)]
pub(crate) struct Names {
    pub agent: EntityTypeName,
    pub agent_group: EntityTypeName,
    pub session: EntityTypeName,
    pub user: EntityTypeName,
    pub host: EntityTypeName,
    pub host_group: EntityTypeName,
    pub provider: EntityTypeName,
    pub model: EntityTypeName,
    pub mcp_server: EntityTypeName,
    pub mcp_tool: EntityTypeName,
    pub program: EntityTypeName,
    pub action: EntityTypeName,
}

impl Names {
    fn new() -> Result<Self, cedar_policy::ParseErrors> {
        Ok(Self {
            agent: "Agent".parse()?,
            agent_group: "AgentGroup".parse()?,
            session: "Session".parse()?,
            user: "User".parse()?,
            host: "Host".parse()?,
            host_group: "HostGroup".parse()?,
            provider: "Provider".parse()?,
            model: "Model".parse()?,
            mcp_server: "McpServer".parse()?,
            mcp_tool: "McpTool".parse()?,
            program: "Program".parse()?,
            action: "Action".parse()?,
        })
    }

    pub fn action(&self, action: Action) -> EntityUid {
        uid(&self.action, action.as_str())
    }

    pub fn class(&self, class: Class) -> EntityUid {
        uid(&self.action, class.as_str())
    }
}

pub(crate) fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// Everything a rule may name.
pub(crate) struct Vocabulary {
    pub names: Names,
    pub validator: Validator,
    pub groups: HostGroups,
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("groups", &self.groups).finish_non_exhaustive()
    }
}

impl Vocabulary {
    /// # Errors
    /// When a shipped file is broken.
    pub fn shipped() -> Result<Self, PolicyError> {
        let broken = |file: &str, message: String| {
            PolicyError::Policy(vec![Problem { file: file.to_owned(), line: 0, column: 0, length: 0, message }])
        };
        let (schema, _) =
            Schema::from_cedarschema_str(SCHEMA).map_err(|e| broken("schema.cedarschema", e.to_string()))?;
        let names = Names::new().map_err(|e| broken("schema.cedarschema", e.to_string()))?;
        let groups = HostGroups::read(HOSTS).map_err(|e| broken("hosts.yaml", e))?;
        Ok(Self { names, validator: Validator::new(schema), groups })
    }
}

/// A fact as the schema describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Documented {
    /// Name of the action it belongs to.
    pub action: String,
    pub name: String,
    /// Its Cedar type.
    pub kind: String,
    pub optional: bool,
    /// The comment above it; empty where there is none.
    pub doc: String,
}

/// The facts of a schema that is written like ours: one `action "name" …` a block, one fact a line, comments above.
pub(crate) fn documented(schema: &str) -> Vec<Documented> {
    let (mut action, mut doc) = (String::new(), Vec::new());
    let mut out = Vec::new();
    for line in schema.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//") {
            doc.push(comment.trim().to_owned());
            continue;
        }
        if let Some(rest) = line.strip_prefix("action \"") {
            action = rest.split('"').next().unwrap_or_default().to_owned();
        } else if let Some((name, kind)) = line.strip_suffix(',').and_then(|fact| fact.split_once(": "))
            && !matches!(name, "principal" | "resource")
        {
            let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
            let (name, kind) = (name.to_owned(), kind.to_owned());
            out.push(Documented { action: action.clone(), name, kind, optional, doc: doc.join(" ") });
        }
        doc.clear();
    }
    out
}

/// Which groups a host, or a pattern over one label, belongs to.
#[derive(Debug)]
pub(crate) struct HostGroups {
    members: HashMap<String, Vec<String>>,
    names: HashSet<String>,
}

impl HostGroups {
    fn read(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            groups: BTreeMap<String, Vec<HostPattern>>,
        }
        let file: File = serde_saphyr::from_str(text).map_err(|e| e.to_string())?;
        let mut members: HashMap<String, Vec<String>> = HashMap::new();
        for (group, patterns) in &file.groups {
            for pattern in patterns {
                members.entry(pattern.to_string()).or_default().push(group.clone());
            }
        }
        Ok(Self { members, names: file.groups.into_keys().collect() })
    }

    /// Every group, in order.
    pub fn all(&self) -> Vec<String> {
        let mut names: Vec<String> = self.names.iter().cloned().collect();
        names.sort();
        names
    }

    pub fn knows(&self, group: &str) -> bool {
        self.names.contains(group)
    }

    /// The pattern over one label that covers this host, and every group that names either.
    pub fn of(&self, host: &Host) -> (Option<String>, Vec<&str>) {
        let wildcard = parent(host).map(|parent| format!("*.{parent}"));
        let exact = host.to_string();
        let mut groups: Vec<&str> = [Some(&exact), wildcard.as_ref()]
            .into_iter()
            .flatten()
            .filter_map(|key| self.members.get(key))
            .flatten()
            .map(String::as_str)
            .collect();
        groups.sort_unstable();
        groups.dedup();
        (wildcard, groups)
    }
}

/// The name without its first label; `None` for addresses and names of one label.
pub(crate) fn parent(host: &Host) -> Option<&str> {
    host.name().and_then(|name| name.split_once('.')).map(|(_, parent)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_group_covers_one_label_and_neither_the_apex_nor_two_labels() {
        let groups = HostGroups::read("groups: { g: ['*.example.com'] }").unwrap();
        let of = |host: &str| groups.of(&Host::parse(host).unwrap()).1.len();
        assert_eq!(of("a.example.com"), 1);
        assert_eq!(of("example.com"), 0);
        assert_eq!(of("a.b.example.com"), 0);
    }

    #[test]
    fn the_shipped_vocabulary_loads() {
        let vocabulary = Vocabulary::shipped().unwrap();
        assert!(vocabulary.groups.knows("language-models"));
        assert!(!vocabulary.groups.knows("langage-models"));
    }
}
