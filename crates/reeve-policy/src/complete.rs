//! What can stand at a place of a policy file: words of the language, names of the schema, and what this machine knows.

use reeve_domain::operation::Action;
use serde::Serialize;

use crate::facts::{Class, facts_of};
use crate::schema::{SCHEMA, documented};
use crate::set::{DEFAULT_ASK, PolicySet};
use crate::source::RuleKind;

/// Names that only the machine knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub agents: Vec<String>,
    pub hosts: Vec<String>,
    pub models: Vec<String>,
}

/// One thing that can stand there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Completion {
    /// What is put in the place.
    pub text: String,
    /// `keyword`, `fact`, `annotation`, `entity`, `name` or `value`.
    pub kind: &'static str,
    /// What it means; empty where the word says it.
    pub detail: String,
}

/// Everything that can stand at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Completions {
    /// Byte offset at which what is being written begins.
    pub from: usize,
    pub items: Vec<Completion>,
}

const KEYWORDS: &[(&str, &str)] = &[
    ("permit", "allow what the head and the conditions describe"),
    ("forbid", "deny it, or hold it when it ends in `unless { context.approved }`"),
    ("when", "only if this holds"),
    ("unless", "only if this does not hold"),
    ("principal", "the agent"),
    ("action", "what is attempted"),
    ("resource", "the host, model, tool or program"),
    ("context", "the facts of this operation"),
    ("like", "a pattern with `*`"),
    ("in", "is, or lies in"),
    ("has", "whether a fact is there"),
    ("is", "is of this type"),
    ("true", ""),
    ("false", ""),
    ("if", ""),
    ("then", ""),
    ("else", ""),
];

const ENTITIES: &[(&str, &str)] = &[
    ("Agent", "a registered agent"),
    ("AgentGroup", "a team of agents"),
    ("Action", "an action, or `read`, `write`, `destructive`"),
    ("Host", "a host; `*.name` covers one label"),
    ("HostGroup", "a group of hosts that ships with Reeve"),
    ("Provider", "a provider of models"),
    ("Model", "a language model"),
    ("McpServer", "an MCP server"),
    ("McpTool", "a tool of an MCP server, `server/tool`"),
    ("Program", "a program that a command runs"),
];

const ANNOTATIONS: &[(&str, &str)] = &[
    ("id", "its name; every rule has one"),
    ("reason", "one plain sentence that says why"),
    ("mode", "`observe`: it decides nothing and says what it would have done"),
    ("liftable", "on a rule that asks: a standing approval may answer it"),
    ("lifts", "on a permit: the rules that ask which it answers"),
    ("expires", "on a permit: until when it counts"),
    ("risk", "risk that what it decides has at least"),
    ("addresses", "on a permit: private address ranges it allows"),
    ("timeout", "on a permit: the longest it may take"),
    ("block_undecodable", "on a permit: answers that cannot be read are stopped"),
];

const VALUES: &[(&str, &[&str])] = &[
    ("risk", &["low", "medium", "high", "critical"]),
    ("weekday", &["mon", "tue", "wed", "thu", "fri", "sat", "sun"]),
    ("scheme", &["https", "http"]),
    ("method", &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
    ("dialect", &["anthropic_messages", "openai_chat", "openai_responses", "gemini", "gemini_code_assist"]),
    ("billing", &["metered", "flat_rate"]),
    ("transport", &["stdio", "http"]),
    ("schema", &["unchecked", "fits", "fails"]),
    ("mode", &["observe", "enforce"]),
];

impl PolicySet {
    /// What can stand at a byte offset of a text; nothing inside comments and free text.
    #[must_use]
    pub fn complete(&self, text: &str, offset: usize, known: &Known) -> Completions {
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        if let Some(quoted) = open_string(line) {
            let lead = line.get(..line.len() - quoted.len() - 1).unwrap_or_default();
            return Completions { from: before.len() - quoted.len(), items: self.in_string(lead, known) };
        }
        if line.contains("//") {
            return Completions { from: before.len(), items: Vec::new() };
        }
        let word = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(before, |at| before.get(at + 1..).unwrap_or_default());
        let from = before.len() - word.len();
        let lead = before.get(..from).unwrap_or_default();
        let items = if lead.ends_with('@') {
            listed("annotation", ANNOTATIONS)
        } else if lead.ends_with("context.") || lead.trim_end().ends_with("context has") {
            facts(rule_so_far(lead))
        } else if lead.ends_with(['.', ':']) {
            Vec::new()
        } else {
            let mut items = listed("keyword", KEYWORDS);
            items.extend(listed("entity", ENTITIES).into_iter().map(|mut item| {
                item.text.push_str("::\"");
                item
            }));
            items
        };
        Completions { from, items }
    }

    /// Inside a string: `lead` is the line up to its opening quote.
    fn in_string(&self, lead: &str, known: &Known) -> Vec<Completion> {
        if let Some(kind) = lead.strip_suffix("::") {
            return self.entities(kind.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default(), known);
        }
        let lead = lead.trim_end();
        if lead.ends_with("@lifts(") {
            let asks = self.rules().into_iter().filter(|rule| rule.kind == RuleKind::Ask && rule.liftable);
            let ask = |text: String, detail: String| Completion { text, kind: "name", detail };
            let default = ask(DEFAULT_ASK.to_owned(), "the preset, where no rule says anything".to_owned());
            return asks.map(|rule| ask(rule.id.to_string(), rule.reason)).chain([default]).collect();
        }
        let compared = lead.trim_end_matches(['=', '!', '(', '[']).trim_end();
        let name = compared.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        let of_context = compared.strip_suffix(name).is_some_and(|rest| rest.ends_with("context."));
        let annotation = compared.strip_suffix(name).is_some_and(|rest| rest.ends_with('@')) && lead.ends_with('(');
        if !of_context && !annotation {
            return Vec::new();
        }
        let names = match name {
            "host" => &known.hosts,
            "model" => &known.models,
            _ => return VALUES.iter().filter(|(fact, _)| *fact == name).flat_map(|(_, all)| values(all)).collect(),
        };
        plain(names)
    }

    fn entities(&self, kind: &str, known: &Known) -> Vec<Completion> {
        match kind {
            "Agent" => plain(&known.agents),
            "Host" => plain(&known.hosts),
            "Model" => plain(&known.models),
            "HostGroup" => plain(&self.vocabulary.groups.all()),
            "Action" => {
                let verbs = Action::ALL.into_iter().map(Action::as_str);
                let classes = [Class::Read, Class::Write, Class::Destructive].into_iter().map(Class::as_str);
                plain(&verbs.chain(classes).map(str::to_owned).collect::<Vec<_>>())
            }
            _ => Vec::new(),
        }
    }
}

/// What has been written of a string that the line opens and does not close.
fn open_string(line: &str) -> Option<&str> {
    let mut open = None;
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if open.is_some() => escaped = true,
            '"' => open = if open.is_some() { None } else { Some(at + 1) },
            '/' if open.is_none() && line.get(at..).is_some_and(|rest| rest.starts_with("//")) => return None,
            _ => {}
        }
    }
    open.and_then(|at| line.get(at..))
}

/// The rule being written: what follows the last one that ended.
fn rule_so_far(text: &str) -> &str {
    text.rsplit(';').next().unwrap_or_default()
}

/// The facts of the actions that the rule names; of all when it names none.
fn facts(rule: &str) -> Vec<Completion> {
    let named: Vec<Action> =
        Action::ALL.into_iter().filter(|action| rule.contains(&format!("\"{}\"", action.as_str()))).collect();
    let wanted = |action: &str| named.is_empty() || named.iter().any(|named| named.as_str() == action);
    let judged = |action: &str, name: &str| {
        Action::ALL.into_iter().any(|a| a.as_str() == action && facts_of(a).any(|fact| fact.name == name))
    };
    let mut items: Vec<Completion> = Vec::new();
    for fact in documented(SCHEMA) {
        let known = fact.name == "approved" || judged(&fact.action, &fact.name);
        if known && wanted(&fact.action) && !items.iter().any(|item| item.text == fact.name) {
            let sometimes = if fact.optional { ", not always there" } else { "" };
            let detail = match fact.doc.as_str() {
                "" => format!("{}{sometimes}", fact.kind),
                doc => format!("{}{sometimes}. {doc}", fact.kind),
            };
            items.push(Completion { text: fact.name, kind: "fact", detail });
        }
    }
    items
}

fn listed(kind: &'static str, all: &[(&str, &str)]) -> Vec<Completion> {
    all.iter()
        .map(|(text, detail)| Completion { text: (*text).to_owned(), kind, detail: (*detail).to_owned() })
        .collect()
}

fn values(all: &[&str]) -> Vec<Completion> {
    all.iter().map(|text| Completion { text: (*text).to_owned(), kind: "value", detail: String::new() }).collect()
}

fn plain(names: &[String]) -> Vec<Completion> {
    names.iter().map(|name| Completion { text: name.clone(), kind: "name", detail: String::new() }).collect()
}

#[cfg(test)]
mod tests {
    use reeve_domain::settings::Preset;

    use super::*;

    fn at_end(text: &str) -> (usize, Vec<String>) {
        let set = PolicySet::load(Preset::Balanced, &[], &[]).unwrap();
        let known =
            Known { agents: vec!["codex".to_owned()], hosts: vec!["api.acme.example".to_owned()], ..Known::default() };
        let found = set.complete(text, text.len(), &known);
        (found.from, found.items.into_iter().map(|item| item.text).collect())
    }

    fn has(text: &str, wanted: &str) -> bool {
        at_end(text).1.iter().any(|item| item == wanted)
    }

    #[test]
    fn each_place_offers_what_can_stand_there() {
        assert!(has("per", "permit") && has("", "forbid") && has("permit (principal == ", "Agent::\""));
        assert_eq!(at_end("permit (principal == Agent::\"co"), (29, vec!["codex".to_owned()]));
        assert!(has("forbid (principal, action == Action::\"", "http.request"));
        assert!(has("permit (principal, action, resource in HostGroup::\"", "git-hosts"));
        assert!(has("@", "liftable") && has("@risk(\"", "high") && has("@mode(\"", "observe"));
        assert!(has("@lifts(\"", "ask-first-llm-host") && has("@lifts(\"", "default-ask"));
        assert!(has("when { context.host == \"", "api.acme.example") && has("when { context.billing == \"", "metered"));
        assert!(has("when { context.ho", "host") && has("when { context has ", "credential"));
    }

    #[test]
    fn the_facts_are_those_of_the_actions_that_the_rule_names() {
        let rule = "forbid (principal, action == Action::\"llm.call\", resource) when { context.";
        assert!(has(rule, "model") && has(rule, "approved") && !has(rule, "query_bytes"));
        assert!(has(
            &format!("{rule}model == \"x\" }};\npermit (principal, action, resource) when {{ context."),
            "query_bytes"
        ));
    }

    #[test]
    fn nothing_is_offered_in_comments_and_sentences() {
        assert_eq!(at_end("// per").1, Vec::<String>::new());
        assert_eq!(at_end("@reason(\"per").1, Vec::<String>::new());
        assert_eq!(at_end("@id(\"a").1, Vec::<String>::new());
        assert!(has("when { context.scheme == \"http://\" } // \"\nper", "permit"));
    }

    #[test]
    fn every_fact_of_the_schema_has_a_type_and_an_action() {
        let all = documented(SCHEMA);
        for action in Action::ALL.into_iter().filter(|action| *action != Action::FileWrite) {
            for fact in facts_of(action) {
                let found = all.iter().find(|f| f.name == fact.name && f.action == action.as_str());
                assert!(found.is_some_and(|f| !f.kind.is_empty()), "{} of {}", fact.name, action.as_str());
            }
        }
    }
}
