//! How calls travel: one JSON object a line over an owner-only local socket.

#[cfg(unix)]
#[path = "transport/unix.rs"]
pub mod local_socket;
#[cfg(windows)]
#[path = "transport/windows.rs"]
pub mod local_socket;

pub mod frames;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use reeve_domain::approval::Surface;

use crate::contract::ApiError;
use crate::contract::stream::StreamBatch;

/// Longest line either side accepts, in bytes.
pub const MAX_LINE: usize = 16 * 1024 * 1024;

/// What a client sends.
#[derive(Debug, Serialize, Deserialize)]
pub struct Request {
    pub id: u64,
    pub surface: Surface,
    /// `{ "call": "noun.verb", "input": … }`, or `{ "call": "subscribe" }`.
    #[serde(flatten)]
    pub call: Value,
}

/// What the engine answers: one `Done` per request, any number of `Batch` for a subscription.
#[derive(Debug, Serialize, Deserialize)]
pub struct Response {
    pub id: u64,
    #[serde(flatten)]
    pub body: Body,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    Ok(Value),
    Error(ApiError),
    Batch(Box<StreamBatch>),
}
