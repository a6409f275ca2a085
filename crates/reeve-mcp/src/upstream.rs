//! What a tool call goes to, whatever carries it there, and every way that can fail.

use futures_util::future::BoxFuture;
use reeve_engine::Admission;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// A server that answers requests.
pub trait Upstream: Send + Sync {
    /// Sends a request and waits for its result. The admission is what permits it: injection needs it, and it is told right
    /// before the first byte goes out. Cancelling tells the server and comes back at once, and so does dropping the future.
    fn request<'a>(
        &'a self,
        admission: &'a Admission,
        method: &'a str,
        params: Value,
        cancelled: &'a CancellationToken,
    ) -> BoxFuture<'a, Result<Value, Failure>>;
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Failure {
    #[error("the server is gone: {why}")]
    Gone { why: String },
    /// It crashed, and runs again soon. Nothing was sent to it.
    #[error("the server is being started again: {why}")]
    Down { why: String },
    #[error("it took longer than is permitted")]
    Timeout,
    #[error("the answer has {bytes} bytes, more than is permitted")]
    TooLarge { bytes: usize },
    #[error("the answer cannot be read: {why}")]
    Garbage { why: String },
    #[error("the caller cancelled it")]
    Cancelled,
    /// The server's own JSON-RPC error.
    #[error("the server answered with an error")]
    Rpc(Value),
    #[error("the server answered with status {0}")]
    Status(u16),
}
