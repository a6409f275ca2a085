//! The envelope of an agent: which tools there are, the environment and trust they are started with, and the child process.
//! At this level it guards against accidents: hostile code of the same user can leave the environment behind.

pub mod catalog;
pub mod environment;
mod error;
pub mod launch;
pub mod terminal;
pub mod trust;

pub use error::SandboxError;
