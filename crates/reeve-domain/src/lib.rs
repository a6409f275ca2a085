//! The words of Reeve: pure types every other crate speaks in. Nothing here does input or output.

pub mod address;
pub mod agent;
pub mod approval;
pub mod budget;
pub mod chain;
pub mod clock;
pub mod credential;
pub mod event;
pub mod grant;
pub mod host;
pub mod id;
pub mod money;
pub mod obligation;
pub mod operation;
pub mod outcome;
pub mod path;
pub mod price;
pub mod principal;
pub mod query;
pub mod sensitive;
pub mod session;
pub mod settings;
pub mod shape;
pub mod sought;
pub mod usage;
pub mod verdict;
