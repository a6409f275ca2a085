//! Reading the price file: every amount an exact decimal, every problem with file, line, column and model.

use std::collections::BTreeMap;
use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use super::{LongInput, ModelPrice, PriceTable, Rates, Unit};

/// Why a price file does not load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("price file `{file}` does not load: {problem}")]
pub struct PriceError {
    /// File as shown to people.
    pub file: String,
    /// What is wrong, with model, line and column.
    pub problem: String,
}

impl PriceTable {
    /// Reads the text of a price file. `file` is only shown in errors.
    ///
    /// # Errors
    /// When the text is not JSON of the documented shape, an amount is not a decimal string, or a model is there twice.
    pub fn parse(file: &str, text: &str) -> Result<Self, PriceError> {
        let read: File = serde_json::from_str(text)
            .map_err(|error| PriceError { file: file.to_owned(), problem: error.to_string() })?;
        Ok(Self { date: read.source.extracted, models: read.models.0 })
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "_source")]
    source: Source,
    models: Models,
}

#[derive(Deserialize)]
struct Source {
    extracted: String,
}

struct Models(BTreeMap<String, ModelPrice>);

impl<'de> Deserialize<'de> for Models {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ModelsVisitor;
        impl<'de> Visitor<'de> for ModelsVisitor {
            type Value = Models;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of models")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Models, A::Error> {
                let mut models = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let entry: Entry =
                        map.next_value().map_err(|error| Error::custom(format!("model `{name}`: {error}")))?;
                    if models.contains_key(&name) {
                        return Err(Error::custom(format!("model `{name}` is there twice")));
                    }
                    models.insert(name, entry.into());
                }
                Ok(Models(models))
            }
        }
        deserializer.deserialize_map(ModelsVisitor)
    }
}

#[derive(Deserialize)]
struct Entry {
    provider: String,
    max_input: Option<u64>,
    max_output: Option<u64>,
    #[serde(flatten)]
    base: RatesEntry,
    web_search: Option<Search>,
    per_request: Option<Amount>,
    #[serde(default)]
    multipliers: BTreeMap<String, Amount>,
    #[serde(default)]
    unpriced: bool,
    batch: Option<RatesEntry>,
    priority: Option<RatesEntry>,
    flex: Option<RatesEntry>,
    ultrafast: Option<RatesEntry>,
    balanced: Option<RatesEntry>,
    decisions: Option<RatesEntry>,
}

#[derive(Deserialize, Default)]
struct RatesEntry {
    #[serde(flatten)]
    prices: PricesEntry,
    #[serde(default)]
    tiers: Vec<TierEntry>,
}

#[derive(Deserialize)]
struct TierEntry {
    above_input_tokens: u64,
    #[serde(flatten)]
    prices: PricesEntry,
}

#[derive(Deserialize, Default)]
struct PricesEntry {
    input: Option<Amount>,
    output: Option<Amount>,
    reasoning: Option<Amount>,
    cache_read: Option<Amount>,
    cache_write: Option<Amount>,
    cache_write_1h: Option<Amount>,
    audio_input: Option<Amount>,
    audio_cache_read: Option<Amount>,
    audio_output: Option<Amount>,
    image_input: Option<Amount>,
    video_input: Option<Amount>,
}

/// One price per search, or one by the size of the search context, of which the dearest counts.
#[derive(Deserialize)]
#[serde(untagged)]
enum Search {
    One(Amount),
    BySize(BTreeMap<String, Amount>),
}

/// A non-negative decimal in a string. A bare number is refused: it would have passed through a binary float.
struct Amount(Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AmountVisitor;
        impl Visitor<'_> for AmountVisitor {
            type Value = Amount;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("dollars as a decimal in a string, for example \"0.000005\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Amount, E> {
                let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
                match text.parse::<Decimal>() {
                    Ok(amount) if plain => Ok(Amount(amount)),
                    _ => Err(E::custom(format!("`{text}` is not an amount in dollars, for example \"0.000005\""))),
                }
            }
        }
        deserializer.deserialize_str(AmountVisitor)
    }
}

impl From<Entry> for ModelPrice {
    fn from(entry: Entry) -> Self {
        let services = [
            ("batch", entry.batch),
            ("priority", entry.priority),
            ("flex", entry.flex),
            ("ultrafast", entry.ultrafast),
            ("balanced", entry.balanced),
            ("decisions", entry.decisions),
        ];
        let search = entry.web_search.map(|search| match search {
            Search::One(amount) => amount.0,
            Search::BySize(sizes) => sizes.into_values().map(|amount| amount.0).max().unwrap_or_default(),
        });
        Self {
            provider: entry.provider,
            max_input: entry.max_input,
            max_output: entry.max_output,
            base: entry.base.into(),
            services: services.into_iter().filter_map(|(name, rates)| Some((name.to_owned(), rates?.into()))).collect(),
            multipliers: entry.multipliers.into_iter().map(|(key, factor)| (key, factor.0)).collect(),
            search,
            request: entry.per_request.map_or(Decimal::ZERO, |amount| amount.0),
            unpriced: entry.unpriced,
        }
    }
}

impl From<RatesEntry> for Rates {
    fn from(entry: RatesEntry) -> Self {
        let mut long: Vec<LongInput> = entry
            .tiers
            .into_iter()
            .map(|tier| LongInput { above: tier.above_input_tokens, prices: tier.prices.into() })
            .collect();
        long.sort_by_key(|tier| tier.above);
        Self { prices: entry.prices.into(), long }
    }
}

impl From<PricesEntry> for BTreeMap<Unit, Decimal> {
    fn from(entry: PricesEntry) -> Self {
        let given = [
            (Unit::Input, entry.input),
            (Unit::Output, entry.output),
            (Unit::Reasoning, entry.reasoning),
            (Unit::CacheRead, entry.cache_read),
            (Unit::CacheWrite, entry.cache_write),
            (Unit::CacheWriteHour, entry.cache_write_1h),
            (Unit::AudioInput, entry.audio_input),
            (Unit::AudioCacheRead, entry.audio_cache_read),
            (Unit::AudioOutput, entry.audio_output),
            (Unit::ImageInput, entry.image_input),
            (Unit::VideoInput, entry.video_input),
        ];
        given.into_iter().filter_map(|(unit, amount)| Some((unit, amount?.0))).collect()
    }
}
