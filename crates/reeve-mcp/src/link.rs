//! One end of a connection that carries MCP: a message an item, whatever bytes lie below.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use reeve_domain::operation::{Endpoint, McpTransport};

use crate::lists::Seen;
use crate::pins;
use crate::queue::{Receiver, Sender, queue};

/// Messages that may wait in one direction before whoever sends them has to; their bytes are bounded too.
pub const QUEUE: usize = 256;

/// Both directions of a connection. It ends when its other end is dropped.
#[derive(Debug)]
pub struct Link {
    pub tx: Sender<Bytes>,
    pub rx: Receiver<Bytes>,
}

impl Link {
    /// Two ends of one connection.
    #[must_use]
    pub fn pair() -> (Self, Self) {
        let (here, there) = (queue(QUEUE), queue(QUEUE));
        (Self { tx: here.0, rx: there.1 }, Self { tx: there.0, rx: here.1 })
    }
}

/// A server, as one connection knows it.
#[derive(Debug, Clone)]
pub struct ServerRef {
    /// As it is registered, not as it calls itself.
    pub name: String,
    pub transport: McpTransport,
    /// Program and arguments as started; empty for one that is reached by its address.
    pub command: Vec<String>,
    /// Where an HTTP server is reached.
    pub endpoint: Option<Endpoint>,
    /// `command` without what could be a secret; empty: it is the same.
    pub shown: Vec<String>,
    /// The program that is started, and scripts among its arguments.
    pub files: Vec<PathBuf>,
    /// What this connection heard of it.
    pub seen: Arc<Seen>,
}

impl ServerRef {
    /// A program on this machine, started in `cwd`; `search`: the folders of its `PATH`.
    #[must_use]
    pub fn program(name: &str, command: Vec<String>, cwd: &Path, search: Option<&std::ffi::OsStr>) -> Self {
        let files = pins::files(&command, cwd, search);
        let (shown, seen) = (Vec::new(), Arc::default());
        Self { name: name.to_owned(), transport: McpTransport::Stdio, command, endpoint: None, shown, files, seen }
    }

    /// A server that is reached by its address.
    #[must_use]
    pub fn remote(name: &str, endpoint: Endpoint, seen: Arc<Seen>) -> Self {
        let (command, shown, files) = (Vec::new(), Vec::new(), Vec::new());
        let transport = McpTransport::Http;
        Self { name: name.to_owned(), transport, command, endpoint: Some(endpoint), shown, files, seen }
    }
}
