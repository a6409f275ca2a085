//! What the provider answers: steps, usage, faults and fixed routes. A reply is a function of the request and the script
//! alone, so several clients may share one provider and a repeated request gets the same answer.

pub mod story;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything the provider does, replaceable while it runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// One per model turn; which one answers is told by the number of tool results since the user last typed. Past the
    /// end the last step repeats.
    pub steps: Vec<Step>,
    /// What a request without tools gets (titles, summaries, routing), unless it asks for JSON by a schema.
    pub aux_text: String,
    /// Requests without tools are answered by the steps too.
    pub tools_optional: bool,
    /// Words that a request must hold before the steps begin: what tells of tools that a client may not have yet. Until then
    /// the model has the client wait a moment, and asks again.
    pub awaits: Vec<String>,
    pub usage: Tokens,
    pub models: Vec<String>,
    pub faults: Vec<Fault>,
    pub routes: Vec<Route>,
    /// Content coding of answers to clients that accept it.
    pub coding: Option<Coding>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            steps: vec![Step::text("Hello from the demo provider.")],
            aux_text: "Demo".to_owned(),
            tools_optional: false,
            awaits: Vec::new(),
            usage: Tokens::default(),
            models: vec!["demo-model".to_owned()],
            faults: Vec::new(),
            routes: Vec::new(),
            coding: None,
        }
    }
}

impl Script {
    /// Answers with these steps, all else as by default.
    #[must_use]
    pub fn of(steps: impl Into<Vec<Step>>) -> Self {
        Self { steps: steps.into(), ..Self::default() }
    }

    /// One command through the client's shell tool, then a closing sentence.
    #[must_use]
    pub fn shell(command: &str, closing: &str) -> Self {
        Self::of([Step::shell("I will run a command.", command), Step::text(closing)])
    }

    #[must_use]
    pub fn awaiting(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.awaits.extend(words);
        self
    }

    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    #[must_use]
    pub fn with_route(mut self, route: Route) -> Self {
        self.routes.push(route);
        self
    }

    #[must_use]
    pub fn with_usage(mut self, usage: Tokens) -> Self {
        self.usage = usage;
        self
    }
}

/// One turn of the model. In `text`, `{header:NAME}` stands for the value of that header as received, so that a test can
/// see what an upstream that echoes secrets does.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Step {
    pub text: String,
    pub reasoning: String,
    pub tools: Vec<ToolUse>,
    /// Instead of the script's usage.
    pub usage: Option<Tokens>,
    pub stop: Option<Stop>,
}

impl Step {
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Says something and runs a command through whichever shell tool the client offered.
    #[must_use]
    pub fn shell(text: &str, command: &str) -> Self {
        let tool = ToolUse { name: "$shell".to_owned(), input: serde_json::json!({ "command": command }) };
        Self { text: text.to_owned(), tools: vec![tool], ..Self::default() }
    }
}

/// A tool call of the model. `$shell` becomes the client's own shell tool with the arguments that one takes
/// (`input.command` is what to run), `$mcp:NAME` the offered tool whose name ends with NAME, `$mcp:SERVER/NAME` the one of that
/// server; `$tools` has a client print what it offers to programs in code mode, which may stand in no request, and does nothing
/// elsewhere; any other name is sent as it stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolUse {
    pub name: String,
    #[serde(default)]
    pub input: Value,
}

/// Why the model stopped, where it is not simply done or waiting for tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    EndTurn,
    ToolUse,
    MaxTokens,
    Refusal,
}

/// Tokens as the provider bills them; each dialect reports them in its own shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Uncached input.
    pub input: u64,
    pub cache_read: u64,
    pub cache_write_5m: u64,
    pub cache_write_1h: u64,
    /// All output, reasoning included.
    pub output: u64,
    pub reasoning: u64,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { input: 120, cache_read: 800, cache_write_5m: 30, cache_write_1h: 0, output: 57, reasoning: 0 }
    }
}

impl Tokens {
    /// Input of every kind.
    #[must_use]
    pub fn prompt(&self) -> u64 {
        self.input + self.cache_read + self.cache_write()
    }

    /// Input written to a cache of either kind.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m + self.cache_write_1h
    }
}

/// A group of endpoints that faults are matched on and counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Messages,
    Chat,
    Responses,
    Gemini,
    CountTokens,
    Any,
}

/// Something that goes wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub on: Group,
    /// 1-based numbers of the requests it happens to, counted per group since the script was set; empty: all.
    #[serde(default)]
    pub nth: Vec<usize>,
    /// Leaves requests without tools alone and does not count them.
    #[serde(default)]
    pub only_main: bool,
    pub what: Mishap,
}

impl Fault {
    /// Happens to every request of every group.
    #[must_use]
    pub fn always(what: Mishap) -> Self {
        Self { on: Group::Any, nth: Vec::new(), only_main: false, what }
    }

    /// Happens to these requests of the group.
    #[must_use]
    pub fn nth(on: Group, nth: &[usize], what: Mishap) -> Self {
        Self { on, nth: nth.to_vec(), only_main: false, what }
    }
}

/// How an answer goes wrong. Counts of events are of stream events; in an answer that is not streamed, "after" is the
/// middle of the body.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Mishap {
    /// A status with the dialect's own error shape, or with `body` as text.
    Status {
        status: u16,
        message: String,
        #[serde(default)]
        headers: Vec<(String, String)>,
        #[serde(default)]
        body: Option<String>,
    },
    /// The dialect's own error event after so many events.
    ErrorEvent {
        after: usize,
        message: String,
    },
    /// The connection ends after so many events.
    Truncate {
        after: usize,
    },
    /// The connection ends before any byte of the answer.
    Reset,
    /// Content-Length names this many bytes more than are sent.
    ContentLength {
        extra: u64,
    },
    /// A pause before every event.
    Slow {
        gap_ms: u64,
    },
    /// One pause.
    Hold {
        phase: Phase,
        ms: u64,
    },
    /// `200` with a page of HTML, as a captive portal gives.
    Garbage,
    Redirect {
        status: u16,
        location: String,
    },
}

/// Where a hold happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the status line.
    Headers,
    /// After so many events; 0: headers are out, no event is.
    After(usize),
}

/// A fixed answer for a host or path; in `headers` and `body`, `{header:NAME}` stands for the header as received, also as
/// `{base64:NAME}`, `{hex:NAME}` and `{percent:NAME}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Route {
    /// Any, when empty.
    pub method: String,
    /// Any, when empty.
    pub host: String,
    /// Any, when empty.
    pub path: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
    /// Bytes per chunk, each sent by itself after the gap; 0: the body in one piece with its length declared.
    pub chunk: usize,
    pub gap_ms: u64,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            method: String::new(),
            host: String::new(),
            path: String::new(),
            status: 200,
            headers: Vec::new(),
            body: String::new(),
            chunk: 0,
            gap_ms: 0,
        }
    }
}

impl Route {
    #[must_use]
    pub fn matches(&self, method: &str, host: &str, path: &str) -> bool {
        let fits = |wanted: &str, got: &str| wanted.is_empty() || wanted == got;
        fits(&self.method, method) && fits(&self.host, host) && fits(&self.path, path)
    }

    #[must_use]
    pub fn gap(&self) -> Duration {
        Duration::from_millis(self.gap_ms)
    }
}

/// A content coding that answers may be sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    Gzip,
    Br,
    Zstd,
    Deflate,
}

impl Coding {
    /// The token of `Content-Encoding`.
    #[must_use]
    pub fn token(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Br => "br",
            Self::Zstd => "zstd",
            Self::Deflate => "deflate",
        }
    }
}
