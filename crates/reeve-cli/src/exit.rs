//! Exit codes (ux.md 21), so that scripts can branch without reading words.

use reeve_api::contract::{ApiCode, ApiError};

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const DENIED: u8 = 3;
pub const WAITING: u8 = 4;
pub const UNREACHABLE: u8 = 6;
pub const BROKEN: u8 = 7;
/// `run`: Reeve failed before the command started.
pub const RUN_FAILED: u8 = 125;

/// The code of an error that ended a command.
pub fn of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<ApiError>().map(|e| e.code) {
        Some(ApiCode::Unreachable) => UNREACHABLE,
        Some(ApiCode::NotPermitted) => DENIED,
        Some(ApiCode::AlreadyResolved) => WAITING,
        Some(ApiCode::Invalid) => USAGE,
        _ => FAILED,
    }
}
