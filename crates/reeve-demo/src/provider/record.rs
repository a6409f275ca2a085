//! What the provider received and how it answered, in memory: headers and bodies verbatim, for tests and the demo to read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::Value;

use crate::script::{Group, Tokens};

/// One request as it arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// 1-based, over the provider's life.
    pub serial: u64,
    /// Since the provider started.
    pub at: Duration,
    /// Which connection it came on, 1-based.
    pub connection: u64,
    /// Name the client asked for in TLS; `None` on plain HTTP or without SNI.
    pub sni: Option<String>,
    /// Host of the authority, without port, lower case.
    pub host: String,
    pub http2: bool,
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    /// Lower-case names, in order of arrival.
    pub headers: Vec<(String, String)>,
    /// After content decoding.
    pub body: Bytes,
    /// Size of the body on the wire in bytes.
    pub wire_bytes: usize,
    /// The model endpoint it was for; `None` for everything else.
    pub group: Option<Group>,
    /// Whether it offered tools.
    pub main: bool,
    pub(super) answer: Arc<Mutex<Answered>>,
}

impl Received {
    /// The first header of that name (lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// How it was answered so far.
    #[must_use]
    pub fn answered(&self) -> Answered {
        self.answer.lock().clone()
    }
}

/// How far an answer got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// `None` while nothing was sent.
    pub status: Option<u16>,
    /// Model of a model call.
    pub model: Option<String>,
    /// What a successful model call reports as its usage.
    pub usage: Option<Tokens>,
    /// Pieces of the body handed to the connection.
    pub pieces: usize,
    pub end: End,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum End {
    /// It is still being sent.
    #[default]
    Open,
    Complete,
    /// The script broke it off.
    Cut,
    /// The client hung up before the end.
    ClientGone,
}

/// Notes the end of an answer, also when the client goes away and the answer is dropped.
#[derive(Debug)]
pub(super) struct Progress(pub(super) Arc<Mutex<Answered>>);

impl Progress {
    pub(super) fn piece(&self) {
        self.0.lock().pieces += 1;
    }

    pub(super) fn end(&self, end: End) {
        self.0.lock().end = end;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut answered = self.0.lock();
        if answered.end == End::Open {
            answered.end = End::ClientGone;
        }
    }
}
