//! What crosses to the shells: pure data in camelCase, ids as strings, money as nano-USD numbers below 2⁵³, times as
//! RFC 3339 text. The console's TypeScript types are generated from here (`--features ts`).

pub mod agents;
pub mod approvals;
pub mod audit;
pub mod budgets;
pub mod calls;
pub mod cards;
pub mod changes;
pub mod credentials;
pub mod env_files;
pub mod error;
pub mod notices;
pub mod operations;
pub mod policies;
pub mod retention;
pub mod servers;
pub mod sessions;
pub mod settings;
pub mod spending;
pub mod status;
pub mod stream;
pub mod views;

pub use calls::{Call, Noun};
pub use error::{ApiCode, ApiError};
