//! Prices of models as exact decimals, what a usage costs, and the most that a call may cost.
//! The table is the dated JSON file shipped as `data/model_prices.json`; a user may put another one in its place.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::operation::LlmCall;
use crate::usage::Usage;

mod lookup;
mod table;

pub use table::PriceError;

/// Most answers that one search tool may give in one call where neither the request nor the provider says: Anthropic
/// stops its server-side loop after 10 rounds, and no provider documents more.
pub const DEFAULT_SERVER_TOOL_USES: u64 = 10;

/// Output tokens assumed where neither the request nor the table gives a limit: the largest first-party limit.
const DEFAULT_MAX_OUTPUT: u64 = 131_072;

/// Price of one search in dollars where a model's entry gives none: the dearest that a first-party provider lists.
const DEFAULT_SEARCH: Decimal = Decimal::from_parts(35, 0, 0, false, 3);

/// All known prices, by the name the table gives a model.
#[derive(Debug, Clone)]
pub struct PriceTable {
    date: String,
    models: BTreeMap<String, ModelPrice>,
}

/// What one model costs. Amounts are dollars, per token unless they say otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPrice {
    /// Who bills: `anthropic`, `openai`, `gemini`, …
    pub provider: String,
    max_input: Option<u64>,
    max_output: Option<u64>,
    base: Rates,
    /// Prices by service tier; what they leave out falls back to `base`.
    services: BTreeMap<String, Rates>,
    multipliers: BTreeMap<String, Decimal>,
    /// Dollars per search, the dearest where it depends on the size of the search context.
    search: Option<Decimal>,
    /// Dollars per request.
    request: Decimal,
    unpriced: bool,
}

/// Prices of one service tier, with those that replace them for long inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rates {
    prices: BTreeMap<Unit, Decimal>,
    /// Ascending by threshold.
    long: Vec<LongInput>,
}

/// Prices for the whole request once its total input, cache included, passes a threshold.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LongInput {
    above: u64,
    prices: BTreeMap<Unit, Decimal>,
}

/// What is counted and priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    Input,
    Output,
    Reasoning,
    CacheRead,
    CacheWrite,
    CacheWriteHour,
    AudioInput,
    AudioCacheRead,
    AudioOutput,
    ImageInput,
    VideoInput,
}

impl Unit {
    /// Where to look when a price is not given: always at the price the provider would charge instead, or a dearer one.
    fn fallback(self) -> Option<Self> {
        match self {
            Self::Input | Self::Output => None,
            Self::CacheWriteHour => Some(Self::CacheWrite),
            Self::AudioCacheRead => Some(Self::AudioInput),
            Self::Reasoning | Self::AudioOutput => Some(Self::Output),
            Self::CacheRead | Self::CacheWrite | Self::AudioInput | Self::ImageInput | Self::VideoInput => {
                Some(Self::Input)
            }
        }
    }
}

impl PriceTable {
    /// Day the table was extracted, `YYYY-MM-DD`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// The entry of this exact name in the table, as [`find`](Self::find) gave it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&ModelPrice> {
        self.models.get(key)
    }

    /// Every entry by its name, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ModelPrice)> {
        self.models.iter().map(|(name, price)| (name.as_str(), price))
    }

    /// Models in the table, unpriced ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.models.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }
}

/// The plain prices of a model as its provider lists them, in dollars per million tokens; none where none is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub input: Option<Decimal>,
    pub output: Option<Decimal>,
    pub cache_read: Option<Decimal>,
    pub cache_write: Option<Decimal>,
}

impl ModelPrice {
    /// What people compare. Tiers, long inputs and other modalities may cost more; [`cost`](Self::cost) knows them.
    #[must_use]
    pub fn listed(&self) -> Listed {
        let of = |unit| Some(times(1_000_000, *self.base.prices.get(&unit)?).normalize());
        Listed {
            input: of(Unit::Input),
            output: of(Unit::Output),
            cache_read: of(Unit::CacheRead),
            cache_write: of(Unit::CacheWrite),
        }
    }

    /// Exact dollars for what was used. Round once, with [`crate::money::NanoUsd::round_half_even`].
    #[must_use]
    pub fn cost(&self, usage: &Usage) -> Decimal {
        let at = At { service: usage.service_tier.as_deref(), total_input: usage.total_input() };
        let counted = [
            (usage.input, Unit::Input),
            (usage.cache_read, Unit::CacheRead),
            (usage.cache_write, Unit::CacheWrite),
            (usage.cache_write_1h, Unit::CacheWriteHour),
            (usage.audio_input, Unit::AudioInput),
            (usage.audio_cache_read, Unit::AudioCacheRead),
            (usage.output, Unit::Output),
            (usage.reasoning, Unit::Reasoning),
            (usage.audio_output, Unit::AudioOutput),
        ];
        let tokens =
            counted.iter().fold(Decimal::ZERO, |sum, (count, unit)| add(sum, times(*count, self.price(*unit, at))));
        let tokens = usage.multipliers.iter().fold(tokens, |sum, key| product(sum, self.multiplier(key)));
        add(add(tokens, times(usage.web_searches, self.search_price())), self.request)
    }

    /// The most dollars that `call` may cost when it is sent with `output_limit` (`None`: the call's own, else the
    /// model's). Round with [`crate::money::NanoUsd::round_up`].
    ///
    /// All input is taken at the dearest of input, cache and modality prices that may apply, all output at the dearest of
    /// output and reasoning, at every tier that the input may reach, for each candidate, with searches at their caps.
    #[must_use]
    pub fn bound(&self, call: &LlmCall, output_limit: impl Into<Option<u64>>) -> Decimal {
        let input = self.input_bound(call);
        let written = call.cache_write_bound.min(input);
        let output = output_limit.into().or(call.output_limit).unwrap_or_else(|| self.default_output_limit());
        let output = output.saturating_mul(call.candidates.max(1));

        let read_units =
            [Unit::Input, Unit::CacheRead, Unit::AudioInput, Unit::AudioCacheRead, Unit::ImageInput, Unit::VideoInput];
        let plain = self.dearest(&read_units, call, input);
        let write_units: &[Unit] =
            if call.cache_one_hour { &[Unit::CacheWrite, Unit::CacheWriteHour] } else { &[Unit::CacheWrite] };
        let write = self.dearest(write_units, call, input).max(plain);
        let generated = self.dearest(&[Unit::Output, Unit::Reasoning, Unit::AudioOutput], call, input);

        let tokens = add(add(times(input - written, plain), times(written, write)), times(output, generated));
        let factors = call.multipliers.iter().map(|key| self.multiplier(key).max(Decimal::ONE));
        let tokens = factors.fold(tokens, product);
        let searches: u64 = call
            .server_tools
            .iter()
            .filter(|tool| is_search(&tool.name))
            .map(|tool| tool.max_uses.unwrap_or(DEFAULT_SERVER_TOOL_USES))
            .fold(0, u64::saturating_add);
        add(add(tokens, times(searches, self.search_price())), self.request)
    }

    /// Most input tokens of the call. A bound above the bytes of the body counts things that the request only names
    /// (earlier answers, files, search results); those fit the model's window, or the provider refuses the call.
    #[must_use]
    pub fn input_bound(&self, call: &LlmCall) -> u64 {
        match self.max_input {
            Some(window) => call.input_bound.min(window.max(call.body_bytes)),
            None => call.input_bound,
        }
    }

    /// Largest input in tokens, where the table says so.
    #[must_use]
    pub fn max_input(&self) -> Option<u64> {
        self.max_input
    }

    /// Largest output in tokens, reasoning included, where the table says so.
    #[must_use]
    pub fn max_output(&self) -> Option<u64> {
        self.max_output
    }

    /// Output tokens of a call that sets no limit.
    #[must_use]
    pub fn default_output_limit(&self) -> u64 {
        self.max_output.unwrap_or(DEFAULT_MAX_OUTPUT)
    }

    /// The largest output limit whose bound is at most `dollars`; `None` when not even the input is affordable.
    #[must_use]
    pub fn affordable_output(&self, call: &LlmCall, dollars: Decimal) -> Option<u64> {
        let fixed = self.bound(call, Some(0));
        let left = dollars.checked_sub(fixed).filter(|left| !left.is_sign_negative() || left.is_zero())?;
        let one = self.bound(call, Some(1)).checked_sub(fixed)?;
        if one.is_zero() {
            return Some(u64::MAX);
        }
        let tokens = u64::try_from(left.checked_div(one)?.floor()).unwrap_or(u64::MAX);
        // The quotient is rounded to 28 digits, which may lift it over the next whole number.
        Some(if self.bound(call, Some(tokens)) > dollars { tokens.saturating_sub(1) } else { tokens })
    }

    /// The dearest of `units` at any tier that an input of up to `input` tokens reaches, in the standard service and in
    /// the one asked for.
    fn dearest(&self, units: &[Unit], call: &LlmCall, input: u64) -> Decimal {
        let asked = call.service_tier.as_deref();
        let services = match asked {
            // Whatever the account is set to: the dearest of the plain and the priority service.
            Some("auto") => [None, Some("priority")],
            other => [None, other],
        };
        let mut totals = vec![0, input];
        totals.extend(self.thresholds().filter(|above| *above < input).map(|above| above.saturating_add(1)));
        let mut dearest = Decimal::ZERO;
        for service in services {
            for total_input in &totals {
                for unit in units {
                    dearest = dearest.max(self.price(*unit, At { service, total_input: *total_input }));
                }
            }
        }
        dearest
    }

    fn thresholds(&self) -> impl Iterator<Item = u64> {
        std::iter::once(&self.base)
            .chain(self.services.values())
            .flat_map(|rates| rates.long.iter().map(|long| long.above))
    }

    /// Price of one unit: the service's for long inputs, else the base's for long inputs, else the service's, else the
    /// base's, else that of the unit charged instead.
    fn price(&self, unit: Unit, at: At<'_>) -> Decimal {
        let service = at.service.and_then(|name| self.services.get(name));
        let reached = |rates: &Rates| {
            let at_or_above = self.provider == "xai";
            let is_reached =
                |long: &&LongInput| at.total_input > long.above || at_or_above && at.total_input == long.above;
            rates.long.iter().rev().find(is_reached).and_then(|long| long.prices.get(&unit).copied())
        };
        let plain = |rates: &Rates| rates.prices.get(&unit).copied();
        service
            .and_then(reached)
            .or_else(|| reached(&self.base))
            .or_else(|| service.and_then(plain))
            .or_else(|| plain(&self.base))
            .or_else(|| unit.fallback().map(|other| self.price(other, at)))
            .unwrap_or_default()
    }

    fn multiplier(&self, key: &str) -> Decimal {
        self.multipliers.get(key).copied().unwrap_or(Decimal::ONE)
    }

    fn search_price(&self) -> Decimal {
        self.search.unwrap_or(DEFAULT_SEARCH)
    }

    /// Nothing known to charge by. A zero may mean free, a subscription or unknown, so it does not count as a price.
    fn is_unpriced(&self) -> bool {
        let none = |rates: &Rates| rates.prices.values().all(Decimal::is_zero);
        self.unpriced || none(&self.base) && self.request.is_zero()
    }
}

/// What a price depends on.
#[derive(Debug, Clone, Copy)]
struct At<'a> {
    service: Option<&'a str>,
    total_input: u64,
}

/// Whether a provider's own tool runs searches that are charged one by one.
#[must_use]
pub fn is_search(tool: &str) -> bool {
    tool.contains("search") && !tool.contains("file_search") && !tool.contains("tool_search")
}

fn times(count: u64, price: Decimal) -> Decimal {
    product(Decimal::from(count), price)
}

/// Saturates: an absurd count is an absurd bound, never a small one.
fn product(a: Decimal, b: Decimal) -> Decimal {
    a.checked_mul(b).unwrap_or(Decimal::MAX)
}

fn add(a: Decimal, b: Decimal) -> Decimal {
    a.checked_add(b).unwrap_or(Decimal::MAX)
}

#[cfg(test)]
mod tests;
