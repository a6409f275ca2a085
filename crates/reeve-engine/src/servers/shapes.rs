//! What the results of a tool look like: where values stand and of which type, learned from the results themselves. A field
//! that is new, missing or of another type than before is told once, and then belongs to what was seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use reeve_domain::operation::Digest;
use reeve_domain::server::ShapeChange;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Results that are looked at before differences are told.
const LEARNING: u64 = 3;
/// Most paths of one shape; deeper and further ones are not looked at.
const MOST_PATHS: usize = 300;
const DEEPEST: usize = 8;
/// Fields of one object beyond which its names are taken for data.
const MOST_FIELDS: usize = 40;
/// Most items of a list that are looked at.
const MOST_ITEMS: usize = 50;
/// Longest name of a field, in bytes.
const LONGEST_FIELD: usize = 64;
/// Drifts that are kept; after so many new fields, more of them are no news.
const MOST_DRIFTS: usize = 20;
/// Shapes held in memory at a time.
const MOST_SHAPES: usize = 500;

/// Differences that one result showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    pub at: DateTime<Utc>,
    pub changes: Vec<ShapeChange>,
}

/// What was seen at one place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Field {
    types: BTreeSet<String>,
    /// It was left out of a result that had what it stands in.
    optional: bool,
}

/// What the results of one version of a tool looked like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Shape {
    /// Results that were learned from before it was settled.
    results: u64,
    fields: BTreeMap<String, Field>,
    /// Oldest first.
    pub drifts: Vec<Drift>,
}

impl Shape {
    /// Every path with the types seen there.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.fields.iter().map(|(path, field)| (path.as_str(), field.types.iter().map(String::as_str).collect()))
    }

    /// Takes a result in; what is different from before, and whether anything was learned.
    fn learn(&mut self, result: &Value, at: DateTime<Utc>) -> (bool, Vec<ShapeChange>) {
        let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        walk(told(result), "", 0, &mut seen);
        let settled = self.results >= LEARNING;
        let (mut learned, mut changes) = (!settled, Vec::new());
        for (path, types) in &seen {
            let Some(field) = self.fields.get_mut(path) else {
                learned |= self.fields.len() < MOST_PATHS;
                if self.fields.len() < MOST_PATHS {
                    // What a result before this one did not have is optional.
                    let field = Field { types: types.clone(), optional: self.results > 0 };
                    self.fields.insert(path.clone(), field);
                    changes.extend(types.iter().map(|one| change(path, &BTreeSet::new(), Some(one))));
                }
                continue;
            };
            let before = field.types.clone();
            for one in types.difference(&before) {
                // Whether a value is there at all is no type of its own.
                if one != "null" && before.iter().any(|known| known != "null") {
                    changes.push(change(path, &before, Some(one)));
                }
                field.types.insert(one.clone());
                learned = true;
            }
        }
        let absent: Vec<String> = self
            .fields
            .iter()
            .filter(|(path, field)| !field.optional && !seen.contains_key(*path) && holder_is_there(path, &seen))
            .map(|(path, _)| path.clone())
            .collect();
        for path in absent {
            if let Some(field) = self.fields.get_mut(&path) {
                field.optional = true;
                learned = true;
                changes.push(change(&path, &field.types, None));
            }
        }
        self.results += u64::from(!settled);
        if !settled || self.drifts.len() >= MOST_DRIFTS && changes.iter().all(|change| change.before.is_empty()) {
            changes.clear();
        }
        if !changes.is_empty() {
            self.drifts.push(Drift { at, changes: changes.clone() });
            if self.drifts.len() > MOST_DRIFTS {
                self.drifts.remove(0);
            }
        }
        (learned, changes)
    }
}

fn change(path: &str, before: &BTreeSet<String>, after: Option<&String>) -> ShapeChange {
    ShapeChange { path: path.to_owned(), before: before.iter().cloned().collect(), after: after.cloned() }
}

/// Whether what the field stands in is in this result: a field of a list without items is not missing.
fn holder_is_there(path: &str, seen: &BTreeMap<String, BTreeSet<String>>) -> bool {
    if path.is_empty() || path.ends_with("[]") {
        return false;
    }
    let holder = path.rsplit_once('.').map_or("", |(above, _)| above);
    seen.get(holder).is_some_and(|types| types.contains("object"))
}

/// What of a result is data: its structured content, else its text where that is JSON, else the kinds of its content.
fn told(result: &Value) -> Value {
    if let Some(structured) = result.get("structuredContent").filter(|content| !content.is_null()) {
        return structured.clone();
    }
    let content = result.get("content").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let only = if let [only] = content { only.get("text").and_then(Value::as_str) } else { None };
    let parsed = only.and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(data) = parsed.filter(|data| data.is_object() || data.is_array()) {
        return data;
    }
    let kind = |item: &Value| item.get("type").and_then(Value::as_str).map(|kind| Value::String(kind.to_owned()));
    let kinds: serde_json::Map<String, Value> =
        content.iter().filter_map(kind).filter_map(|kind| Some((kind.as_str()?.to_owned(), kind.clone()))).collect();
    Value::Object(serde_json::Map::from_iter([("content".to_owned(), Value::Object(kinds))]))
}

fn walk(value: Value, path: &str, depth: usize, seen: &mut BTreeMap<String, BTreeSet<String>>) {
    if seen.len() >= MOST_PATHS {
        return;
    }
    seen.entry(path.to_owned()).or_default().insert(type_of(&value).to_owned());
    if depth >= DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            let many = fields.len() > MOST_FIELDS;
            for (name, value) in fields {
                let name = if many || !is_name(&name) { "*" } else { &name };
                let below = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                walk(value, &below, depth + 1, seen);
            }
        }
        Value::Array(items) => {
            let below = format!("{path}[]");
            items.into_iter().take(MOST_ITEMS).for_each(|item| walk(item, &below, depth + 1, seen));
        }
        _ => {}
    }
}

/// Whether it reads like a field and not like data: dates, numbers, paths and ids are data.
fn is_name(name: &str) -> bool {
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let begins = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    begins
        && name.len() <= LONGEST_FIELD
        && digits < 4
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

/// Server, tool and the definition's hash.
pub(super) type Key = (String, String, Digest);

/// The shapes of tools in use.
#[derive(Debug, Default)]
pub(super) struct Shapes(HashMap<Key, Shape>);

impl Shapes {
    pub(super) fn knows(&self, key: &Key) -> bool {
        self.0.contains_key(key)
    }

    /// As it was kept; what cannot be read is learned anew.
    pub(super) fn put(&mut self, key: &Key, kept: Option<&str>) {
        if self.0.len() >= MOST_SHAPES {
            self.0.clear();
        }
        let shape = kept.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        self.0.entry(key.clone()).or_insert(shape);
    }

    /// The shape as JSON and what drifted, where anything was learned.
    pub(super) fn learn(&mut self, key: &Key, result: &Value, at: DateTime<Utc>) -> Option<(String, Vec<ShapeChange>)> {
        let shape = self.0.get_mut(key)?;
        let (learned, changes) = shape.learn(result, at);
        let text = serde_json::to_string(shape).ok()?;
        learned.then_some((text, changes))
    }

    pub(super) fn forget(&mut self, server: &str) {
        self.0.retain(|(name, _, _), _| name != server);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn structured(data: &Value) -> Value {
        json!({ "content": [], "structuredContent": data })
    }

    fn settled(data: &Value) -> Shape {
        let mut shape = Shape::default();
        for _ in 0..LEARNING {
            assert_eq!(shape.learn(&structured(data), DateTime::UNIX_EPOCH).1, []);
        }
        shape
    }

    fn drift(shape: &mut Shape, data: &Value) -> Vec<(String, Vec<String>, Option<String>)> {
        let (_, changes) = shape.learn(&structured(data), DateTime::UNIX_EPOCH);
        changes.into_iter().map(|change| (change.path, change.before, change.after)).collect()
    }

    #[test]
    fn a_new_a_missing_and_a_retyped_field_are_told_once() {
        let mut shape = settled(&json!({ "rows": [{ "id": 1, "name": "a" }], "total": 1 }));
        let told = drift(&mut shape, &json!({ "rows": [{ "id": "1", "extra": true }], "total": 1 }));
        let text = |words: &str| words.to_owned();
        assert_eq!(
            told,
            [
                (text("rows[].extra"), vec![], Some(text("boolean"))),
                (text("rows[].id"), vec![text("number")], Some(text("text"))),
                (text("rows[].name"), vec![text("text")], None),
            ]
        );
        assert_eq!(drift(&mut shape, &json!({ "rows": [{ "id": "1", "extra": true }], "total": 1 })), []);
        assert_eq!(shape.drifts.len(), 1);
    }

    #[test]
    fn an_empty_list_an_optional_field_and_null_are_no_drift() {
        let mut shape = Shape::default();
        for data in
            [json!({ "rows": [{ "id": 1 }], "next": "a" }), json!({ "rows": [{ "id": 2 }] }), json!({ "rows": [] })]
        {
            assert_eq!(drift(&mut shape, &data), []);
        }
        assert_eq!(drift(&mut shape, &json!({ "rows": [], "next": "b" })), []);
        assert_eq!(drift(&mut shape, &json!({ "rows": [{ "id": null }], "next": "b" })), []);
    }

    #[test]
    fn names_that_are_data_and_whole_floods_of_names_do_not_drift() {
        let mut shape = settled(&json!({ "2026-11-20": 1, "user_99213": 2 }));
        assert_eq!(drift(&mut shape, &json!({ "2026-11-21": 1, "user_10001": 2 })), []);
        let many: serde_json::Map<String, Value> = (0..2000).map(|n| (format!("k{n}"), json!(n))).collect();
        drift(&mut shape, &Value::Object(many));
        assert!(shape.fields.len() <= MOST_PATHS);
    }

    #[test]
    fn text_that_is_json_is_read_and_other_text_is_only_text() {
        let mut shape = Shape::default();
        let text = |text: &str| json!({ "content": [{ "type": "text", "text": text }] });
        for _ in 0..LEARNING {
            shape.learn(&text(r#"{"a":1}"#), DateTime::UNIX_EPOCH);
        }
        let (_, changes) = shape.learn(&text(r#"{"a":"x"}"#), DateTime::UNIX_EPOCH);
        assert_eq!(changes.len(), 1);
        let mut plain = Shape::default();
        for words in ["one", "two", "three", "four", "five"] {
            assert_eq!(plain.learn(&text(words), DateTime::UNIX_EPOCH).1, []);
        }
    }

    #[test]
    fn a_shape_reads_back_as_it_was_kept() {
        let shape = settled(&json!({ "a": [{ "b": null }] }));
        let text = serde_json::to_string(&shape).unwrap();
        assert_eq!(serde_json::from_str::<Shape>(&text).unwrap(), shape);
    }
}
