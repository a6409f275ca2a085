//! The tool mouth: MCP messages between agents and servers, each tool call an operation before the gate, and the commit
//! boundary that validates, previews, bounds and de-duplicates what it lets through.

mod acting;
mod aside;
pub mod asks;
pub mod call;
mod expired;
pub mod gateway;
pub mod http;
mod isolation;
pub mod link;
pub mod lists;
pub mod message;
mod once;
pub mod pins;
mod preview;
pub mod progress;
pub mod queue;
mod redaction;
mod relay;
mod result;
mod retry;
pub mod scan;
mod schema;
mod sql;
pub mod tasks;
pub mod upstream;

pub use call::{Call, Reply};
pub use gateway::Gateway;
pub use link::{Link, ServerRef};
pub use relay::Ended;
pub use relay::lives::{Life, lives};
pub use upstream::{Failure, Upstream};
