//! The facts that rules see: computed from the typed operation, each named as in the schema.
//! A slice asks only for the facts that its rules read.

use cedar_policy::{Context, EntityUid, RestrictedExpression};
use chrono::{DateTime, Datelike, FixedOffset, Timelike};
use reeve_domain::grant::Grant;
use reeve_domain::operation::{Action, Billing, Dialect, Endpoint, HttpCall, LlmCall, Operation, Subject};
use reeve_domain::verdict::Risk;

use crate::risk;
use crate::schema::{Names, parent, uid};

/// What the operation itself does not say.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Now, with the offset of the human's local time: rules see local hours and weekdays.
    pub now: DateTime<FixedOffset>,
    /// This agent has never had an operation admitted to this host.
    pub first_seen: bool,
    /// This agent has never had anything but a read ([`Class::Read`]) admitted to this host.
    pub first_write: bool,
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
        match operation.endpoint().method.as_str() {
            "DELETE" => Self::Destructive,
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

/// An operation with everything computed about it that does not depend on a rule.
pub(crate) struct Case<'a> {
    pub operation: &'a Operation,
    pub circumstances: &'a Circumstances,
    pub class: Class,
    pub risk: Risk,
    pub risk_reasons: Vec<(Risk, String)>,
    /// The path in another spelling than the one that is sent.
    respelt: Option<String>,
}

impl<'a> Case<'a> {
    pub fn new(operation: &'a Operation, circumstances: &'a Circumstances) -> Self {
        let class = Class::of(operation);
        let risk_reasons = risk::assess(operation, circumstances, class);
        let risk = risk_reasons.iter().map(|(risk, _)| *risk).max().unwrap_or(Risk::Low);
        Self { operation, circumstances, class, risk, risk_reasons, respelt: None }
    }

    /// The same with the path as servers read it that take the escaped `/` of a package's name for a separator.
    pub fn apart(&self) -> Option<Self> {
        let path = self.endpoint().path.judged_apart()?;
        Some(Self { risk_reasons: Vec::new(), respelt: Some(path), ..*self })
    }

    fn path(&self) -> String {
        self.respelt.clone().unwrap_or_else(|| self.endpoint().path.judged())
    }

    fn segments(&self) -> Vec<String> {
        match &self.respelt {
            Some(path) => path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect(),
            None => self.endpoint().path.segments().map(std::borrow::Cow::into_owned).collect(),
        }
    }

    fn endpoint(&self) -> &Endpoint {
        self.operation.endpoint()
    }

    fn http(&self) -> Option<&HttpCall> {
        match &self.operation.subject {
            Subject::Http(call) => Some(call),
            Subject::Llm(_) => None,
        }
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
    "hour": |c| Some(Value::Long(c.circumstances.now.hour().into()));
    "minute": |c| Some(Value::Long(c.circumstances.now.minute().into()));
    "weekday": |c| Some(Value::Text(c.circumstances.now.weekday().to_string().to_lowercase()));
    "risk": |c| Some(Value::Text(risk_word(c.risk).to_owned()));
    "uses_credential": |c| Some(Value::Bool(c.operation.credential.is_some()));
    "credential": |c| c.operation.credential.as_ref().map(|id| Value::Text(id.to_string()));
    "host": |c| Some(Value::Text(c.endpoint().host.to_string()));
    "host_parent": |c| Some(Value::Text(parent(&c.endpoint().host).unwrap_or_default().to_owned()));
    "host_suffixes": |c| Some(Value::Set(c.endpoint().host.suffixes().skip(1).map(str::to_owned).collect()));
    "is_ip": |c| Some(Value::Bool(c.endpoint().host.ip().is_some()));
    "scheme": |c| Some(Value::Text(c.endpoint().scheme.as_str().to_owned()));
    "port": |c| Some(Value::Long(c.endpoint().port.into()));
    "standard_port": |c| Some(Value::Bool(c.endpoint().port == c.endpoint().scheme.default_port()));
    "method": |c| Some(Value::Text(c.endpoint().method.clone()));
    "path": |c| Some(Value::Text(c.path()));
    "path_segments": |c| Some(Value::Set(c.segments()));
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
    let own = match action {
        Action::HttpRequest => HTTP,
        Action::LlmCall => LLM,
        Action::McpToolCall | Action::ShellExec | Action::FileWrite => &[],
    };
    COMMON.iter().chain(own)
}
