//! The proxy end to end: a real engine, real sockets, a fake upstream behind TLS under the names that agents ask for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod client;
mod credentials;
mod forwarding;
mod http2;
mod identity;
mod malformed;
mod mcp;
mod models;
mod upstream;
mod websocket;
mod world;
