//! The facts that rules see: computed from the typed operation, each named as in the schema.
//! A slice asks only for the facts that its rules read.

use std::collections::BTreeSet;

use cedar_policy::{Context, EntityUid, RestrictedExpression};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use reeve_domain::grant::Grant;
use reeve_domain::operation::{
    Action, Billing, Dialect, Effect, Endpoint, HttpCall, LlmCall, McpAsk, McpToolCall, Operation, RowCount,
    SchemaCheck, ShellExec, ShellPiece, Subject, Wanted,
};
use reeve_domain::verdict::Risk;

use crate::risk;
use crate::schema::{Names, parent, uid};

/// What the operation itself does not say.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Now, with the offset of the human's local time: rules see local hours and weekdays.
    pub now: DateTime<FixedOffset>,
    /// This agent has never had an operation admitted to this host, called this tool or run this program.
    pub first_seen: bool,
    /// This agent has never had anything but a read ([`Class::Read`]) admitted there.
    pub first_write: bool,
    /// The folder that the session works in, where it is known.
    pub cwd: Option<String>,
    /// Live grants for this session or until some time; those of other agents, other sessions or past their end do
    /// nothing.
    pub grants: Vec<Grant>,
}

/// What kind of effect an operation has, as far as its kind and method tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    Read,
    Write,
    Destructive,
}

impl Class {
    #[must_use]
    pub fn of(operation: &Operation) -> Self {
        if operation.only_reads() {
            return Self::Read;
        }
        let destroys = match &operation.subject {
            Subject::Http(call) => call.endpoint.method == "DELETE" && !call.ends_session,
            Subject::Llm(_) | Subject::McpAsk(_) => false,
            Subject::Mcp(call) => call.annotations.may_destroy(),
            Subject::Shell(line) => line.pieces.iter().any(ShellPiece::destroys),
        };
        if destroys { Self::Destructive } else { Self::Write }
    }

    fn of_piece(piece: &ShellPiece) -> Self {
        match piece {
            piece if piece.only_reads() => Self::Read,
            piece if piece.destroys() => Self::Destructive,
            _ => Self::Write,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Destructive => "destructive",
        }
    }
}

pub(crate) fn risk_word(risk: Risk) -> &'static str {
    match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
        Risk::Critical => "critical",
    }
}

/// An operation, or one program of a command line, with everything computed about it that does not depend on a rule.
pub(crate) struct Case<'a> {
    pub operation: &'a Operation,
    pub circumstances: &'a Circumstances,
    pub class: Class,
    pub risk: Risk,
    pub risk_reasons: Vec<(Risk, String)>,
    /// The path in another spelling than the one that is sent.
    respelt: Option<String>,
    /// The program of a command line that is judged; `None`: what of the line is not understood.
    piece: Option<&'a ShellPiece>,
}

impl<'a> Case<'a> {
    pub fn new(operation: &'a Operation, circumstances: &'a Circumstances) -> Self {
        let piece = operation.shell().and_then(|line| line.pieces.first());
        Self::of(operation, circumstances, piece)
    }

    /// Everything that is judged by itself: each program of a command line, and what of it is not understood.
    pub fn all(operation: &'a Operation, circumstances: &'a Circumstances) -> Vec<Self> {
        let Some(line) = operation.shell() else { return vec![Self::new(operation, circumstances)] };
        let of = |piece| Self::of(operation, circumstances, piece);
        let mut all: Vec<Self> = line.pieces.iter().map(|piece| of(Some(piece))).collect();
        if all.is_empty() || !line.understood {
            all.push(of(None));
        }
        all
    }

    fn of(operation: &'a Operation, circumstances: &'a Circumstances, piece: Option<&'a ShellPiece>) -> Self {
        let class = piece.map_or_else(|| Class::of(operation), Class::of_piece);
        let risk_reasons = risk::assess(operation, piece, circumstances, class);
        let risk = risk_reasons.iter().map(|(risk, _)| *risk).max().unwrap_or(Risk::Low);
        Self { operation, circumstances, class, risk, risk_reasons, respelt: None, piece }
    }

    /// The same with the path as servers read it that take the escaped `/` of a package's name for a separator.
    pub fn apart(&self) -> Option<Self> {
        let path = self.endpoint()?.path.judged_apart()?;
        Some(Self { risk_reasons: Vec::new(), respelt: Some(path), ..*self })
    }

    fn path(&self) -> Option<String> {
        self.respelt.clone().or_else(|| Some(self.endpoint()?.path.judged()))
    }

    fn segments(&self) -> Option<Vec<String>> {
        match &self.respelt {
            Some(path) => Some(path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()),
            None => Some(self.endpoint()?.path.segments().map(std::borrow::Cow::into_owned).collect()),
        }
    }

    fn endpoint(&self) -> Option<&Endpoint> {
        self.operation.endpoint()
    }

    fn http(&self) -> Option<&HttpCall> {
        match &self.operation.subject {
            Subject::Http(call) => Some(call),
            _ => None,
        }
    }

    fn mcp(&self) -> Option<&McpToolCall> {
        self.operation.mcp()
    }

    fn ask(&self) -> Option<&McpAsk> {
        self.operation.mcp_ask()
    }

    fn shell(&self) -> Option<&ShellExec> {
        self.operation.shell()
    }

    /// Name of the program that is judged; empty for what is not understood.
    pub fn program(&self) -> &str {
        self.piece.map_or("", |piece| piece.program.as_str())
    }

    /// Of the program that is judged.
    fn texts(&self, of: impl Fn(&'a ShellPiece) -> Vec<String>) -> Option<Value> {
        self.shell().map(|_| Value::Set(self.piece.map(of).unwrap_or_default()))
    }

    fn llm(&self) -> Option<&LlmCall> {
        self.operation.llm()
    }

    /// The context of a request: the facts asked for, and `approved`.
    pub fn context(
        &self,
        wanted: &[&'static Fact],
        names: &Names,
        approved: bool,
    ) -> Result<Context, cedar_policy::ContextCreationError> {
        let facts = wanted.iter().filter_map(|fact| Some((fact.name.to_owned(), (fact.of)(self)?.expression(names))));
        let approved = ("approved".to_owned(), RestrictedExpression::new_bool(approved));
        Context::from_pairs(facts.chain(std::iter::once(approved)))
    }

    /// Every fact, for people.
    pub fn shown(&self) -> serde_json::Map<String, serde_json::Value> {
        facts_of(self.operation.action())
            .filter_map(|fact| Some((fact.name.to_owned(), (fact.of)(self)?.json())))
            .collect()
    }
}

/// The value of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Bool(bool),
    Long(i64),
    Text(String),
    Set(Vec<String>),
    Session(String),
    User(String),
}

impl Value {
    fn long(n: u64) -> Self {
        Self::Long(i64::try_from(n).unwrap_or(i64::MAX))
    }

    fn expression(self, names: &Names) -> RestrictedExpression {
        let entity = |uid: EntityUid| RestrictedExpression::new_entity_uid(uid);
        match self {
            Self::Bool(value) => RestrictedExpression::new_bool(value),
            Self::Long(value) => RestrictedExpression::new_long(value),
            Self::Text(value) => RestrictedExpression::new_string(value),
            Self::Set(values) => {
                RestrictedExpression::new_set(values.into_iter().map(RestrictedExpression::new_string))
            }
            Self::Session(id) => entity(uid(&names.session, &id)),
            Self::User(id) => entity(uid(&names.user, &id)),
        }
    }

    fn json(self) -> serde_json::Value {
        match self {
            Self::Bool(value) => value.into(),
            Self::Long(value) => value.into(),
            Self::Text(value) | Self::Session(value) | Self::User(value) => value.into(),
            Self::Set(values) => values.into(),
        }
    }
}

/// A fact by its name in the schema.
pub(crate) struct Fact {
    pub name: &'static str,
    of: fn(&Case<'_>) -> Option<Value>,
}

macro_rules! facts {
    ($($name:literal: $of:expr;)+) => {
        &[$(Fact { name: $name, of: $of }),+]
    };
}

const COMMON: &[Fact] = facts! {
    "first_seen": |c| Some(Value::Bool(c.circumstances.first_seen));
    "first_write": |c| Some(Value::Bool(c.circumstances.first_write));
    "session": |c| Some(Value::Session(c.operation.principal.session.to_string()));
    "user": |c| Some(Value::User(c.operation.principal.user.clone()));
    "team": |c| c.operation.principal.team.as_ref().map(|team| Value::Text(team.to_string()));
    "cwd": |c| c.circumstances.cwd.clone().map(Value::Text);
    "hour": |c| Some(Value::Long(c.circumstances.now.hour().into()));
    "minute": |c| Some(Value::Long(c.circumstances.now.minute().into()));
    "weekday": |c| Some(Value::Text(c.circumstances.now.weekday().to_string().to_lowercase()));
    "risk": |c| Some(Value::Text(risk_word(c.risk).to_owned()));
    "uses_credential": |c| Some(Value::Bool(c.operation.credential.is_some()));
    "credential": |c| c.operation.credential.as_ref().map(|id| Value::Text(id.to_string()));
};

/// Of requests.
const NETWORK: &[Fact] = facts! {
    "host": |c| Some(Value::Text(c.endpoint()?.host.to_string()));
    "host_parent": |c| Some(Value::Text(parent(&c.endpoint()?.host).unwrap_or_default().to_owned()));
    "host_suffixes": |c| Some(Value::Set(c.endpoint()?.host.suffixes().skip(1).map(str::to_owned).collect()));
    "is_ip": |c| Some(Value::Bool(c.endpoint()?.host.ip().is_some()));
    "scheme": |c| Some(Value::Text(c.endpoint()?.scheme.as_str().to_owned()));
    "port": |c| Some(Value::Long(c.endpoint()?.port.into()));
    "standard_port": |c| c.endpoint().map(|place| Value::Bool(place.port == place.scheme.default_port()));
    "method": |c| Some(Value::Text(c.endpoint()?.method.clone()));
    "path": |c| Some(Value::Text(c.path()?));
    "path_segments": |c| Some(Value::Set(c.segments()?));
};

const HTTP: &[Fact] = facts! {
    "query_bytes": |c| Some(Value::long(query_bytes(c.http()?)));
    "content_type": |c| c.http()?.content_type.clone().map(Value::Text);
    "body_bytes": |c| c.http()?.body_bytes.map(Value::long);
    "upgrade": |c| c.http()?.upgrade.clone().map(Value::Text);
};

const LLM: &[Fact] = facts! {
    "provider": |c| Some(Value::Text(c.llm()?.provider.clone()));
    "model": |c| Some(Value::Text(c.llm()?.model.clone()));
    "dialect": |c| Some(Value::Text(dialect_word(c.llm()?.dialect).to_owned()));
    "stream": |c| Some(Value::Bool(c.llm()?.stream));
    "input_bound": |c| Some(Value::long(c.llm()?.input_bound));
    "output_limit": |c| c.llm()?.output_limit.map(Value::long);
    "thinking_budget": |c| c.llm()?.thinking_budget.map(Value::long);
    "candidates": |c| Some(Value::long(c.llm()?.candidates));
    "tools_offered": |c| Some(Value::Set(c.llm()?.tools_offered.clone()));
    "server_tools": |c| Some(Value::Set(c.llm()?.server_tools.iter().map(|tool| tool.name.clone()).collect()));
    "service_tier": |c| c.llm()?.service_tier.clone().map(Value::Text);
    "billing": |c| Some(Value::Text(billing_word(c.llm()?.billing).to_owned()));
    "body_bytes": |c| Some(Value::long(c.llm()?.body_bytes));
};

const MCP: &[Fact] = facts! {
    "server": |c| Some(Value::Text(c.mcp()?.server.clone()));
    "tool": |c| Some(Value::Text(c.mcp()?.tool.clone()));
    "transport": |c| Some(Value::Text(c.mcp()?.transport.as_str().to_owned()));
    "annotated": |c| Some(Value::Bool(!c.mcp()?.annotations.is_silent()));
    "read_only_hint": |c| Some(Value::Bool(c.mcp()?.annotations.only_reads()));
    "destructive_hint": |c| Some(Value::Bool(c.mcp()?.annotations.may_destroy()));
    "idempotent_hint": |c| Some(Value::Bool(c.mcp()?.annotations.idempotent.unwrap_or(false)));
    "open_world_hint": |c| Some(Value::Bool(c.mcp()?.annotations.reaches_out()));
    "argument_names": |c| Some(Value::Set(c.mcp()?.arguments.iter().map(|one| one.path.clone()).collect()));
    "arguments": |c| Some(Value::Set(c.mcp()?.arguments.iter().map(|one| format!("{}={}", one.path, one.value)).collect()));
    "arguments_whole": |c| Some(Value::Bool(c.mcp()?.is_whole));
    "argument_bytes": |c| Some(Value::long(c.mcp()?.argument_bytes));
    "schema": |c| Some(Value::Text(schema_word(&c.mcp()?.schema).to_owned()));
    "purpose": |c| Some(Value::Text(c.mcp()?.purpose.as_str().to_owned()));
    "rows_counted": |c| Some(Value::Bool(rows(c).is_some()));
    "rows": |c| rows(c).map(Value::long);
    "personal_data": |c| Some(Value::Set(kinds(c.mcp()?)));
    "content": |c| Some(Value::Text(c.operation.content.0.clone()));
};

/// Of what a server asks of the agent's side.
const ASKED: &[Fact] = facts! {
    "server": |c| Some(Value::Text(c.ask()?.server.clone()));
    "transport": |c| Some(Value::Text(c.ask()?.transport.as_str().to_owned()));
    "request_bytes": |c| Some(Value::long(c.ask()?.bytes));
    "content": |c| c.ask().map(|_| Value::Text(c.operation.content.0.clone()));
};

const SAMPLING: &[Fact] = facts! {
    "max_tokens": |c| match c.ask()?.wanted { Wanted::Sampling { max_tokens, .. } => max_tokens.map(Value::long), _ => None };
    "models": |c| match &c.ask()?.wanted { Wanted::Sampling { models, .. } => Some(Value::Set(models.clone())), _ => None };
    "tools_offered": |c| match &c.ask()?.wanted { Wanted::Sampling { tools, .. } => Some(Value::Set(tools.clone())), _ => None };
    "messages": |c| match c.ask()?.wanted { Wanted::Sampling { messages, .. } => Some(Value::long(messages)), _ => None };
};

const ELICITATION: &[Fact] = facts! {
    "mode": |c| Some(Value::Text(if matches!(c.ask()?.wanted, Wanted::Url { .. }) { "url" } else { "form" }.to_owned()));
    "fields": |c| match &c.ask()?.wanted { Wanted::Form { fields } => Some(Value::Set(fields.clone())), _ => Some(Value::Set(Vec::new())) };
    "host": |c| match &c.ask()?.wanted { Wanted::Url { host, .. } => host.clone().map(Value::Text), _ => None };
};

const SHELL: &[Fact] = facts! {
    "program": |c| c.shell().map(|_| Value::Text(c.program().to_owned()));
    "argv": |c| c.texts(|piece| piece.argv.clone());
    "flags": |c| c.texts(ShellPiece::flags);
    "effects": |c| c.texts(|piece| piece.effects.iter().map(|effect| effect.as_str().to_owned()).collect());
    "touches": |c| c.texts(|piece| piece.touches.clone());
    "hosts": |c| c.texts(|piece| piece.hosts.clone());
    "deletes_recursively": |c| c.shell().map(|_| Value::Bool(c.piece.is_some_and(|piece| piece.does(Effect::DeletesTree))));
    "programs": |c| Some(Value::Set(c.shell()?.programs().into_iter().map(str::to_owned).collect()));
    "understood": |c| Some(Value::Bool(c.shell()?.understood));
    "folder": |c| Some(Value::Text(c.shell()?.cwd.clone()));
    "command": |c| Some(Value::Text(c.shell()?.command.clone()));
    "command_bytes": |c| Some(Value::long(c.shell()?.command_bytes));
    "content": |c| Some(Value::Text(c.operation.content.0.clone()));
};

/// Rows that this very call would change, where Reeve counted them.
fn rows(case: &Case<'_>) -> Option<u64> {
    match &case.mcp()?.rows {
        RowCount::Counted { rows, arguments, .. } if *arguments == case.operation.content => Some(*rows),
        RowCount::Repeats { .. } => Some(0),
        _ => None,
    }
}

/// Kinds of personal data in the arguments, each once.
fn kinds(call: &McpToolCall) -> Vec<String> {
    let kinds: BTreeSet<&str> = call.data.iter().map(|found| found.kind.as_str()).collect();
    kinds.into_iter().map(str::to_owned).collect()
}

fn schema_word(check: &SchemaCheck) -> &'static str {
    match check {
        SchemaCheck::Unchecked => "unchecked",
        SchemaCheck::Fits => "fits",
        SchemaCheck::Fails { .. } => "fails",
    }
}

fn dialect_word(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::AnthropicMessages => "anthropic_messages",
        Dialect::OpenaiChat => "openai_chat",
        Dialect::OpenaiResponses => "openai_responses",
        Dialect::Gemini => "gemini",
        Dialect::GeminiCodeAssist => "gemini_code_assist",
    }
}

/// Of the query as it is sent; the recorded one may be shorter.
fn query_bytes(call: &HttpCall) -> u64 {
    call.query_bytes.unwrap_or_else(|| call.query.as_ref().map_or(0, String::len) as u64)
}

fn billing_word(billing: Billing) -> &'static str {
    match billing {
        Billing::Metered => "metered",
        Billing::FlatRate => "flat_rate",
    }
}

/// The facts of one kind of operation, `approved` apart.
pub(crate) fn facts_of(action: Action) -> impl Iterator<Item = &'static Fact> {
    let (place, own) = match action {
        Action::HttpRequest => (NETWORK, HTTP),
        Action::LlmCall => (NETWORK, LLM),
        Action::McpToolCall => (MCP, [].as_slice()),
        Action::McpSampling => (ASKED, SAMPLING),
        Action::McpElicitation => (ASKED, ELICITATION),
        Action::ShellExec => (SHELL, [].as_slice()),
        Action::FileWrite => ([].as_slice(), [].as_slice()),
    };
    COMMON.iter().chain(place).chain(own)
}
