//! TLS on both sides: the session's own authority, interception towards the agent, verification towards the upstream.

pub mod authority;
pub mod intercept;
pub mod upstream;
