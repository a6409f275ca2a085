//! Reading parts of an answer without building all of it: lists element by element, usage leniently.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A usage object larger than this is none.
const MAX_USAGE: usize = 64 * 1024;

/// An answer that is not of the dialect's shape. What exactly is wrong is not for Reeve to judge.
#[derive(Debug)]
pub struct Unread;

impl From<serde_json::Error> for Unread {
    fn from(_: serde_json::Error) -> Self {
        Self
    }
}

pub fn read<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, Unread> {
    Ok(serde_json::from_slice(json)?)
}

/// A part that may be absent, `null` or of another shape; the latter is an error of its own and spoils nothing else.
pub fn part<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<Option<T>, Unread> {
    match raw.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some(json) => Ok(Some(serde_json::from_str(json)?)),
    }
}

/// Like [`part`], for usage objects, which are small.
pub fn usage<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Result<Option<T>, Unread> {
    if raw.is_some_and(|raw| raw.get().len() > MAX_USAGE) { Err(Unread) } else { part(raw) }
}

/// Each element of a list, without keeping them.
pub fn each<'a, T: Deserialize<'a>>(list: Option<&'a RawValue>, mut on: impl FnMut(T)) -> Result<(), Unread> {
    let Some(json) = list.map(RawValue::get).filter(|json| *json != "null") else { return Ok(()) };
    let mut deserializer = serde_json::Deserializer::from_str(json);
    Ok(Each(&mut on, PhantomData).deserialize(&mut deserializer)?)
}

struct Each<'f, F, T>(&'f mut F, PhantomData<T>);

impl<'de, F: FnMut(T), T: Deserialize<'de>> DeserializeSeed<'de> for Each<'_, F, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(T), T: Deserialize<'de>> Visitor<'de> for Each<'_, F, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(element) = seq.next_element()? {
            (self.0)(element);
        }
        Ok(())
    }
}
