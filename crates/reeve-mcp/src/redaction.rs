//! Personal data and secrets in what a tool is given and what it answers: marks stand for them where rules say so, and a mark
//! that comes back is never written over the value that it stands for.

use reeve_domain::obligation::{DataAction, DataRules, Obligation};
use reeve_domain::operation::DataKind;
use reeve_domain::outcome::ToolResult;
use reeve_protocol::personal::{self, Marks};
use serde_json::{Map, Value};

use crate::call::{Call, said};
use crate::gateway::Gateway;

/// What a tool answers, after the rules.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answered {
    Passed(Value),
    /// Why the agent does not get it.
    Blocked(String),
}

impl Gateway {
    /// What holds for personal data where this tool is called, be it beside the call: then what holds for the call holds for
    /// all that is told of it, too, whatever its arguments are named there.
    pub(crate) fn data_rules(&self, call: &Call, tool: &str) -> Option<DataRules> {
        let of = |tool: &str| {
            let said = call.session.tool_rules(self.engine().policies(), &call.server.name, tool);
            said.into_iter().filter_map(|rules| rules.data).reduce(|one, other| both(&one, &other))
        };
        match (of(&call.tool), of(tool)) {
            (Some(own), Some(other)) if call.tool != tool => Some(stricter(&other, &own)),
            (Some(own), None) => Some(stricter(&DataRules::default(), &own)),
            (_, other) => other,
        }
    }

    pub(crate) fn marks(&self, call: &Call) -> Marks {
        Marks::new(self.marks_key(), call.session.id().as_str())
    }
}

/// The rules of another tool, under which nothing is freer than the strictest of the call's own.
fn stricter(other: &DataRules, own: &DataRules) -> DataRules {
    let strictest = own.arguments.values().copied().fold(own.other_arguments, DataAction::max);
    DataRules {
        arguments: other.arguments.iter().map(|(name, action)| (name.clone(), strictest.max(*action))).collect(),
        other_arguments: strictest.max(other.other_arguments),
        result: own.result.max(other.result),
        for_call: own.for_call || other.for_call,
    }
}

/// Refuses arguments that a tool would be given marks in: what is asked about must be what is sent.
///
/// # Errors
/// That they would be changed, for people.
pub(crate) fn unchanged(
    arguments: &Map<String, Value>,
    rules: Option<&DataRules>,
    marks: &Marks,
) -> Result<(), String> {
    let Some(rules) = rules.filter(|rules| rules.for_call) else { return Ok(()) };
    match for_call(arguments, rules, marks) {
        Ok(sent) if sent == *arguments => Ok(()),
        _ => {
            Err("its rules put marks for personal data into it (`redact_for_call`), and it would be another one"
                .to_owned())
        }
    }
}

/// The rules that an admitted call is held to; where several are said, the stricter of each.
pub(crate) fn held_to(obligations: &[Obligation]) -> Option<DataRules> {
    let said = obligations.iter().filter_map(|obligation| match obligation {
        Obligation::Redact { data } => Some(data.clone()),
        _ => None,
    });
    said.reduce(|one, other| both(&one, &other))
}

/// Two rules of the same tool as one.
fn both(one: &DataRules, other: &DataRules) -> DataRules {
    let names = one.arguments.keys().chain(other.arguments.keys());
    DataRules {
        arguments: names.map(|name| (name.clone(), one.argument(name).max(other.argument(name)))).collect(),
        other_arguments: one.other_arguments.max(other.other_arguments),
        result: one.result.max(other.result),
        for_call: one.for_call || other.for_call,
    }
}

/// A mark among the arguments, and where it stands: the tool would write it over the value that it stands for.
pub(crate) fn mark_among(arguments: &Map<String, Value>) -> Option<String> {
    let mut left: Vec<&Value> = arguments.values().collect();
    let mut names: Vec<&String> = arguments.keys().collect();
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => {
                if let Some(mark) = personal::mark_in(text) {
                    return Some(mark.to_owned());
                }
            }
            Value::Array(items) => left.extend(items),
            Value::Object(members) => {
                names.extend(members.keys());
                left.extend(members.values());
            }
            _ => {}
        }
    }
    names.into_iter().find_map(|name| personal::mark_in(name)).map(str::to_owned)
}

/// The arguments as the tool is given them.
///
/// # Errors
/// Where a mark would make something else of what it stands in.
pub(crate) fn for_call(
    arguments: &Map<String, Value>,
    rules: &DataRules,
    marks: &Marks,
) -> Result<Map<String, Value>, String> {
    let member = |(name, value): (&String, &Value)| {
        let mut masking = Masking { marks, kinds: Vec::new() };
        let shown = match rules.argument(name) {
            DataAction::Redact | DataAction::Block => masking.value(value)?,
            DataAction::Allow | DataAction::Audit => value.clone(),
        };
        Ok((name.clone(), shown))
    };
    arguments.iter().map(member).collect()
}

/// A result as the agent gets it.
pub(crate) fn of_result(result: Value, rules: &DataRules, marks: &Marks) -> Answered {
    let shows = rules.result == DataAction::Redact && rules.for_call;
    if !shows && rules.result != DataAction::Block {
        return Answered::Passed(result);
    }
    let mut masking = Masking { marks, kinds: Vec::new() };
    match masking.value(&result) {
        Ok(masked) if shows => Answered::Passed(masked),
        Ok(_) if masking.kinds.is_empty() => Answered::Passed(result),
        Ok(_) => {
            let mut kinds: Vec<&str> = masking.kinds.iter().map(|kind| kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            Answered::Blocked(format!("it holds what must not leave the tool ({})", kinds.join(", ")))
        }
        Err(why) => Answered::Blocked(why),
    }
}

/// Text as the record keeps it.
pub(crate) fn for_record(text: &str, rules: Option<&DataRules>, marks: &Marks) -> String {
    match rules.map(|rules| rules.result) {
        Some(DataAction::Audit | DataAction::Redact | DataAction::Block) => marks.masked(text).0,
        Some(DataAction::Allow) | None => text.to_owned(),
    }
}

/// Kinds of personal data and secrets in a result, each once, where the rules want them in the record.
pub(crate) fn kinds(result: &Value, rules: Option<&DataRules>, marks: &Marks) -> Vec<DataKind> {
    if rules.is_none_or(|rules| rules.result == DataAction::Allow) {
        return Vec::new();
    }
    let mut masking = Masking { marks, kinds: Vec::new() };
    masking.look(result);
    masking.kinds.sort_unstable();
    masking.kinds.dedup();
    masking.kinds
}

/// What the record says of a result.
pub(crate) fn came(result: &Value, rules: Option<&DataRules>, marks: &Marks) -> ToolResult {
    match said(result) {
        ToolResult::ToolError { message } => ToolResult::ToolError { message: for_record(&message, rules, marks) },
        other => other,
    }
}

/// Pictures, sounds and files are no text: nothing in them is told by its form.
fn coded(members: &Map<String, Value>, name: &str) -> bool {
    members.contains_key("mimeType") && matches!(name, "data" | "blob")
}

struct Masking<'a> {
    marks: &'a Marks,
    kinds: Vec<DataKind>,
}

impl Masking<'_> {
    fn value(&mut self, value: &Value) -> Result<Value, String> {
        match value {
            Value::String(text) => self.text(text).map(Value::String),
            Value::Number(number) => {
                let written = number.to_string();
                if self.text(&written)? == written {
                    return Ok(value.clone());
                }
                Err("a number in it is personal data, and a mark for it would make a text of it".to_owned())
            }
            Value::Array(items) => {
                items.iter().map(|item| self.value(item)).collect::<Result<_, _>>().map(Value::Array)
            }
            Value::Object(members) => self.members(members).map(Value::Object),
            plain => Ok(plain.clone()),
        }
    }

    /// What kinds are in it, whether or not marks could stand for them.
    fn look(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.kinds.extend(self.marks.masked(text).1),
            Value::Number(number) => self.kinds.extend(self.marks.masked(&number.to_string()).1),
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            Value::Object(members) => {
                for (name, value) in members.iter().filter(|(name, _)| !coded(members, name)) {
                    self.kinds.extend(self.marks.masked(name).1);
                    self.look(value);
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn members(&mut self, members: &Map<String, Value>) -> Result<Map<String, Value>, String> {
        let mut out = Map::new();
        for (name, value) in members {
            let shown = if coded(members, name) { value.clone() } else { self.value(value)? };
            let masked = self.text(name)?;
            if out.insert(masked, shown).is_some() {
                return Err("two of its names would become one".to_owned());
            }
        }
        Ok(out)
    }

    /// What was JSON stays JSON.
    fn text(&mut self, text: &str) -> Result<String, String> {
        let (masked, kinds) = self.marks.masked(text);
        if kinds.is_empty() {
            return Ok(masked);
        }
        self.kinds.extend(kinds);
        let is_json = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        if is_json(text) && !is_json(&masked) {
            return Err("marks for the personal data in it would break the JSON that it is".to_owned());
        }
        Ok(masked)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn marks() -> Marks {
        Marks::new(b"key", "session")
    }

    fn rules(result: DataAction) -> DataRules {
        DataRules { other_arguments: DataAction::Redact, result, for_call: true, ..DataRules::default() }
    }

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn the_tool_is_given_marks_where_rules_say_so_and_all_else_as_it_is() {
        let arguments = object(json!({ "to": ["dana@example.com"], "n": 5, "keep": "a@example.com" }));
        let rules =
            DataRules { arguments: [("keep".to_owned(), DataAction::Allow)].into(), ..rules(DataAction::Allow) };
        let sent = for_call(&arguments, &rules, &marks()).unwrap();
        assert_eq!(sent["to"][0], marks().mark(DataKind::Email, "dana@example.com"));
        assert_eq!((&sent["n"], &sent["keep"]), (&json!(5), &json!("a@example.com")));
        assert!(for_call(&object(json!({ "card": 4111111111111111_u64 })), &rules, &marks()).is_err());
    }

    #[test]
    fn beside_a_call_nothing_is_freer_than_in_it() {
        let own = DataRules {
            arguments: [("query".to_owned(), DataAction::Redact)].into(),
            result: DataAction::Redact,
            ..DataRules::default()
        };
        let other = DataRules {
            arguments: [("sql".to_owned(), DataAction::Allow), ("to".to_owned(), DataAction::Block)].into(),
            ..DataRules::default()
        };
        let both = stricter(&other, &own);
        assert_eq!(
            ["sql", "to", "x"].map(|name| both.argument(name)),
            [DataAction::Redact, DataAction::Block, DataAction::Redact]
        );
        assert!(both.result == DataAction::Redact && !both.for_call);
    }

    #[test]
    fn what_the_tool_would_be_given_marks_in_is_no_call_to_ask_about() {
        let rules = rules(DataAction::Allow);
        let of = |arguments: Value| unchanged(&object(arguments), Some(&rules), &marks());
        assert!(
            of(json!({ "to": "dana@example.com" })).is_err() && of(json!({ "card": 4111111111111111_u64 })).is_err()
        );
        assert_eq!(of(json!({ "to": "everybody" })), Ok(()));
        let as_it_is = DataRules { for_call: false, ..rules.clone() };
        assert_eq!(unchanged(&object(json!({ "to": "dana@example.com" })), Some(&as_it_is), &marks()), Ok(()));
    }

    #[test]
    fn a_mark_that_comes_back_is_found_wherever_it_stands() {
        let mark = marks().mark(DataKind::Iban, "DE89370400440532013000");
        assert_eq!(mark_among(&object(json!({ "a": [{ "b": format!("set to {mark}") }] }))), Some(mark.clone()));
        assert_eq!(mark_among(&object(json!({ "a": { mark.clone(): 1 } }))), Some(mark));
        assert_eq!(mark_among(&object(json!({ "a": "(email)", "b": 1 }))), None);
    }

    #[test]
    fn a_result_stays_what_it_is_or_is_held_back() {
        let result = json!({
            "content": [{ "type": "text", "text": r#"{"mail":"a@example.com"}"# },
                        { "type": "image", "mimeType": "image/png", "data": "4111111111111111" }],
            "structuredContent": { "mail": "a@example.com" },
        });
        let Answered::Passed(masked) = of_result(result.clone(), &rules(DataAction::Redact), &marks()) else {
            panic!("held back")
        };
        let text = masked["content"][0]["text"].as_str().unwrap();
        let inner: Value = serde_json::from_str(text).unwrap();
        assert_eq!(inner["mail"], masked["structuredContent"]["mail"], "the same value has the same mark");
        assert!(!masked.to_string().contains("a@example.com") && masked["content"][1]["data"] == "4111111111111111");
        let breaks = json!({ "content": [{ "type": "text", "text": r#"{"card":4111111111111111}"# }] });
        assert!(
            matches!(of_result(breaks, &rules(DataAction::Redact), &marks()), Answered::Blocked(why) if why.contains("break"))
        );
        assert!(
            matches!(of_result(result.clone(), &rules(DataAction::Block), &marks()), Answered::Blocked(why) if why.contains("(email)"))
        );
        assert_eq!(of_result(result.clone(), &rules(DataAction::Audit), &marks()), Answered::Passed(result));
    }
}
