//! Contract, composition root and transports: what every shell talks to.

mod attach;
pub mod client;
pub mod commands;
mod connection;
pub mod contract;
pub mod demo;
pub mod doctor;
mod endpoint;
pub mod home;
pub mod host;
pub mod launch;
mod lease;
pub mod logging;
#[cfg(target_os = "linux")]
pub mod polkit;
#[cfg(test)]
mod recorded;
mod stream;
pub mod surface;
mod tools;
pub mod transport;
mod views;
pub mod wrapper;

pub use reeve_domain::approval::Surface;
pub use reeve_domain::id::SessionId;
pub use reeve_domain::sensitive::Secret;

use reeve_domain::money::NanoUsd;

use crate::contract::budgets::UnitDto;
use crate::contract::{ApiCode, ApiError};

/// nano-USD as people read it.
#[must_use]
pub fn money(nano: i64) -> String {
    NanoUsd(nano).to_string()
}

/// `5.00` or `$5` are dollars (nano-USD comes back), `200k`, `2m` or `1500 tokens` are tokens.
///
/// # Errors
/// When it is neither.
pub fn parse_amount(text: &str) -> Result<(UnitDto, u64), ApiError> {
    let bad = || {
        ApiError::new(ApiCode::Invalid, format!("`{text}` is not an amount"))
            .hint("write dollars such as `5.00`, or tokens such as `200k`")
    };
    let lower = text.trim().to_ascii_lowercase();
    let tokens = lower.strip_suffix("tokens").map(str::trim);
    let (digits, factor) = match tokens.unwrap_or(&lower) {
        t if t.ends_with('k') => (t.trim_end_matches('k'), 1_000),
        t if t.ends_with('m') => (t.trim_end_matches('m'), 1_000_000),
        t if tokens.is_some() => (t, 1),
        _ => {
            let amount = NanoUsd::parse_dollars(text).map_err(|_| bad())?;
            return Ok((UnitDto::Money, u64::try_from(amount.0).map_err(|_| bad())?));
        }
    };
    let count: u64 = digits.trim().parse().map_err(|_| bad())?;
    Ok((UnitDto::Tokens, count.checked_mul(factor).ok_or_else(bad)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_dollars_or_tokens() {
        assert_eq!(parse_amount("5.00"), Ok((UnitDto::Money, 5_000_000_000)));
        assert_eq!(parse_amount("$0.5"), Ok((UnitDto::Money, 500_000_000)));
        assert_eq!(parse_amount("200k"), Ok((UnitDto::Tokens, 200_000)));
        assert_eq!(parse_amount("1500 tokens"), Ok((UnitDto::Tokens, 1500)));
        for bad in ["", "k", "-5", "five", "5 euros"] {
            assert!(parse_amount(bad).is_err(), "{bad}");
        }
    }
}
