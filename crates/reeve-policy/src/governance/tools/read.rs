//! The dialect of `tools.yaml`, with the place of everything that is wrong and of what holds.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use reeve_domain::obligation::{
    DataAction, Idempotence, IdempotenceScope, OnDuplicate, OnUnknown, Preview, Probe, SchemaMode, SqlDialect,
};
use reeve_domain::operation::ArgumentValue;
use reeve_domain::verdict::Layer;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::{Forbidden, OnExceeded, Pattern, Placed, ToolRule, ToolRules, Tools, ToolsSource};
use crate::error::Problem;
use crate::governance::limits::SessionLimits;

/// How long a call is remembered, where the file does not say.
const CACHE_TTL: u64 = 24 * 60 * 60;
/// How long a call may run before it counts as lost, where the file does not say.
const LEASE: u64 = 5 * 60;
/// Where a preview's result says how many rows, where the file does not say.
const ROWS: &str = "rows";
/// Memory that one pattern may take, in bytes.
const PATTERN: usize = 1 << 20;

type Text = Spanned<String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    policies: Option<Policies>,
    #[serde(default)]
    tool_policies: Pairs<ToolPolicy>,
    #[serde(default)]
    tool_governance: Pairs<Governance>,
    #[serde(default)]
    method_policies: Pairs<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policies {
    #[serde(default)]
    session_limits: Option<SessionLimits>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToolPolicy {
    max_row_count: Option<Text>,
    on_exceeded: Option<Text>,
    require_dry_run: Option<Spanned<bool>>,
    dry_run_threshold: Option<Text>,
    preview: Option<Spanned<PreviewEntry>>,
    #[serde(default)]
    forbidden_argument_values: Pairs<Spanned<Values>>,
    #[serde(default)]
    arguments: Pairs<Text>,
    argument_default: Option<Text>,
    result: Option<Text>,
    #[serde(default)]
    redact_for_call: bool,
    timeout: Option<Text>,
    schema_validation: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PreviewEntry {
    tool: Option<String>,
    argument: Option<String>,
    value: Option<Scalar>,
    sql: Option<String>,
    reader: Option<String>,
    reader_argument: Option<String>,
    dialect: Option<Text>,
    rows: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Governance {
    idempotency_key: Option<Spanned<OneOrMore>>,
    key_fields: Option<OneOrMore>,
    scope: Option<Text>,
    cache_ttl: Option<Text>,
    on_duplicate: Option<Text>,
    #[serde(default)]
    strict_mode: bool,
    lease: Option<Text>,
    on_unknown: Option<Text>,
    probe: Option<ProbeEntry>,
    final_errors: Option<Spanned<OneOrMore>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeEntry {
    tool: String,
    #[serde(default)]
    arguments: BTreeMap<String, String>,
    done: String,
}

/// What stands under names, each name with its place.
struct Pairs<T>(Vec<(Text, T)>);

/// `x`, or `[x, y]`.
struct OneOrMore(Vec<String>);

/// `[x, y]`, or `{values: [x, y], case_insensitive: true, pattern: …}`.
struct Values {
    values: Vec<String>,
    case_insensitive: bool,
    patterns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValuesEntry {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    case_insensitive: bool,
    pattern: Option<OneOrMore>,
}

struct Scalar(ArgumentValue);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Reads<T> {
            type Value = Pairs<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("names, each with what holds for it")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
            fn visit_unit<E>(self) -> Result<Pairs<T>, E> {
                Ok(Pairs::default())
            }
        }
        deserializer.deserialize_map(Reads(PhantomData))
    }
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = OneOrMore;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of them")
            }
            fn visit_str<E>(self, text: &str) -> Result<OneOrMore, E> {
                Ok(OneOrMore(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrMore, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrMore)
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl<'de> Visitor<'de> for Reads {
            type Value = Values;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of values, or `values`, `case_insensitive` and `pattern`")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Values, A::Error> {
                let values = Vec::deserialize(SeqAccessDeserializer::new(list))?;
                Ok(Values { values, case_insensitive: false, patterns: Vec::new() })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Values, A::Error> {
                let entry = ValuesEntry::deserialize(MapAccessDeserializer::new(map))?;
                let patterns = entry.pattern.map(|patterns| patterns.0).unwrap_or_default();
                Ok(Values { values: entry.values, case_insensitive: entry.case_insensitive, patterns })
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Scalar;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`true`, `false`, a whole number or a text")
            }
            fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
                Ok(Scalar(ArgumentValue::Bool(value)))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
                Ok(Scalar(ArgumentValue::Number(value.to_string())))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
                Ok(Scalar(ArgumentValue::Number(value.to_string())))
            }
            fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
                Ok(Scalar(ArgumentValue::Text(value.to_owned())))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

/// The `policies.session_limits` of a file; a file that does not load is told of by [`super::load`].
pub(in crate::governance) fn session_limits(text: &str) -> Option<SessionLimits> {
    parse(text).ok().flatten().and_then(|file: File| file.policies).and_then(|policies| policies.session_limits)
}

fn parse(text: &str) -> Result<Option<File>, serde_saphyr::Error> {
    let empty = text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'));
    if empty { Ok(None) } else { serde_saphyr::from_str(text).map(Some) }
}

pub(super) fn add(source: &ToolsSource, rules: &mut ToolRules, problems: &mut Vec<Problem>) {
    match parse(&source.text) {
        Ok(None) => {}
        Err(error) => problems.push(Problem::yaml(&source.file, &error)),
        Ok(Some(file)) => {
            let mut reader = Reader { source, problems, notices: &mut rules.notices };
            for (name, policy) in &file.tool_policies.0 {
                rules.rules.extend(policy.define(name, &mut reader));
            }
            for (name, governance) in &file.tool_governance.0 {
                rules.rules.extend(governance.define(name, &mut reader));
            }
            for (name, answer) in &file.method_policies.0 {
                rules.rules.extend(refused(name, answer, &mut reader));
            }
        }
    }
}

/// Reads values and notes what is wrong with them, and where.
struct Reader<'a> {
    source: &'a ToolsSource,
    problems: &'a mut Vec<Problem>,
    notices: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn place<T>(&self, at: &Spanned<T>, message: String) -> Problem {
        let number = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let (line, column) = (number(at.referenced.line()), number(at.referenced.column()));
        Problem { file: self.source.file.clone(), line, column, length: 0, message }
    }

    fn wrong<T>(&mut self, at: &Spanned<T>, message: String) {
        let problem = self.place(at, message);
        self.problems.push(problem);
    }

    fn notice<T>(&mut self, at: &Spanned<T>, message: &str) {
        let notice = self.place(at, message.to_owned());
        self.notices.push(notice);
    }

    fn placed<T, U>(&self, at: &Spanned<T>, value: U) -> Placed<U> {
        let line = self.place(at, String::new()).line;
        Placed { value, layer: self.source.layer, file: self.source.file.clone(), line }
    }

    fn read<T>(&mut self, value: &Text, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(value.value.trim()).map_err(|message| self.wrong(value, message)).ok()
    }

    fn optional<T>(&mut self, value: Option<&Text>, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        value.and_then(|value| self.read(value, parse))
    }

    fn placed_text<T>(&mut self, at: &Text, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<Placed<T>> {
        self.read(at, parse).map(|value| self.placed(at, value))
    }

    /// A rule that says nothing yet.
    fn rule(&mut self, name: &Text) -> Option<ToolRule> {
        let tools = self.read(name, tools)?;
        let Placed { layer, file, line, .. } = self.placed(name, ());
        Some(ToolRule {
            tools,
            refuses: false,
            layer,
            file,
            line,
            max_row_count: None,
            on_exceeded: None,
            dry_run: None,
            preview: None,
            forbidden: Vec::new(),
            arguments: BTreeMap::new(),
            argument_default: None,
            result: None,
            for_call: false,
            timeout_seconds: None,
            schema: None,
            idempotence: None,
        })
    }
}

impl ToolPolicy {
    fn define(&self, name: &Text, reader: &mut Reader<'_>) -> Option<ToolRule> {
        let mut rule = reader.rule(name)?;
        rule.max_row_count = self.max_row_count.as_ref().and_then(|max| reader.placed_text(max, whole));
        rule.on_exceeded = reader.optional(self.on_exceeded.as_ref(), |text| match text {
            "ask" => Ok(OnExceeded::Ask),
            "deny" => Ok(OnExceeded::Deny),
            _ => Err(format!("`{text}` is none of `ask` and `deny`")),
        });
        rule.dry_run = self.dry_run(reader);
        rule.preview = self.preview.as_ref().and_then(|entry| entry.value.define(entry, reader));
        self.tell_what_cannot_be_counted(name, &rule, reader);
        for (path, values) in &self.forbidden_argument_values.0 {
            rule.forbidden.extend(values.value.define(path, values, reader));
        }
        for (argument, action) in &self.arguments.0 {
            let action = reader.placed_text(action, data_action);
            rule.arguments.extend(action.map(|action| (argument.value.clone(), action)));
        }
        rule.argument_default =
            self.argument_default.as_ref().and_then(|action| reader.placed_text(action, data_action));
        rule.result = reader.optional(self.result.as_ref(), data_action);
        rule.for_call = self.redact_for_call;
        rule.timeout_seconds = reader.optional(self.timeout.as_ref(), seconds);
        rule.schema = self.schema_validation.as_ref().and_then(|mode| reader.placed_text(mode, schema_mode));
        if rule.layer == Layer::Project {
            self.only_tightens(&mut rule, reader);
        }
        Some(rule)
    }

    /// The agent that works there can write a project's file.
    fn only_tightens(&self, rule: &mut ToolRule, reader: &mut Reader<'_>) {
        if let (Some(preview), Some(_)) = (&self.preview, rule.preview.take()) {
            let message = "a project's `preview` is not used: what counts rows decides what passes, and a project can \
                           only tighten";
            reader.notice(preview, message);
        }
        if let Some(mode) =
            rule.schema.take_if(|mode| mode.value == SchemaMode::Off).and(self.schema_validation.as_ref())
        {
            reader.notice(mode, "a project's `off` is not used: a project can only tighten");
        }
    }

    fn dry_run(&self, reader: &mut Reader<'_>) -> Option<Placed<Option<u64>>> {
        let threshold = self.dry_run_threshold.as_ref().and_then(|threshold| reader.placed_text(threshold, whole));
        let required = self.require_dry_run.as_ref().map(|required| reader.placed(required, required.value));
        match (required, threshold) {
            (Some(required), _) if !required.value => None,
            (_, Some(Placed { value, layer, file, line })) => Some(Placed { value: Some(value), layer, file, line }),
            (Some(Placed { layer, file, line, .. }), None) => {
                if let Some(at) = &self.require_dry_run {
                    reader.notice(at, "without `dry_run_threshold` a dry run is required for every call");
                }
                Some(Placed { value: None, layer, file, line })
            }
            (None, None) => None,
        }
    }

    fn tell_what_cannot_be_counted(&self, name: &Text, rule: &ToolRule, reader: &mut Reader<'_>) {
        if rule.preview.is_none() && self.preview.is_none() && (rule.max_row_count.is_some() || rule.dry_run.is_some())
        {
            let message = "without `preview` nobody can count the rows that a call would change, so a human is asked \
                           about each; what the agent says of it is no count";
            reader.notice(name, message);
        }
    }
}

impl PreviewEntry {
    fn define(&self, at: &Spanned<Self>, reader: &mut Reader<'_>) -> Option<Preview> {
        let rows = self.rows.clone().unwrap_or_else(|| ROWS.to_owned());
        let Self { tool, argument, value, sql, reader: reading, reader_argument, dialect, .. } = self;
        let dialect = match dialect {
            Some(dialect) => Some(reader.read(dialect, sql_dialect)?),
            None => None,
        };
        let without_sql = reading.is_none() && reader_argument.is_none() && dialect.is_none();
        match (tool, argument, sql) {
            (Some(tool), None, None) if value.is_none() && without_sql => {
                return Some(Preview::Tool { tool: tool.clone(), rows });
            }
            (None, Some(argument), None) if without_sql => {
                let value = value.as_ref().map_or(ArgumentValue::Bool(true), |value| value.0.clone());
                return Some(Preview::Argument { argument: argument.clone(), value, rows });
            }
            (None, None, Some(argument)) if value.is_none() && self.rows.is_none() => {
                if let (Some(reading), Some(dialect)) = (reading, dialect) {
                    let reader_argument = reader_argument.as_ref().unwrap_or(argument).clone();
                    let (argument, reader) = (argument.clone(), reading.clone());
                    return Some(Preview::Sql { argument, reader, reader_argument, dialect });
                }
            }
            _ => {}
        }
        let message = "a preview is `{tool, rows}`, `{argument, value, rows}` or `{sql, reader, dialect}` with an \
                       optional `reader_argument`";
        reader.wrong(at, message.to_owned());
        None
    }
}

impl Values {
    fn define(&self, name: &Text, at: &Spanned<Self>, reader: &mut Reader<'_>) -> Option<Placed<Forbidden>> {
        let compile = |pattern: &String| {
            RegexBuilder::new(pattern).case_insensitive(self.case_insensitive).size_limit(PATTERN).build()
        };
        let patterns: Result<Vec<Regex>, regex::Error> = self.patterns.iter().map(compile).collect();
        let patterns =
            patterns.map_err(|error| reader.wrong(at, format!("the pattern does not load: {error}"))).ok()?;
        if self.values.is_empty() && patterns.is_empty() {
            reader.wrong(at, "it forbids nothing".to_owned());
            return None;
        }
        let path: Vec<String> = name.value.split('.').map(str::to_owned).collect();
        if path.iter().any(String::is_empty) {
            reader.wrong(name, format!("`{}` is not the name of an argument", name.value));
            return None;
        }
        let values = self.values.clone();
        let forbidden = Forbidden { path, values, case_insensitive: self.case_insensitive, patterns };
        Some(reader.placed(name, forbidden))
    }
}

impl Governance {
    fn define(&self, name: &Text, reader: &mut Reader<'_>) -> Option<ToolRule> {
        let mut rule = reader.rule(name)?;
        if let (Some(key), Some(_)) = (&self.idempotency_key, &self.key_fields) {
            reader.wrong(key, "`idempotency_key` and `key_fields` say the same: one of them is enough".to_owned());
        }
        let keys = self.idempotency_key.as_ref().map(|key| &key.value).or(self.key_fields.as_ref());
        let scope = reader.optional(self.scope.as_ref(), |text| match text {
            "session" => Ok(IdempotenceScope::Session),
            "agent" => Ok(IdempotenceScope::Agent),
            "all" => Ok(IdempotenceScope::All),
            _ => Err(format!("`{text}` is none of `session`, `agent` and `all`")),
        });
        let on_duplicate = reader.optional(self.on_duplicate.as_ref(), |text| match text {
            "return_cached" => Ok(OnDuplicate::ReturnCached),
            "reject" | "deny" | "error" => Ok(OnDuplicate::Reject),
            "ask" => Ok(OnDuplicate::Ask),
            _ => Err(format!("`{text}` is none of `return_cached`, `reject` and `ask`")),
        });
        let probe = self.probe.as_ref().map(|probe| Probe {
            tool: probe.tool.clone(),
            arguments: probe.arguments.clone(),
            done: probe.done.clone(),
        });
        let on_unknown = reader.optional(self.on_unknown.as_ref(), |text| match text {
            "probe" if probe.is_none() => Err("`probe` needs a `probe` that says how".to_owned()),
            "probe" => Ok(OnUnknown::Probe),
            "ask" => Ok(OnUnknown::Ask),
            "retry" => Ok(OnUnknown::Retry),
            "reject" | "deny" => Ok(OnUnknown::Reject),
            _ => Err(format!("`{text}` is none of `probe`, `ask`, `retry` and `reject`")),
        });
        let errors = self.final_errors.as_ref().map_or(&[][..], |errors| &errors.value.0);
        if let Some(at) = self.final_errors.as_ref().filter(|_| errors.iter().any(|words| words.trim().is_empty())) {
            reader.wrong(at, "`final_errors` has no words, so it would mean every error".to_owned());
        }
        rule.idempotence = Some(Idempotence {
            key_fields: keys.map(|keys| keys.0.clone()).unwrap_or_default(),
            scope: scope.unwrap_or(IdempotenceScope::Agent),
            cache_ttl_seconds: reader.optional(self.cache_ttl.as_ref(), seconds).unwrap_or(CACHE_TTL),
            on_duplicate: on_duplicate.unwrap_or(OnDuplicate::ReturnCached),
            strict: self.strict_mode,
            lease_seconds: reader.optional(self.lease.as_ref(), seconds).unwrap_or(LEASE),
            on_unknown: on_unknown.unwrap_or(if probe.is_some() { OnUnknown::Probe } else { OnUnknown::Ask }),
            probe,
            final_errors: errors.iter().map(|words| words.to_lowercase()).collect(),
        });
        if rule.layer == Layer::Project {
            rule.idempotence = rule.idempotence.map(|rules| tightened(name, rules, reader));
        }
        Some(rule)
    }
}

/// `server/method: deny`: what passes unless a rule says otherwise.
fn refused(name: &Text, answer: &Text, reader: &mut Reader<'_>) -> Option<ToolRule> {
    let mut rule = reader.rule(name)?;
    rule.refuses = true;
    if rule.tools.server.is_none() {
        reader.wrong(name, format!("`{}` names no server: `server/method`, or `*/method` for all of them", name.value));
        return None;
    }
    if super::ALWAYS.iter().any(|method| rule.tools.tool == Pattern::Exactly((*method).to_owned())) {
        reader.wrong(name, "this method always passes; tools have `tool_policies` and rules of their own".to_owned());
        return None;
    }
    reader.read(answer, |text| if text == "deny" { Ok(rule) } else { Err(format!("`{text}` is not `deny`")) })
}

/// What a project may say of repeats: nothing by which a call is made again, or answered with what another agent was told.
fn tightened(at: &Text, mut rules: Idempotence, reader: &mut Reader<'_>) -> Idempotence {
    if rules.scope == IdempotenceScope::All {
        rules.scope = IdempotenceScope::Agent;
        reader.notice(at, "a project's `scope: all` counts as `agent`: a project can only tighten");
    }
    if matches!(rules.on_unknown, OnUnknown::Retry | OnUnknown::Probe) {
        (rules.on_unknown, rules.probe) = (OnUnknown::Ask, None);
        reader.notice(at, "a project's `probe` and `on_unknown: retry` count as `ask`: a project can only tighten");
    }
    rules
}

/// `tool`, `server/tool`, each with a `*` at its end or not; a `/` in the server's own name is written `%2F`.
fn tools(text: &str) -> Result<Tools, String> {
    let pattern = |part: &str| {
        let stem = part.strip_suffix('*');
        let plain = stem.unwrap_or(part);
        if part.is_empty() || plain.contains('*') || plain.chars().any(char::is_control) {
            return Err(format!("`{text}` is not a tool: `name`, `server/name`, and a `*` at the end of either"));
        }
        Ok(stem.map_or_else(|| Pattern::Exactly(part.to_owned()), |stem| Pattern::Begins(stem.to_owned())))
    };
    match text.split_once('/') {
        Some((server, tool)) => Ok(Tools { server: Some(pattern(&server.replace("%2F", "/"))?), tool: pattern(tool)? }),
        None => Ok(Tools { server: None, tool: pattern(text)? }),
    }
}

fn whole(text: &str) -> Result<u64, String> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().ok_or_else(|| format!("`{text}` is not a whole number"))
}

/// `15s`, `500ms`, `24h`: in seconds, rounded up.
fn seconds(text: &str) -> Result<u64, String> {
    let bad = || format!("`{text}` is not a duration such as `500ms`, `15s`, `5m`, `24h` or `7d`");
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(at);
    let number = whole(number).map_err(|_| bad())?;
    let seconds = match unit {
        "ms" => Some(number.div_ceil(1000)),
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(60 * 60),
        "d" => number.checked_mul(24 * 60 * 60),
        _ => None,
    };
    seconds.filter(|seconds| *seconds > 0).ok_or_else(bad)
}

fn data_action(text: &str) -> Result<DataAction, String> {
    match text {
        "allow" => Ok(DataAction::Allow),
        "audit" => Ok(DataAction::Audit),
        "redact" => Ok(DataAction::Redact),
        "block" => Ok(DataAction::Block),
        _ => Err(format!("`{text}` is none of `allow`, `audit`, `redact` and `block`")),
    }
}

fn schema_mode(text: &str) -> Result<SchemaMode, String> {
    match text {
        "enforce" | "true" => Ok(SchemaMode::Enforce),
        "observe" => Ok(SchemaMode::Observe),
        "off" | "false" => Ok(SchemaMode::Off),
        _ => Err(format!("`{text}` is none of `enforce`, `observe` and `off`")),
    }
}

fn sql_dialect(text: &str) -> Result<SqlDialect, String> {
    match text {
        "sqlite" => Ok(SqlDialect::Sqlite),
        "postgres" | "postgresql" => Ok(SqlDialect::Postgres),
        "mysql" => Ok(SqlDialect::Mysql),
        _ => Err(format!("`{text}` is none of `sqlite`, `postgres` and `mysql`")),
    }
}
