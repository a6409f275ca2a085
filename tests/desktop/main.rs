//! The real app under a virtual display: real engine, real Secret Service, real WebKit, a scripted agent, and a person's
//! clicks and chords through WebDriver. Linux only; `cargo xtask ci --only desktop` brings display and bus.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod app;
mod console;
mod journey;
