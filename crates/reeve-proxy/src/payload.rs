//! Bodies in flight: one boxed type for both directions, whose errors say whose fault they are.

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

/// A body on its way, from either side.
pub type Payload = UnsyncBoxBody<Bytes, PayloadError>;

/// Why a body stopped before its end, by whose fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    #[error("the client broke off: {0}")]
    Client(String),
    #[error("the upstream broke off: {0}")]
    Upstream(String),
    #[error("cut by Reeve: {0}")]
    Reeve(String),
}

/// A body with nothing in it.
#[must_use]
pub fn empty() -> Payload {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body that is known as a whole.
#[must_use]
pub fn full(bytes: impl Into<Bytes>) -> Payload {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
