//! The mark: two words and a stripe that only genuine windows of Reeve show, so that a copy of a card is known for one.

use reeve_domain::event::{Draft, EventBody};
use reeve_store::{Change, Store};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

const SETTING: &str = "mark";
/// How many colours the stripe may have.
pub const STRIPES: u8 = 6;
const LONGEST: usize = 32;

/// First words of marks that Reeve proposes.
const HOWS: [&str; 16] = [
    "amber", "brisk", "calm", "dusky", "early", "frosty", "gentle", "hazel", "ivory", "jolly", "keen", "lunar",
    "mossy", "nimble", "quiet", "rusty",
];
/// Second words: birds, as the sign beside them.
const BIRDS: [&str; 16] = [
    "heron", "wren", "finch", "plover", "osprey", "swift", "robin", "egret", "curlew", "magpie", "puffin", "starling",
    "kestrel", "lapwing", "dipper", "shrike",
];

/// What a window shows beside each decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub words: String,
    /// Below [`STRIPES`].
    pub stripe: u8,
}

/// The mark of this profile; at the first start one is drawn by lot, so that there always is one to know.
///
/// # Errors
/// When it can be neither read nor kept.
pub async fn load(store: &Store) -> Result<Mark, EngineError> {
    let kept = store.setting(SETTING).await?;
    if let Some(mark) = kept.and_then(|text| serde_json::from_str::<Mark>(&text).ok()) {
        return Ok(mark);
    }
    let [how, bird, stripe] = rand::random::<[u8; 3]>().map(usize::from);
    let pick = |words: &[&'static str; 16], at: usize| words.get(at % words.len()).copied().unwrap_or_default();
    let stripe = u8::try_from(stripe % usize::from(STRIPES)).unwrap_or_default();
    let mark = Mark { words: format!("{} {}", pick(&HOWS, how), pick(&BIRDS, bird)), stripe };
    keep(store, &mark, Vec::new()).await?;
    Ok(mark)
}

/// Takes the person's own.
///
/// # Errors
/// When the words are none or too many, the stripe is unknown, or it cannot be recorded.
pub async fn choose(store: &Store, mark: Mark) -> Result<Mark, EngineError> {
    let words: Vec<&str> = mark.words.split_whitespace().collect();
    let plain = words.iter().all(|word| word.chars().all(char::is_alphanumeric));
    let mark = Mark { words: words.join(" "), stripe: mark.stripe };
    if words.len() != 2 || !plain || mark.words.chars().count() > LONGEST {
        return Err(EngineError::Refused(format!(
            "the mark is two plain words of at most {LONGEST} characters together"
        )));
    }
    if mark.stripe >= STRIPES {
        return Err(EngineError::Refused(format!("the mark's stripe is one of {STRIPES} colours")));
    }
    // What the mark is stays out of the record, which is exported.
    let event = EventBody::ModeChanged { what: "the mark was changed".to_owned() };
    keep(store, &mark, vec![Draft::engine(event)]).await?;
    Ok(mark)
}

async fn keep(store: &Store, mark: &Mark, events: Vec<Draft>) -> Result<(), EngineError> {
    let value = serde_json::to_string(mark).map_err(|error| EngineError::Refused(error.to_string()))?;
    store.append_with(vec![Change::Setting { key: SETTING.to_owned(), value }], events).await?;
    Ok(())
}
