//! Exit codes, so that scripts can branch without reading words.

use reeve_api::contract::operations::{DenialKindDto, OperationDetailDto, RowStateDto};
use reeve_api::contract::{ApiCode, ApiError};

pub const DONE: u8 = 0;
pub const FAILED: u8 = 1;
pub const USAGE: u8 = 2;
pub const DENIED: u8 = 3;
pub const WAITING: u8 = 4;
/// A limit is used up, or was what turned an operation away.
pub const BUDGET: u8 = 5;
pub const UNREACHABLE: u8 = 6;
pub const BROKEN: u8 = 7;
/// `run`: Reeve failed before the command started.
pub const RUN_FAILED: u8 = 125;

/// The code of an error that ended a command.
pub fn of(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<ApiError>().map(|e| e.code) {
        Some(ApiCode::Unreachable) => UNREACHABLE,
        Some(ApiCode::NotPermitted | ApiCode::NeedsProof) => DENIED,
        Some(ApiCode::AlreadyResolved) => WAITING,
        Some(ApiCode::Invalid) => USAGE,
        _ => FAILED,
    }
}

/// What became of an operation: done, denied, waiting (or refused, or expired), or turned away by a budget.
pub fn of_operation(detail: &OperationDetailDto) -> u8 {
    let kind = detail.denial.as_ref().map(|denial| denial.kind);
    match (detail.row.state, kind) {
        (RowStateDto::Denied, Some(DenialKindDto::Budget | DenialKindDto::Unpriced)) => BUDGET,
        (RowStateDto::Denied, Some(DenialKindDto::Refused | DenialKindDto::Expired)) => WAITING,
        (RowStateDto::Denied, _) => DENIED,
        (RowStateDto::Held | RowStateDto::Refused | RowStateDto::Expired | RowStateDto::Withdrawn, _) => WAITING,
        // Recorded and let through: what Observe would have done turned nobody away.
        (RowStateDto::Allowed | RowStateDto::Approved | RowStateDto::WouldDeny | RowStateDto::WouldHold, _) => DONE,
    }
}
