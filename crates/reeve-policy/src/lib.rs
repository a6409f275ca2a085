//! Operation in, verdict out: Cedar says whether, YAML says how much. Pure: no files, no clock, no network.

mod ask;
mod bounds;
pub mod cases;
mod check;
mod complete;
mod condition;
pub mod diff;
mod error;
mod evaluate;
mod explain;
mod facts;
mod format;
pub mod governance;
mod permit;
mod prepare;
mod risk;
mod schema;
mod scope;
mod set;
mod slice;
mod source;
#[cfg(test)]
mod tests;

pub use ask::{
    Effect, Reach, Width, may_stand, proposal, standing_approval, standing_approval_in, standing_approval_of, widths,
};
pub use complete::{Completion, Completions, Known};
pub use error::{PolicyError, Problem};
pub use explain::{Considered, Explanation};
pub use facts::{Circumstances, Class};
pub use format::format;
pub use governance::{limits, tools};
pub use schema::SCHEMA;
pub use set::{DEFAULT_ASK, DEFAULT_DENY, EVALUATION_ERROR, PolicySet, preset_source};
pub use source::{RuleInfo, RuleKind, RuleMode, Source};
