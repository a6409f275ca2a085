//! What tests of several crates need: worlds to run in, upstreams that misbehave, scripted clients, samples and redactions.
//! A dev-dependency only.

pub mod agent;
pub mod bus;
pub mod keyring;
pub mod redactions;
pub mod samples;
pub mod upstream;
pub mod world;
