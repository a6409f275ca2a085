//! How many rows a call would change, found out before it is made: by a preview that is an operation of its own. What it
//! found stands for this very call, for a short time, and for nothing else.

use std::time::{Duration, Instant};

use reeve_domain::obligation::{DataAction, Obligation, Preview};
use reeve_domain::operation::{ArgumentValue, Operation, Purpose, RowCount};
use reeve_domain::verdict::{Decision, Denial, DenialKind};
use reeve_engine::denials::own;
use reeve_protocol::mcp;
use serde_json::{Map, Value, json};

use crate::call::Call;
use crate::gateway::Gateway;
use crate::upstream::Upstream;
use crate::{redaction, sql};

/// How long what a preview found holds. A call that waited longer is counted again before it is made.
const HOLDS: Duration = Duration::from_secs(10);
/// Most of a preview's result that people are shown, in characters.
const SHOWN: usize = 2000;

/// What a preview found: good for the call that it was made for.
pub(crate) struct Counted {
    rows: u64,
    preview: Preview,
    at: Instant,
}

/// What is asked of the server, and where in its answer the count stands.
struct Asked {
    tool: String,
    arguments: Map<String, Value>,
    rows: String,
    statement: Option<String>,
}

impl Gateway {
    /// Counts the rows that a call would change, where the rules want to know; the operation and its view then say so. What
    /// is denied anyway is not looked at.
    pub(crate) async fn preview(
        &self,
        call: &Call,
        operation: &mut Operation,
        view: &mut Value,
        upstream: &dyn Upstream,
    ) -> Option<Counted> {
        let verdict = self.engine().gate().verdict(operation, &call.session, self.engine().now());
        // Each version of a project's rules that binds brings its own: the call is held to the lowest.
        let caps = verdict.obligations().iter().filter_map(|obligation| match obligation {
            Obligation::CapRows { max } => Some(*max),
            _ => None,
        });
        let cap = caps.min();
        if let (Some(cap), Some(view)) = (cap, view.as_object_mut()) {
            view.insert("cap".to_owned(), json!(cap));
        }
        let preview = verdict.obligations().iter().find_map(|obligation| match obligation {
            Obligation::DryRun { preview } => Some(preview.clone()),
            _ => None,
        })?;
        if verdict.decision() == Decision::Deny {
            return None;
        }
        let (rows, shown) = self.count(call, operation, &preview, upstream).await;
        let counted = match &rows {
            RowCount::Counted { rows, .. } => Some(Counted { rows: *rows, preview, at: Instant::now() }),
            RowCount::NotCounted | RowCount::Uncountable { .. } | RowCount::Repeats { .. } => None,
        };
        mcp::counted(&mut operation.subject, view, rows, shown);
        counted
    }

    /// Right before the call is made: what was counted before a person thought is counted again, and personal data that the
    /// tool must not be given is taken out.
    pub(crate) async fn ready(
        &self,
        call: &mut Call,
        operation: &Operation,
        obligations: &[Obligation],
        counted: Option<&Counted>,
        upstream: &dyn Upstream,
    ) -> Result<(), Denial> {
        self.still(call, operation, counted, upstream).await?;
        let Some(rules) = redaction::held_to(obligations).filter(|rules| rules.for_call) else { return Ok(()) };
        call.arguments = redaction::for_call(&call.arguments, &rules, &self.marks(call)).map_err(|why| Denial {
            kind: DenialKind::Policy,
            message: format!("{} was not sent: {why}", operation.summary),
            advice: "leave the personal data out".to_owned(),
            reasons: vec![own("tool-blocked-data")],
            record: Some(operation.id.clone()),
        })?;
        Ok(())
    }

    /// Whether what was counted holds yet; counted anew where that is a while ago.
    pub(crate) async fn still(
        &self,
        call: &Call,
        operation: &Operation,
        counted: Option<&Counted>,
        upstream: &dyn Upstream,
    ) -> Result<(), Denial> {
        let Some(before) = counted.filter(|counted| counted.at.elapsed() > HOLDS) else { return Ok(()) };
        let why = match self.count(call, operation, &before.preview, upstream).await.0 {
            RowCount::Counted { rows, .. } if rows == before.rows => return Ok(()),
            RowCount::Counted { rows, .. } => format!("it would change {rows} rows now"),
            RowCount::Uncountable { why } => why,
            RowCount::NotCounted | RowCount::Repeats { .. } => "nobody counted".to_owned(),
        };
        Err(Denial {
            kind: DenialKind::Policy,
            message: format!(
                "{} was judged by {} rows, and that does not hold any more: {why}",
                operation.summary, before.rows
            ),
            advice: "make the call again; it is then counted and judged anew".to_owned(),
            reasons: vec![own("preview-outdated")],
            record: Some(operation.id.clone()),
        })
    }

    /// What a preview counts, and how people are shown it.
    async fn count(
        &self,
        call: &Call,
        of: &Operation,
        preview: &Preview,
        upstream: &dyn Upstream,
    ) -> (RowCount, Value) {
        let mut shown = Map::new();
        match self.counted(call, of, preview, upstream, &mut shown).await {
            Ok(rows) => (rows, Value::Object(shown)),
            Err(why) => (RowCount::Uncountable { why }, Value::Object(shown)),
        }
    }

    async fn counted(
        &self,
        call: &Call,
        of: &Operation,
        preview: &Preview,
        upstream: &dyn Upstream,
        shown: &mut Map<String, Value>,
    ) -> Result<RowCount, String> {
        let how = match preview {
            Preview::Tool { .. } => "tool",
            Preview::Argument { .. } => "argument",
            Preview::Sql { .. } => "sql",
        };
        shown.insert("how".to_owned(), json!(how));
        let Asked { tool, arguments, rows: place, statement } = asked(call, preview)?;
        shown.insert("tool".to_owned(), json!(tool));
        shown.insert("at".to_owned(), json!(self.engine().now()));
        let (rules, marks) = (self.data_rules(call, &tool), self.marks(call));
        redaction::unchanged(&call.arguments, self.data_rules(call, &call.tool).as_ref(), &marks)?;
        let action = rules.as_ref().and_then(|rules| arguments.keys().map(|name| rules.argument(name)).max());
        let statement = statement.map(|statement| match action {
            Some(DataAction::Redact | DataAction::Block) => marks.masked(&statement).0,
            _ => statement,
        });
        shown.extend(statement.map(|statement| ("statement".to_owned(), json!(short(&statement)))));
        let (id, result) = self.beside(call, of, Purpose::Preview, (&tool, arguments), upstream).await?;
        shown.insert("operation".to_owned(), json!(id));
        let result_shown = redaction::for_record(&said(&result), rules.as_ref(), &marks);
        shown.insert("result".to_owned(), json!(short(&result_shown)));
        let rows = rows(&result, &place)?;
        shown.insert("rows".to_owned(), json!(rows));
        Ok(RowCount::Counted { rows, preview: id, arguments: of.content.clone() })
    }
}

/// What a preview asks of the server.
fn asked(call: &Call, preview: &Preview) -> Result<Asked, String> {
    match preview {
        Preview::Tool { tool, rows } => {
            Ok(Asked { tool: tool.clone(), arguments: call.arguments.clone(), rows: rows.clone(), statement: None })
        }
        Preview::Argument { argument, value, rows } => {
            let mut arguments = call.arguments.clone();
            arguments.insert(argument.clone(), json_of(value)?);
            Ok(Asked { tool: call.tool.clone(), arguments, rows: rows.clone(), statement: None })
        }
        Preview::Sql { argument, reader, reader_argument, dialect } => {
            let sql = call.arguments.get(argument).and_then(Value::as_str);
            let counting = sql::count(sql.ok_or_else(|| format!("`{argument}` is not a text"))?, *dialect)?;
            let arguments = [(reader_argument.clone(), Value::String(counting.clone()))].into_iter().collect();
            Ok(Asked { tool: reader.clone(), arguments, rows: sql::COLUMN.to_owned(), statement: Some(counting) })
        }
    }
}

fn json_of(value: &ArgumentValue) -> Result<Value, String> {
    match value {
        ArgumentValue::Text(text) => Ok(Value::String(text.clone())),
        ArgumentValue::Number(number) => serde_json::from_str(number).map_err(|error| error.to_string()),
        ArgumentValue::Bool(value) => Ok(Value::Bool(*value)),
        ArgumentValue::Null => Ok(Value::Null),
    }
}

/// The count in a result, at `a.b`: a whole number that is not below zero, written as a number. Everything else is no count.
fn rows(result: &Value, place: &str) -> Result<u64, String> {
    let answer = result.get("structuredContent").cloned().or_else(|| read(&said(result)));
    let answer = answer.ok_or_else(|| "the preview's result is no data".to_owned())?;
    let found = at(&answer, place).ok_or_else(|| format!("the preview's result has no `{place}`"))?;
    match found {
        Value::Number(number) => {
            number.as_u64().ok_or_else(|| format!("`{place}` in the preview's result is not a whole number of rows"))
        }
        _ => Err(format!("`{place}` in the preview's result is not a number")),
    }
}

/// The one text of a result.
fn said(result: &Value) -> String {
    let texts = result.get("content").and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(|block| block.get("text").and_then(Value::as_str)).collect::<Vec<_>>().join("\n")
}

/// JSON, or the one row of one column as Python writes it.
fn read(text: &str) -> Option<Value> {
    let python = |text: &str| {
        let (name, number) = text.strip_prefix("[{'")?.strip_suffix("}]")?.split_once("': ")?;
        let plain = !name.contains('\'') && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: u64 = number.parse().ok().filter(|_| plain)?;
        Some(json!([{ name: number }]))
    };
    serde_json::from_str(text.trim()).ok().or_else(|| python(text.trim()))
}

/// A list of one, and the only member of what is around, are gone through: servers wrap their rows in different ways.
fn at<'v>(answer: &'v Value, place: &str) -> Option<&'v Value> {
    let step = |value: &'v Value, name: &str| {
        let mut value = value;
        for _ in 0..4 {
            match value {
                Value::Array(items) => match items.as_slice() {
                    [only] => value = only,
                    _ => return None,
                },
                Value::Object(members) => match (members.get(name), members.len()) {
                    (Some(found), _) => return Some(found),
                    (None, 1) => value = members.values().next()?,
                    (None, _) => value = members.get("rows").or_else(|| members.get("result"))?,
                },
                _ => return None,
            }
        }
        None
    };
    place.split('.').try_fold(answer, step)
}

fn short(text: &str) -> String {
    reeve_protocol::redact::words(text).chars().take(SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        json!({ "content": [{ "type": "text", "text": text }] })
    }

    #[test]
    fn a_count_is_a_whole_number_that_the_server_gives_as_one() {
        for result in [
            json!({ "structuredContent": { "rows": 5 }, "content": [] }),
            text(r#"{"rows": 5}"#),
            text(r#"[{"rows": 5}]"#),
            text("[{'rows': 5}]"),
            text(r#"{"result": [{"rows": 5}], "took_ms": 3}"#),
            text(r#"{"rows": [{"rows": 5}], "rowCount": 1}"#),
        ] {
            let place = if result.to_string().contains("rowCount") { "rows.rows" } else { "rows" };
            assert_eq!(rows(&result, place), Ok(5), "{result}");
        }
        assert_eq!(rows(&text(r#"{"summary":{"affected":0}}"#), "summary.affected"), Ok(0));
    }

    #[test]
    fn what_is_no_such_number_never_passes_for_one() {
        for result in [
            text(r#"{"rows": "5"}"#),
            text(r#"{"rows": -5}"#),
            text(r#"{"rows": 5.5}"#),
            text(r#"{"rows": 1e400}"#),
            text(r#"{"rows": 99999999999999999999}"#),
            text(r#"{"rows": null}"#),
            text(r#"{"rows": true}"#),
            text(r#"{"rows": [5]}"#),
            text(r#"{"count": 5, "x": 1}"#),
            text(r#"[{"rows": 5}, {"rows": 6}]"#),
            text("[{'rows': '5'}]"),
            text("[{'rows': 5, 'x': 6}]"),
            text("5 rows"),
            text(""),
            json!({}),
            json!({ "structuredContent": { "rows": "5" }, "content": [{ "type": "text", "text": "{\"rows\": 5}" }] }),
        ] {
            assert!(rows(&result, "rows").is_err(), "{result}: {:?}", rows(&result, "rows"));
        }
    }
}
