//! Arguments and results against the schemas that a tool's definition carries. Schemas are foreign: nothing they refer to is
//! fetched, and none takes long.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::{Location, LocationSegment};
use jsonschema::{JsonType, PatternOptions, ValidationError, Validator};
use parking_lot::Mutex;
use reeve_domain::operation::{Digest, SchemaCheck, SchemaProblem};
use serde_json::Value;
use tokio::sync::Semaphore;

/// Largest schema that is read, in bytes, and its deepest nest.
const LARGEST: usize = 256 * 1024;
const DEEPEST: usize = 64;
/// Most schemas that are kept ready.
const KEPT: usize = 256;
/// Most problems of one value that are told, and most characters of each part.
const TOLD: usize = 8;
const CHARACTERS: usize = 200;
/// Longest check; and how many may take long at the same time.
const LONGEST: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 4;
/// Memory that a pattern in a schema may take, in bytes.
const PATTERN: usize = 1 << 20;

/// A schema made ready, or why it could not be.
type Ready = Arc<Result<Validator, String>>;

/// Schemas made ready once; shared by all calls.
pub struct Schemas {
    ready: Mutex<HashMap<Digest, Ready>>,
    slots: Arc<Semaphore>,
}

impl Default for Schemas {
    fn default() -> Self {
        Self { ready: Mutex::default(), slots: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

impl Schemas {
    /// Holds a value against a schema. A schema that cannot be read is one that nothing fits, because the server means
    /// something by it that Reeve cannot tell.
    pub async fn check(&self, schema: &Value, value: Value) -> SchemaCheck {
        let text = schema.to_string();
        if text.len() > LARGEST || depth(schema) > DEEPEST {
            return unusable("the schema is too large");
        }
        let digest = Digest::of(text.as_bytes());
        let known = self.ready.lock().get(&digest).cloned();
        let slots = Arc::clone(&self.slots);
        // Copied only where it is read for the first time: schemas are large, and calls are many.
        let made = known.is_none().then(|| schema.clone());
        // A place is waited for within the same time: many short checks at once are no reason to refuse one.
        let work = async move {
            let slot = slots.acquire_owned().await.ok()?;
            let work = tokio::task::spawn_blocking(move || {
                let ready = known.or_else(|| made.map(|schema| Arc::new(prepare(&schema))))?;
                let check = held(&ready, &value);
                // Given back when it is done, not when nobody waits for it any more.
                drop(slot);
                Some((ready, check))
            });
            work.await.ok().flatten()
        };
        match tokio::time::timeout(LONGEST, work).await {
            Ok(Some((ready, check))) => {
                let mut all = self.ready.lock();
                if all.len() >= KEPT && !all.contains_key(&digest) {
                    all.clear();
                }
                all.insert(digest, ready);
                check
            }
            Ok(None) | Err(_) => unusable("the check, or those before it, take too long"),
        }
    }
}

fn prepare(schema: &Value) -> Result<Validator, String> {
    let patterns = PatternOptions::regex().size_limit(PATTERN).dfa_size_limit(PATTERN);
    let options = jsonschema::options().with_retriever(Nowhere).with_pattern_options(patterns);
    options.build(schema).map_err(|error| cut(&error.masked().to_string()))
}

/// Fetches nothing.
struct Nowhere;

impl jsonschema::Retrieve for Nowhere {
    fn retrieve(&self, uri: &jsonschema::Uri<String>) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        Err(format!("`{uri}` is not part of the schema, and nothing is fetched").into())
    }
}

fn held(ready: &Result<Validator, String>, value: &Value) -> SchemaCheck {
    let validator = match ready {
        Ok(validator) => validator,
        Err(why) => return unusable(&format!("the schema cannot be read: {why}")),
    };
    let problems: Vec<SchemaProblem> = validator.iter_errors(value).take(TOLD).flat_map(|error| told(&error)).collect();
    if problems.is_empty() { SchemaCheck::Fits } else { SchemaCheck::Fails { problems } }
}

fn unusable(why: &str) -> SchemaCheck {
    let problem = SchemaProblem {
        path: String::new(),
        expected: "such that the tool's schema can be held against them".to_owned(),
        found: why.to_owned(),
    };
    SchemaCheck::Fails { problems: vec![problem] }
}

fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 1)];
    while let Some((value, depth)) = left.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => left.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    deepest
}

/// What is wrong, where, and what would be right; never the value itself.
fn told(error: &ValidationError<'_>) -> Vec<SchemaProblem> {
    let path = path(error.instance_path());
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    let problem = |path: String, expected: String, found: &str| SchemaProblem {
        path: cut(&path),
        expected: cut(&expected),
        found: found.to_owned(),
    };
    let kind = kind_of(error.instance());
    match error.kind() {
        Kind::Required { property } => {
            vec![problem(at(property.as_str().unwrap_or_default()), "given".to_owned(), "missing")]
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let one =
                |name: &String| problem(at(name), "left out, because the tool does not know it".to_owned(), "given");
            unexpected.iter().take(TOLD).map(one).collect()
        }
        other => vec![problem(path, expected(other), kind)],
    }
}

fn expected(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind: TypeKind::Single(one) } => type_word(*one).to_owned(),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            several.iter().map(type_word).collect::<Vec<_>>().join(" or ")
        }
        Kind::Enum { options } => match options.as_array() {
            Some(options) => {
                format!("one of {}", options.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", "))
            }
            None => "one of what the schema lists".to_owned(),
        },
        Kind::Constant { expected_value } => format!("`{expected_value}`"),
        Kind::Minimum { limit } => format!("at least {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("more than {limit}"),
        Kind::Maximum { limit } => format!("at most {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("less than {limit}"),
        Kind::MinLength { limit } => format!("at least {limit} characters long"),
        Kind::MaxLength { limit } => format!("at most {limit} characters long"),
        Kind::MinItems { limit } => format!("a list of at least {limit}"),
        Kind::MaxItems { limit } => format!("a list of at most {limit}"),
        Kind::Pattern { pattern } => format!("a text that fits `{pattern}`"),
        Kind::Format { format } => format!("a text of the form `{format}`"),
        Kind::UniqueItems => "a list in which nothing stands twice".to_owned(),
        Kind::FalseSchema => "left out".to_owned(),
        other => format!("as `{}` in the tool's schema says", other.keyword()),
    }
}

fn type_word(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Null => "null",
        JsonType::Number => "a number",
        JsonType::Object => "an object",
        JsonType::String => "a text",
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a whole number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// As arguments are named elsewhere: `options.ids[0]`.
fn path(location: &Location) -> String {
    let mut out = String::new();
    for segment in location {
        match segment {
            LocationSegment::Index(at) => out.push_str(&format!("[{at}]")),
            LocationSegment::Property(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(&name.replace('\\', r"\\").replace('.', r"\.").replace('[', r"\["));
            }
        }
    }
    out
}

fn cut(text: &str) -> String {
    reeve_protocol::redact::words(text).chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn check(schema: Value, value: Value) -> SchemaCheck {
        Schemas::default().check(&schema, value).await
    }

    async fn problem(schema: Value, value: Value) -> (String, String, String) {
        match check(schema, value).await {
            SchemaCheck::Fails { problems } => {
                let first = problems.first().unwrap();
                (first.path.clone(), first.expected.clone(), first.found.clone())
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_by_field_by_what_was_expected_and_by_what_came() {
        let schema = json!({
            "type": "object",
            "required": ["query"],
            "additionalProperties": false,
            "properties": {
                "query": { "type": "string", "maxLength": 20 },
                "options": { "properties": { "ids": { "items": { "type": "integer", "minimum": 1 } } } },
                "mode": { "enum": ["read", "write"] },
            },
        });
        assert_eq!(
            check(schema.clone(), json!({ "query": "x", "options": { "ids": [1, 2] } })).await,
            SchemaCheck::Fits
        );
        for (value, path, expected, found) in [
            (json!({}), "query", "given", "missing"),
            (json!({ "query": 5 }), "query", "a text", "a whole number"),
            (json!({ "query": "x", "options": { "ids": [1, "2"] } }), "options.ids[1]", "a whole number", "a text"),
            (json!({ "query": "x", "options": { "ids": [0] } }), "options.ids[0]", "at least 1", "a whole number"),
            (json!({ "query": "x", "mode": "drop" }), "mode", "one of `\"read\"`, `\"write\"`", "a text"),
            (json!({ "query": "x", "x.y": 1 }), "x.y", "left out, because the tool does not know it", "given"),
            (json!({ "query": "hunter2 hunter2 hunter2" }), "query", "at most 20 characters long", "a text"),
        ] {
            let told = problem(schema.clone(), value).await;
            assert_eq!(told, (path.to_owned(), expected.to_owned(), found.to_owned()));
        }
    }

    #[tokio::test]
    async fn the_draft_is_the_one_that_the_schema_names() {
        let of = |draft: &str| json!({ "$schema": draft, "items": [{ "type": "string" }], "additionalItems": false });
        let value = json!(["a", "b"]);
        assert!(matches!(
            check(of("http://json-schema.org/draft-07/schema#"), value.clone()).await,
            SchemaCheck::Fails { .. }
        ));
        let newer = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "prefixItems": [{ "type": "string" }], "items": false });
        assert!(matches!(check(newer, value).await, SchemaCheck::Fails { .. }));
    }

    #[tokio::test]
    async fn nothing_is_fetched_and_a_schema_that_cannot_be_read_fits_nothing() {
        for schema in [
            json!({ "$ref": "http://127.0.0.1:1/schema.json" }),
            json!({ "$ref": "file:///etc/passwd" }),
            json!({ "type": "no such type" }),
            json!({ "properties": { "a": { "pattern": "(?=x)" } } }),
        ] {
            let (_, _, found) = problem(schema, json!({ "a": "x" })).await;
            assert!(found.contains("cannot be read"), "{found}");
        }
        let deep = (0..200).fold(json!({}), |inner, _| json!({ "not": inner }));
        assert!(problem(deep, json!({})).await.2.contains("too large"));
    }

    #[tokio::test]
    async fn more_checks_at_once_than_there_are_places_wait_for_one() {
        let schemas = Schemas::default();
        let places = Arc::clone(&schemas.slots).acquire_many_owned(4).await.unwrap();
        let (schema, value) = (json!({ "type": "object" }), json!({}));
        let given_back = async {
            tokio::task::yield_now().await;
            drop(places);
        };
        let (check, ()) = tokio::join!(schemas.check(&schema, value), given_back);
        assert_eq!(check, SchemaCheck::Fits);
    }

    #[tokio::test]
    async fn references_inside_are_followed_also_where_they_lead_back() {
        let tree = json!({ "$defs": { "node": { "type": "object", "properties": { "next": { "$ref": "#/$defs/node" } } } }, "$ref": "#/$defs/node" });
        assert_eq!(check(tree.clone(), json!({ "next": { "next": {} } })).await, SchemaCheck::Fits);
        assert_eq!(problem(tree, json!({ "next": { "next": 1 } })).await.0, "next.next");
    }
}
