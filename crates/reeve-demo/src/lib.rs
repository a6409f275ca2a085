//! The shipped provider that speaks the four dialects over TLS on loopback, a tool server, and the scripted agent: what
//! `--demo` shows and what the tests run real agents against.

pub mod agent;
pub mod error;
pub mod office;
pub mod provider;
pub mod script;

pub use error::DemoError;
pub use provider::{Provider, ProviderOptions};
