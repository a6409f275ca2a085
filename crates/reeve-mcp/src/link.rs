//! One end of a connection that carries MCP: a message an item, whatever bytes lie below.

use bytes::Bytes;
use reeve_domain::operation::{Endpoint, McpTransport};
use tokio::sync::mpsc;

/// Messages that may wait in one direction before whoever sends them has to.
pub const QUEUE: usize = 256;

/// Both directions of a connection. It ends when its other end is dropped.
#[derive(Debug)]
pub struct Link {
    pub tx: mpsc::Sender<Bytes>,
    pub rx: mpsc::Receiver<Bytes>,
}

impl Link {
    /// Two ends of one connection.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (here, there) = (mpsc::channel(QUEUE), mpsc::channel(QUEUE));
        (Self { tx: here.0, rx: there.1 }, Self { tx: there.0, rx: here.1 })
    }
}

/// A server, as one connection knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerRef {
    /// As it is registered, not as it calls itself.
    pub name: String,
    pub transport: McpTransport,
    /// Program and arguments as started; empty for one that is reached by its address.
    pub command: Vec<String>,
    /// Where an HTTP server is reached.
    pub endpoint: Option<Endpoint>,
}
