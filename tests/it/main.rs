//! Journeys through the whole product: a real engine process, the project's provider, scripted clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod bad_input;
mod cli;
mod console_calls;
mod crash;
mod data;
mod expiry;
mod fail_closed;
mod journeys;
mod layers;
mod load;
mod machine;
mod mcp;
mod mcp_trouble;
mod policy_cli;
mod policy_matrix;
#[cfg(target_os = "linux")]
mod polkit;
mod records;
mod remote_mcp;
mod requests;
mod seen;
mod tamper;
mod terminal;
