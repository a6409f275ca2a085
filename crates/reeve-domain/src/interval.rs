//! How sure a rate is that was counted from few tries: the Wilson score interval.

/// The quantile of the normal distribution that leaves 2.5 % on either side.
const Z: f64 = 1.959_963_984_540_054;

/// Where the true rate lies with 95 % confidence, as `(low, high)` between 0 and 1; `None` without any try. More successes
/// than tries count as all of them.
#[must_use]
pub fn wilson(successes: u64, tries: u64) -> Option<(f64, f64)> {
    if tries == 0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of calls are far below 2^52")]
    let (hits, n) = (successes.min(tries) as f64, tries as f64);
    let rate = hits / n;
    let z2 = Z * Z;
    let whole = 1.0 + z2 / n;
    let middle = rate + z2 / (2.0 * n);
    let half = Z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    Some((((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        // Successes, tries, and both ends to four places, as statistics packages print them.
        let table = [
            (0, 1, 0.0, 0.7935),
            (1, 1, 0.2065, 1.0),
            (5, 10, 0.2366, 0.7634),
            (10, 10, 0.7225, 1.0),
            (9, 10, 0.5958, 0.9821),
            (97, 100, 0.9155, 0.9897),
            (500, 1000, 0.4691, 0.5309),
        ];
        for (hits, tries, low, high) in table {
            let (found_low, found_high) = wilson(hits, tries).unwrap();
            assert!((found_low - low).abs() < 0.000_06, "{hits}/{tries}: low {found_low}");
            assert!((found_high - high).abs() < 0.000_06, "{hits}/{tries}: high {found_high}");
        }
    }

    #[test]
    fn nothing_tried_says_nothing_and_more_tries_say_more() {
        assert_eq!(wilson(0, 0), None);
        assert_eq!(wilson(9, 3), wilson(3, 3));
        let width = |n: u64| wilson(n, n).map(|(low, high)| high - low).unwrap();
        assert!(width(10) > width(100) && width(100) > width(10_000));
    }
}
