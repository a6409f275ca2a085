//! What model calls cost by the provider's own count: worked out here from the shipped price file with a few lines of
//! their own, so that Reeve's arithmetic is compared with something that does not share it.

use std::path::Path;

use anyhow::{Context, Result};
use reeve_demo::provider::Received;
use reeve_demo::script::{Group, Tokens};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::Value;

/// The shipped price file.
#[derive(Debug)]
pub struct Prices(Value);

impl Prices {
    /// # Errors
    /// When the file is missing or no JSON.
    pub fn shipped() -> Result<Self> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/model_prices.json");
        Ok(Self(serde_json::from_slice(&std::fs::read(file)?)?))
    }

    /// What a call cost in nano-USD; `None` when it was not a model call that succeeded.
    ///
    /// # Errors
    /// When the model has no price.
    pub fn cost(&self, call: &Received) -> Result<Option<i64>> {
        let answered = call.answered();
        let (Some(group), Some(usage), Some(model)) = (call.group, answered.usage, answered.model) else {
            return Ok(None);
        };
        let key = if group == Group::Gemini { format!("gemini/{model}") } else { model };
        self.settled(&key, group, &usage).map(Some)
    }

    fn settled(&self, key: &str, group: Group, usage: &Tokens) -> Result<i64> {
        let price = |name: &str| -> Result<Decimal> {
            let text = self.0.get("models").and_then(|m| m.get(key)?.get(name)?.as_str());
            text.with_context(|| format!("no price `{name}` of `{key}`"))?.parse().context("not a number")
        };
        let times = |tokens: u64, name: &str| -> Result<Decimal> {
            if tokens == 0 { Ok(Decimal::ZERO) } else { Ok(price(name)? * Decimal::from(tokens)) }
        };
        let written = match group {
            Group::Messages => {
                times(usage.cache_write_5m, "cache_write")? + times(usage.cache_write_1h, "cache_write_1h")?
            }
            // Gemini reports no writes: they are plain input there.
            Group::Gemini => times(usage.cache_write(), "input")?,
            _ => times(usage.cache_write(), "cache_write")?,
        };
        let dollars = times(usage.input, "input")?
            + times(usage.cache_read, "cache_read")?
            + written
            + times(usage.output, "output")?;
        let nano =
            (dollars * Decimal::from(1_000_000_000)).round_dp_with_strategy(0, RoundingStrategy::MidpointNearestEven);
        nano.to_i64().context("an absurd amount")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_worked_out_by_hand_is_met() {
        // Claude Code's own bill for this usage was 13,300 micro-dollars.
        let usage =
            Tokens { input: 1200, cache_read: 8000, cache_write_5m: 300, cache_write_1h: 0, output: 57, reasoning: 0 };
        let prices = Prices::shipped().unwrap();
        assert_eq!(prices.settled("claude-opus-4-8", Group::Messages, &usage).unwrap(), 13_300_000);
    }
}
