//! The tool mouth from outside: a real engine, an agent's end and a server's end of a connection, and everything that goes
//! between them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod boundary;
mod databases;
mod endpoint;
mod expired;
mod headers;
mod lists;
mod once;
mod relay;
mod tasks;
mod trouble;
mod versions;
mod world;
