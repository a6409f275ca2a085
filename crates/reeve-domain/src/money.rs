//! Money as integer nano-USD, rounded once per call.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount in nano-USD (10⁻⁹ US dollars). `i64` holds about ±9.2 billion dollars; amounts that cross to TypeScript
/// stay below 2⁵³ (about 9 million dollars).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NanoUsd(pub i64);

/// Why a text is not an amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an amount in dollars: expected digits with at most nine decimals, for example `2.50`")]
pub struct MoneyError(pub String);

impl NanoUsd {
    pub const ZERO: Self = Self(0);
    pub const MAX: Self = Self(i64::MAX);

    /// Rounds up, as reservations do: the hold is never below the bound. Saturates at `MAX`.
    #[must_use]
    pub fn round_up(dollars: Decimal) -> Self {
        Self::rounded(dollars, RoundingStrategy::AwayFromZero)
    }

    /// Rounds half to even, as settlements do. Saturates at `MAX`.
    #[must_use]
    pub fn round_half_even(dollars: Decimal) -> Self {
        Self::rounded(dollars, RoundingStrategy::MidpointNearestEven)
    }

    fn rounded(dollars: Decimal, how: RoundingStrategy) -> Self {
        let nano = dollars.checked_mul(Decimal::from(1_000_000_000_u32));
        let whole = nano.map(|n| n.round_dp_with_strategy(0, how));
        Self(whole.and_then(|n| n.to_i64()).unwrap_or(if dollars.is_sign_negative() { i64::MIN } else { i64::MAX }))
    }

    /// `2.50`, `$2.50`, `0.000000001`.
    ///
    /// # Errors
    /// When the text is not a plain non-negative decimal with at most nine decimals.
    pub fn parse_dollars(text: &str) -> Result<Self, MoneyError> {
        let bad = || MoneyError(text.chars().take(40).collect());
        let digits = text.trim().strip_prefix('$').unwrap_or(text.trim());
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(bad());
        }
        let dollars: Decimal = digits.parse().map_err(|_| bad())?;
        if dollars.normalize().scale() > 9 {
            return Err(bad());
        }
        let nano = dollars.checked_mul(Decimal::from(1_000_000_000_u32)).and_then(|n| n.to_i64());
        nano.map(Self).ok_or_else(bad)
    }

    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Exact dollars.
    #[must_use]
    pub fn dollars(self) -> Decimal {
        Decimal::new(self.0, 9).normalize()
    }
}

impl std::ops::Add for NanoUsd {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl std::iter::Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Self::saturating_add)
    }
}

/// For people: `$0`, `<$0.01`, `$0.041`, `$3.18`, `-$1.00`; never more than three decimals, never a bare zero for
/// something that cost.
impl std::fmt::Display for NanoUsd {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = Self(self.0.saturating_abs()).dollars();
        if amount.is_zero() {
            return f.write_str("$0");
        }
        if amount < Decimal::new(1, 3) {
            return write!(f, "{sign}<$0.001");
        }
        let decimals = if amount < Decimal::ONE { 3 } else { 2 };
        write!(f, "{sign}${:.1$}", amount.round_dp(decimals), decimals as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_parse_exactly() {
        assert_eq!(NanoUsd::parse_dollars("2.50"), Ok(NanoUsd(2_500_000_000)));
        assert_eq!(NanoUsd::parse_dollars("$0.000000001"), Ok(NanoUsd(1)));
        for bad in ["", "-1", "1e3", "0.0000000001", "1,000", "99999999999999"] {
            assert!(NanoUsd::parse_dollars(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn reservations_round_up_and_settlements_to_even() {
        let half: Decimal = "0.0000000005".parse().unwrap();
        assert_eq!(NanoUsd::round_up(half), NanoUsd(1));
        assert_eq!(NanoUsd::round_half_even(half), NanoUsd(0));
        assert_eq!(NanoUsd::round_half_even(half * Decimal::from(3)), NanoUsd(2));
    }

    #[test]
    fn people_see_amounts_with_their_sign_and_never_a_false_zero() {
        for (nano, text) in [
            (0, "$0"),
            (1, "<$0.001"),
            (41_000_000, "$0.041"),
            (3_180_000_000, "$3.18"),
            (-1_000_000_000, "-$1.00"),
            (13_300_000, "$0.013"),
        ] {
            assert_eq!(NanoUsd(nano).to_string(), text);
        }
    }
}
