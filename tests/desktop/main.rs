//! The real app under a virtual display: real engine, real Secret Service, real WebKit, scripted and real agents, and a
//! person's clicks and chords through WebDriver. Linux only; `cargo xtask ci --only desktop` brings display and bus.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

mod agents;
mod app;
mod console;
mod desk;
mod journey;
mod looks;
mod newcomer;
mod outside;
mod past;
mod review;
mod stops;
mod strip;
mod typing;
