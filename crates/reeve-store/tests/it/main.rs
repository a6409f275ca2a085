//! The store from outside: ledger, chain, crash, full disk, search against the reference filter, exports.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod approvals;
mod chain;
mod durability;
mod exports;
mod flow;
mod ledger;
mod notices;
mod removal;
mod samples;
mod search;
