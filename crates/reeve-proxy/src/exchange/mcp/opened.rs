//! The MCP sessions that servers gave to one session of an agent: to end one of them deletes nothing else.

use std::collections::VecDeque;

use http::HeaderMap;
use parking_lot::Mutex;

use crate::exchange::intake::Taken;
use crate::exchange::mcp::place;
use crate::exchange::request::Asked;

/// Most that are remembered; the oldest go first, and people are asked about the end of those.
const MOST: usize = 1000;
/// Longest one that is remembered, in bytes, with its place.
const LONGEST: usize = 4096;
const SESSION: &str = "mcp-session-id";

/// Where each was opened, and its id there; the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Opened(Mutex<VecDeque<String>>);

impl Opened {
    /// The answer to a greeting brought these headers.
    pub fn note(&self, asked: &Asked, answered: &HeaderMap) {
        let Some(name) = name(asked, answered).filter(|name| name.len() <= LONGEST) else { return };
        let mut opened = self.0.lock();
        if opened.len() >= MOST {
            opened.pop_front();
        }
        opened.push_back(name);
    }

    /// Whether the request ends one of them and says nothing else.
    pub fn ends(&self, asked: &Asked, taken: &Taken) -> bool {
        asked.endpoint.method == "DELETE"
            && taken.judged().is_some_and(<[u8]>::is_empty)
            && name(asked, &asked.headers).is_some_and(|name| self.0.lock().contains(&name))
    }
}

/// A session by its place and its id; `None`: there is none, or more than one is named.
fn name(asked: &Asked, headers: &HeaderMap) -> Option<String> {
    let mut ids = headers.get_all(SESSION).iter();
    let id = ids.next().filter(|_| ids.next().is_none())?.to_str().ok()?;
    Some(format!("{}?{} {id}", place(&asked.endpoint), asked.query.as_deref().unwrap_or_default()))
}
