//! What a rule's conditions read: which facts, whether an approval, and which resources they demand before anything else.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use serde_json::Value;

/// What the conditions of one rule look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Reading {
    /// It looks at `context.approved`.
    pub approved: bool,
    /// Attributes of the context it names.
    pub facts: BTreeSet<String>,
    /// It uses the context as a whole, so that every fact must be there.
    pub whole: bool,
    /// The very first thing evaluated after the head is that the resource is, or lies in, one of these. Only the first
    /// may count: what stands before it could fail to evaluate, and a slice must not hide that.
    pub resources: Option<Vec<EntityUid>>,
}

impl Reading {
    /// From Cedar's JSON form of a policy.
    pub fn of(policy: &Value) -> Self {
        let mut out = Self::default();
        let conditions = policy.get("conditions").and_then(Value::as_array);
        for condition in conditions.into_iter().flatten() {
            out.walk(condition);
        }
        let first = conditions.and_then(|all| all.first());
        out.resources = first
            .filter(|condition| condition.get("kind").and_then(Value::as_str) == Some("when"))
            .and_then(|condition| condition.get("body"))
            .map(leftmost)
            .and_then(demanded);
        out
    }

    fn walk(&mut self, node: &Value) {
        match node {
            Value::Object(fields) => {
                for (key, inner) in fields {
                    match attribute(key, inner) {
                        Some(name) => {
                            self.approved |= name == "approved";
                            self.facts.insert(name.to_owned());
                        }
                        None if key == "Var" && inner == "context" => self.whole = true,
                        None => self.walk(inner),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            _ => {}
        }
    }
}

/// The name in `context.name` and `context has name`.
fn attribute<'a>(operator: &str, operands: &'a Value) -> Option<&'a str> {
    let on_context = operands.get("left").is_some_and(is_var("context"));
    if !on_context {
        return None;
    }
    match operator {
        "." | "has" => operands.get("attr").and_then(Value::as_str),
        _ => None,
    }
}

fn is_var(name: &'static str) -> impl Fn(&Value) -> bool {
    move |node| node.get("Var").and_then(Value::as_str) == Some(name)
}

/// The operand of a chain of `&&` that is evaluated first.
fn leftmost(mut node: &Value) -> &Value {
    while let Some(left) = node.get("&&").and_then(|and| and.get("left")) {
        node = left;
    }
    node
}

/// The entities in `resource in X`, `resource in [X, …]` and `resource == X`.
fn demanded(node: &Value) -> Option<Vec<EntityUid>> {
    let operands = node.get("in").or_else(|| node.get("=="))?;
    if !operands.get("left").is_some_and(is_var("resource")) {
        return None;
    }
    let right = operands.get("right")?;
    match right.get("Set").and_then(Value::as_array) {
        Some(items) => items.iter().map(literal).collect(),
        None => literal(right).map(|uid| vec![uid]),
    }
}

fn literal(node: &Value) -> Option<EntityUid> {
    EntityUid::from_json(node.get("Value")?.clone()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(conditions: &str) -> Reading {
        let text = format!("forbid (principal, action, resource) {conditions};");
        let policy: cedar_policy::Policy = text.parse().unwrap();
        Reading::of(&policy.to_json().unwrap())
    }

    #[test]
    fn the_facts_a_rule_reads_are_found_wherever_they_stand() {
        let read = reading(r#"when { context.host == "a" && [context.port].contains(1) } unless { context has team }"#);
        assert_eq!(read.facts.iter().map(String::as_str).collect::<Vec<_>>(), ["host", "port", "team"]);
        assert!(!read.whole && !read.approved);
        assert!(reading("unless { context.approved }").approved);
        assert!(reading("when { context == {} }").whole);
    }

    #[test]
    fn only_a_resource_that_is_demanded_first_bounds_a_rule() {
        let count = |conditions| reading(conditions).resources.map(|uids| uids.len());
        assert_eq!(count(r#"when { resource in [Host::"a", Host::"b"] && context.approved }"#), Some(2));
        assert_eq!(count(r#"when { resource == Host::"a" } when { context.approved }"#), Some(1));
        assert_eq!(count(r#"when { context.approved && resource == Host::"a" }"#), None);
        assert_eq!(count(r#"when { resource == Host::"a" || context.approved }"#), None);
        assert_eq!(count(r#"unless { resource == Host::"a" }"#), None);
    }
}
