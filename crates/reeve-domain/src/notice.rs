//! What happened beside actions and matters to whoever reads the record: a line each, made of its event and of nothing else.
//! Notices are searched by the grammar of the timeline; `kind:event` finds them and nothing else.

use chrono::{DateTime, Utc};

use crate::event::{Event, EventBody};
use crate::health::Looped;
use crate::id::{AgentId, CredentialId, OperationId, SessionId};
use crate::query::{Key, Query, Searched, Test, Value, matches};
use crate::server::{ShapeChange, ToolSeen};

/// Kind of every notice in the grammar.
pub const KIND: &str = "event";

/// What a reader should make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something works again, or a person settled it.
    Good,
    /// Something does not work.
    Bad,
    /// Somebody should look at it.
    Waits,
    Plain,
}

/// One line. Values of others stand in backticks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Number of its record.
    pub record: u64,
    pub at: DateTime<Utc>,
    /// Name of the event.
    pub event: &'static str,
    pub tone: Tone,
    pub agent: Option<AgentId>,
    pub session: Option<SessionId>,
    /// The operation at whose end it was noticed.
    pub operation: Option<OperationId>,
    pub server: Option<String>,
    pub tools: Vec<String>,
    pub credential: Option<CredentialId>,
    pub host: Option<String>,
    pub looped: Option<Looped>,
    pub summary: String,
    /// The rest of it, a sentence or a value each.
    pub more: Vec<String>,
}

/// Which notices a query can mean, as far as it says so by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sought {
    /// It asks for a kind of action, or for a record that is none of ours.
    None,
    /// At most the one of this record.
    Record(u64),
    Any,
}

impl Sought {
    /// What has to be looked at for this query.
    #[must_use]
    pub fn by(query: &Query) -> Self {
        let parts = match query {
            Query::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let named = |value: &Value| matches!(value, Value::Pattern(pattern) if !pattern.matches(KIND));
        let mut sought = Self::Any;
        for part in parts {
            match part {
                Query::Field(Key::Kind, Test::Is(value)) if named(value) => return Self::None,
                Query::Field(Key::Kind, Test::OneOf(values)) if values.iter().all(named) => return Self::None,
                Query::Field(Key::Record, Test::Is(Value::Pattern(one))) if !one.open_start && !one.open_end => {
                    // An action may be named by its id, a notice only by its number.
                    let Ok(record) = one.text.parse() else { return Self::None };
                    sought = Self::Record(record);
                }
                _ => {}
            }
        }
        sought
    }
}

impl Notice {
    /// Of an event; `None`: it is part of an action, or nothing to tell.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let told = told(&event.body)?;
        let notice = Self {
            record: event.seq,
            at: event.at,
            event: told.event,
            tone: told.tone,
            agent: event.agent.clone(),
            session: event.session.clone(),
            operation: event.operation.clone(),
            server: None,
            tools: Vec::new(),
            credential: None,
            host: None,
            looped: None,
            summary: told.summary,
            more: told.more,
        };
        Some(notice.about(&event.body))
    }

    /// With what it is searched by.
    fn about(mut self, body: &EventBody) -> Self {
        match body {
            EventBody::ToolCutOff { place, .. } | EventBody::ToolBack { place } => {
                let (server, tool) = place.split_once('/').map_or((place.as_str(), None), |(s, t)| (s, Some(t)));
                self.server = Some(server.to_owned());
                self.tools = tool.map(str::to_owned).into_iter().collect();
            }
            EventBody::CredentialRefused { credential, host, .. }
            | EventBody::CredentialAccepted { credential, host } => {
                (self.credential, self.host) = (Some(credential.clone()), Some(host.clone()));
            }
            EventBody::AgentLooped { case, stage, .. } => self.looped = Some(Looped { case: *case, stage: *stage }),
            EventBody::CallLost { server, tool, .. } | EventBody::ShapeDrifted { server, tool, .. } => {
                (self.server, self.tools) = (Some(server.clone()), vec![tool.clone()]);
            }
            EventBody::ServerSeen { server, .. } | EventBody::ServerForgotten { server, .. } => {
                self.server = Some(server.clone());
            }
            EventBody::ServerApproved { server, tools, .. } => {
                (self.server, self.tools) = (Some(server.clone()), names(tools));
            }
            EventBody::ToolsChanged { server, new, changed, gone } => {
                let all = [names(new), names(changed), gone.clone()].concat();
                (self.server, self.tools) = (Some(server.clone()), all);
            }
            EventBody::AgentPaused { agent, .. } | EventBody::AgentResumed { agent, .. } => {
                self.agent = Some(agent.clone());
            }
            _ => {}
        }
        self
    }

    /// Whether a query means it. `now` is what durations before now count from.
    #[must_use]
    pub fn matches(&self, query: &Query, now: DateTime<Utc>) -> bool {
        matches(self, query, now)
    }
}

impl Searched for Notice {
    fn at(&self) -> DateTime<Utc> {
        self.at
    }

    fn texts(&self, key: Key) -> Vec<String> {
        let one = |text: Option<String>| text.into_iter().collect();
        match key {
            Key::Kind => vec![KIND.to_owned()],
            Key::Agent => one(self.agent.as_ref().map(ToString::to_string)),
            Key::Session => one(self.session.as_ref().map(ToString::to_string)),
            Key::Parent => one(self.operation.as_ref().map(ToString::to_string)),
            Key::Server => one(self.server.clone()),
            Key::Tool => self.tools.clone(),
            Key::Credential => one(self.credential.as_ref().map(ToString::to_string)),
            Key::Host => one(self.host.clone()),
            Key::Loop => self.looped.iter().flat_map(|looped| looped.words()).map(str::to_owned).collect(),
            Key::Record => vec![self.record.to_string()],
            _ => Vec::new(),
        }
    }

    fn number(&self, _: Key) -> Option<u64> {
        None
    }

    fn prose(&self) -> Vec<&str> {
        std::iter::once(&self.summary).chain(&self.more).map(String::as_str).collect()
    }
}

struct Told {
    event: &'static str,
    tone: Tone,
    summary: String,
    more: Vec<String>,
}

fn tell(event: &'static str, tone: Tone, summary: String) -> Option<Told> {
    Some(Told { event, tone, summary, more: Vec::new() })
}

fn tell_more(event: &'static str, tone: Tone, summary: String, more: Vec<String>) -> Option<Told> {
    Some(Told { event, tone, summary, more })
}

fn told(body: &EventBody) -> Option<Told> {
    match body {
        EventBody::ToolCutOff { place, why, failures } => tell_more(
            "tool.cut_off",
            Tone::Bad,
            format!("{} is left alone after {failures} failures", quoted(place)),
            vec![why.clone(), "until a trial succeeds its calls are answered by Reeve".to_owned()],
        ),
        EventBody::ToolBack { place } => tell("tool.back", Tone::Good, format!("{} works again", quoted(place))),
        EventBody::CredentialRefused { credential, host, refusal, .. } => tell_more(
            "credential.refused",
            Tone::Bad,
            format!("{} refuses the credential `{credential}`: it {}", quoted(host), refusal.words()),
            vec!["until the host takes it again, requests with it are answered by Reeve".to_owned()],
        ),
        EventBody::CredentialAccepted { credential, host } => tell(
            "credential.accepted",
            Tone::Good,
            format!("{} takes the credential `{credential}` again", quoted(host)),
        ),
        EventBody::AgentLooped { case, stage, times, what } => {
            let summary = format!("a loop, {}: {}", stage.as_str(), quoted(what));
            tell_more("agent.looped", Tone::Waits, summary, vec![case.words(*times)])
        }
        EventBody::CallLost { what, why, .. } => tell_more(
            "call.lost",
            Tone::Waits,
            format!("whether {} took effect is not known", quoted(what)),
            vec![why.clone(), "a repeat of it is not made without a look at that".to_owned()],
        ),
        other => of_servers(other).or_else(|| of_rules(other)).or_else(|| of_connections(other)),
    }
}

fn of_servers(body: &EventBody) -> Option<Told> {
    match body {
        EventBody::ServerSeen { server, identity, changed } => {
            let what = if *changed { "is another program or address than before" } else { "is new" };
            let summary =
                format!("the server {} {what}: it is held for review unless it was approved as it is", quoted(server));
            let place = identity.url.clone().unwrap_or_else(|| identity.command.join(" "));
            tell_more("server.seen", Tone::Waits, summary, vec![quoted(&place)])
        }
        EventBody::ServerApproved { server, tools, by, .. } => tell_more(
            "server.approved",
            Tone::Good,
            format!(
                "the server {} was reviewed by {}, with {}",
                quoted(server),
                quoted(by),
                count(tools.len(), "tool")
            ),
            tools.iter().map(|tool| quoted(&tool.name)).collect(),
        ),
        EventBody::ServerForgotten { server, by } => tell(
            "server.forgotten",
            Tone::Plain,
            format!("the server {} was forgotten by {}", quoted(server), quoted(by)),
        ),
        EventBody::ToolsChanged { server, new, changed, gone } => {
            let all = [(new.len(), "new"), (changed.len(), "changed"), (gone.len(), "gone")];
            let some: Vec<String> =
                all.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
            let tone = if new.is_empty() && changed.is_empty() { Tone::Plain } else { Tone::Waits };
            let line = |what: &str, name: &str| format!("{what}: {}", quoted(name));
            let more = new.iter().map(|tool| line("new", &tool.name));
            let more = more.chain(changed.iter().map(|tool| line("changed", &tool.name)));
            let more = more.chain(gone.iter().map(|name| line("gone", name))).collect();
            tell_more("tools.changed", tone, format!("tools of {}: {}", quoted(server), some.join(", ")), more)
        }
        EventBody::ShapeDrifted { server, tool, changes, .. } => tell_more(
            "shape.drifted",
            Tone::Waits,
            format!("results of {} do not look as they did", quoted(&format!("{server}/{tool}"))),
            changes.iter().map(drift).collect(),
        ),
        _ => None,
    }
}

fn of_connections(body: &EventBody) -> Option<Told> {
    match body {
        EventBody::ConnectionUnattributed { detail } => tell_more(
            "connection.unattributed",
            Tone::Waits,
            "a program that the session did not start uses its token".to_owned(),
            vec![detail.clone()],
        ),
        EventBody::ConnectionRefused { why, detail } => {
            let more = if detail.is_empty() { Vec::new() } else { vec![quoted(detail)] };
            tell_more("connection.refused", Tone::Plain, format!("a connection was refused: {}", quoted(why)), more)
        }
        _ => None,
    }
}

fn of_rules(body: &EventBody) -> Option<Told> {
    match body {
        EventBody::AgentPaused { agent, by } => {
            let by = by.as_deref().unwrap_or("a person");
            tell("agent.paused", Tone::Waits, format!("the agent `{agent}` was paused by {}", quoted(by)))
        }
        EventBody::AgentResumed { agent, by } => {
            let by = by.as_deref().unwrap_or("a person");
            tell("agent.resumed", Tone::Good, format!("the agent `{agent}` was let go on by {}", quoted(by)))
        }
        EventBody::PolicyChanged { what, text } => {
            let more = if text.is_empty() { Vec::new() } else { vec![quoted(text)] };
            tell_more("policy.changed", Tone::Plain, format!("rules: {what}"), more)
        }
        EventBody::PolicyRejected { problem } => tell_more(
            "policy.rejected",
            Tone::Bad,
            "rules do not load: those from before stay in force".to_owned(),
            vec![problem.clone()],
        ),
        EventBody::PolicyWaiting { problem } => tell_more(
            "policy.waiting",
            Tone::Waits,
            "rules or limits were loosened outside Reeve: they wait for a person".to_owned(),
            vec![problem.clone()],
        ),
        EventBody::ModeChanged { what } => tell("mode.changed", Tone::Plain, format!("protection: {what}")),
        EventBody::RecordsRemoved { removal, by, .. } => {
            let by = by.as_ref().map(|by| format!(" by {}", quoted(by))).unwrap_or_default();
            tell("records.removed", Tone::Plain, format!("{} removed{by}", count_of(removal.count, "record")))
        }
        EventBody::ClockWentBackwards { seconds } => {
            tell("clock.went_backwards", Tone::Waits, format!("the clock of this machine went back by {seconds} s"))
        }
        _ => None,
    }
}

/// Words of others: what stands between the backticks must not end them.
fn quoted(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}

fn names(tools: &[ToolSeen]) -> Vec<String> {
    tools.iter().map(|tool| tool.name.clone()).collect()
}

fn drift(change: &ShapeChange) -> String {
    let place = quoted(if change.path.is_empty() { "the result" } else { &change.path });
    let before = change.before.join(" or ");
    match (&change.after, change.before.is_empty()) {
        (Some(after), true) => format!("{place} is new: {after}"),
        (Some(after), false) => format!("{place} is {after} and was {before}"),
        (None, _) => format!("{place} is missing and was {before}"),
    }
}

fn count(n: usize, what: &str) -> String {
    count_of(u64::try_from(n).unwrap_or(u64::MAX), what)
}

fn count_of(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::{LoopCase, LoopStage, Refusal};
    use crate::operation::Digest;
    use crate::query::parse;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn notice(body: EventBody) -> Option<Notice> {
        let (agent, session) = (AgentId::parse("codex").ok(), Some(SessionId::new()));
        let (prev, hash) = (Digest(String::new()), Digest(String::new()));
        Notice::of(&Event { v: 1, seq: 7, at: now(), agent, session, operation: None, body, prev, hash })
    }

    #[test]
    fn words_of_others_stay_between_their_backticks() {
        let place = "files/read` works again. `x".to_owned();
        let told = notice(EventBody::ToolBack { place }).unwrap().summary;
        assert_eq!(told, "`files/read' works again. 'x` works again");
        let changes = vec![ShapeChange { path: "a`b".to_owned(), before: vec!["array".to_owned()], after: None }];
        let drifted = EventBody::ShapeDrifted {
            server: "fi`les".to_owned(),
            tool: "li`st".to_owned(),
            definition: Digest(String::new()),
            changes,
        };
        let told = notice(drifted).unwrap();
        assert_eq!(told.summary, "results of `fi'les/li'st` do not look as they did");
        assert_eq!(told.more, ["`a'b` is missing and was array"]);
    }

    #[test]
    fn a_notice_is_found_by_what_it_is_about_and_by_its_words() {
        let all = [
            EventBody::ToolCutOff { place: "files/read".to_owned(), why: "it hangs".to_owned(), failures: 5 },
            EventBody::CredentialRefused {
                credential: CredentialId::parse("github").unwrap(),
                host: "api.github.com".to_owned(),
                refusal: Refusal::Expired,
                since: now(),
            },
            EventBody::AgentLooped {
                case: LoopCase::Stuck,
                stage: LoopStage::Held,
                times: 10,
                what: "files.read".to_owned(),
            },
            EventBody::ShapeDrifted {
                server: "files".to_owned(),
                tool: "list".to_owned(),
                definition: Digest(String::new()),
                changes: vec![ShapeChange { path: "rows".to_owned(), before: vec!["array".to_owned()], after: None }],
            },
        ]
        .map(|body| notice(body).unwrap());
        let found = |query: &str| {
            let parsed = parse(query);
            assert_eq!(parsed.problems, [], "{query}");
            all.iter().filter(|one| one.matches(&parsed.query, now())).map(|one| one.event).collect::<Vec<_>>()
        };
        assert_eq!(found("").len(), 4);
        assert_eq!(found("kind:event agent:codex since:1h").len(), 4);
        assert_eq!(found("kind:mcp"), [""; 0]);
        assert_eq!(found("decision:denied"), [""; 0], "nothing was decided");
        assert_eq!(found("server:files"), ["tool.cut_off", "shape.drifted"]);
        assert_eq!(found("tool:read"), ["tool.cut_off"]);
        assert_eq!(found("host:*.github.com credential:github"), ["credential.refused"]);
        assert_eq!(found("loop:stuck loop:held"), ["agent.looped"]);
        assert_eq!(found("loop:*"), ["agent.looped"]);
        assert_eq!(found("\"is missing\""), ["shape.drifted"]);
        assert_eq!(found("-server:files"), ["credential.refused", "agent.looped"]);
    }

    #[test]
    fn connections_of_strangers_and_refused_ones_are_lines_too() {
        let detail = "process 7 (`/usr/bin/curl`) does not descend from the session's process 3".to_owned();
        let told = notice(EventBody::ConnectionUnattributed { detail: detail.clone() }).unwrap();
        assert_eq!((told.tone, told.more.as_slice()), (Tone::Waits, [detail].as_slice()));
        let find = |query: &str| told.matches(&parse(query).query, now());
        assert!(find("kind:event agent:codex curl") && !find("wget"));
        let refused =
            |detail: &str| EventBody::ConnectionRefused { why: "no `token".to_owned(), detail: detail.to_owned() };
        let told = notice(refused("")).unwrap();
        assert_eq!((told.summary.as_str(), told.more.len()), ("a connection was refused: `no 'token`", 0));
        assert_eq!(notice(refused("tunnel to `x`")).unwrap().more, ["`tunnel to 'x'`"]);
    }

    #[test]
    fn what_a_query_rules_out_is_not_looked_for() {
        let sought = |query: &str| Sought::by(&parse(query).query);
        for query in ["", "kind:event", "kind:(mcp,event)", "-kind:mcp", "kind:mcp or agent:codex", "record:1*"] {
            assert_eq!(sought(query), Sought::Any, "{query}");
        }
        for query in
            ["kind:mcp", "kind:(mcp,http) agent:codex", "record:op_x", "(agent:a or agent:b) kind:mcp record:7"]
        {
            assert_eq!(sought(query), Sought::None, "{query}");
        }
        assert_eq!(sought("(agent:a or agent:b) kind:event record:7"), Sought::Record(7));
    }

    #[test]
    fn what_belongs_to_an_action_is_no_notice() {
        assert_eq!(notice(EventBody::EngineStopped { why: String::new() }), None);
        assert_eq!(notice(EventBody::BudgetOverrun { reserved: 1, settled: 2 }), None);
    }
}
