//! Journeys through the whole product: a real engine process, the project's provider, scripted clients.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod journeys;
