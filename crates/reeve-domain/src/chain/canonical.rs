//! One text per value: keys sorted by bytes, integers only, no white space, and everything escaped that could change how a
//! line is read or shown. Does not depend on the order in which a JSON library keeps its keys.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;

/// Deepest nesting of foreign values; what lies deeper is kept as text. Leaves room for the event around it below the
/// 128 levels that JSON readers accept.
const DEEPEST: usize = 64;

/// Why a value has no canonical text, or a text is not canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    #[error("`{0}` is not an integer, and the record keeps none other")]
    NotAnInteger(String),
    #[error("not a record: {0}")]
    Json(String),
    #[error("the text is not the canonical one: keys in another order, white space, or other escapes")]
    NotCanonical,
}

/// A JSON value without floats and without duplicate keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    /// The value of anything that serialises.
    ///
    /// # Errors
    /// When it holds a number that is not an integer.
    pub fn of<T: Serialize>(value: &T) -> Result<Self, CanonicalError> {
        let value = serde_json::to_value(value).map_err(|e| CanonicalError::Json(e.to_string()))?;
        Self::from_value(value)
    }

    fn from_value(value: serde_json::Value) -> Result<Self, CanonicalError> {
        use serde_json::Value;
        Ok(match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(truth),
            Value::Number(number) => match (number.as_u64(), number.as_i64()) {
                (Some(n), _) => Self::Uint(n),
                (None, Some(n)) => Self::Int(n),
                (None, None) => return Err(CanonicalError::NotAnInteger(number.to_string())),
            },
            Value::String(text) => Self::Text(text),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_value).collect::<Result<_, _>>()?),
            Value::Object(map) => {
                let entries = map.into_iter().map(|(key, value)| Ok((key, Self::from_value(value)?)));
                Self::Map(entries.collect::<Result<_, CanonicalError>>()?)
            }
        })
    }

    /// Reads any JSON text; duplicate keys and floats are refused.
    ///
    /// # Errors
    /// When the text is not JSON of that kind.
    pub fn parse(text: &str) -> Result<Self, CanonicalError> {
        serde_json::from_str(text).map_err(|e| CanonicalError::Json(e.to_string()))
    }

    /// Reads a text that must be canonical already.
    ///
    /// # Errors
    /// As [`Json::parse`], and when the text is not the one that would be written.
    pub fn parse_canonical(text: &str) -> Result<Self, CanonicalError> {
        let json = Self::parse(text)?;
        if json.to_string() == text { Ok(json) } else { Err(CanonicalError::NotCanonical) }
    }

    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Uint(n) => Some(*n),
            _ => None,
        }
    }
}

/// Characters that a terminal, an editor or a spreadsheet acts upon instead of showing them: controls, bidirectional
/// marks and overrides, zero-width and invisible ones, line separators, tag characters.
#[must_use]
pub fn is_hazardous(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    f.write_char('"')?;
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        if c != '"' && c != '\\' && !is_hazardous(c) {
            continue;
        }
        f.write_str(text.get(plain..at).unwrap_or_default())?;
        plain = at + c.len_utf8();
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(f, "\\u{unit:04x}")?;
                }
            }
        }
    }
    f.write_str(text.get(plain..).unwrap_or_default())?;
    f.write_char('"')
}

/// The canonical text.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => write!(f, "{truth}"),
            Self::Int(n) => write!(f, "{n}"),
            Self::Uint(n) => write!(f, "{n}"),
            Self::Text(text) => write_text(f, text),
            Self::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (i, (key, value)) in map.iter().enumerate() {
                    if i > 0 {
                        f.write_str(",")?;
                    }
                    write_text(f, key)?;
                    f.write_str(":")?;
                    value.fmt(f)?;
                }
                f.write_str("}")
            }
        }
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without floats and without duplicate keys")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<Json, E> {
        Ok(Json::Bool(truth))
    }

    fn visit_i64<E: de::Error>(self, n: i64) -> Result<Json, E> {
        Ok(u64::try_from(n).map_or(Json::Int(n), Json::Uint))
    }

    fn visit_u64<E: de::Error>(self, n: u64) -> Result<Json, E> {
        Ok(Json::Uint(n))
    }

    fn visit_f64<E: de::Error>(self, n: f64) -> Result<Json, E> {
        Err(E::custom(format_args!("`{n}` is not an integer")))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut map = BTreeMap::new();
        while let Some(key) = entries.next_key::<String>()? {
            if map.contains_key(&key) {
                let shown: String = key.chars().take(40).flat_map(char::escape_debug).collect();
                return Err(de::Error::custom(format_args!("duplicate key `{shown}`")));
            }
            map.insert(key, entries.next_value()?);
        }
        Ok(Json::Map(map))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

/// Brings a foreign value into a shape that has canonical text.
pub(super) fn tame(value: &mut serde_json::Value, depth: usize) {
    use serde_json::Value;
    match value {
        Value::Number(n) if n.as_u64().is_none() && n.as_i64().is_none() => *value = Value::String(n.to_string()),
        Value::Array(_) | Value::Object(_) if depth >= DEEPEST => *value = Value::String(value.to_string()),
        Value::Array(items) => items.iter_mut().for_each(|item| tame(item, depth + 1)),
        Value::Object(map) => map.values_mut().for_each(|item| tame(item, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_by_bytes_whatever_order_they_came_in() {
        let json = Json::parse(r#"{"b":1,"a":{"z":null,"B":true},"ä":[-1,"x"]}"#).unwrap();
        assert_eq!(json.to_string(), r#"{"a":{"B":true,"z":null},"b":1,"ä":[-1,"x"]}"#);
        assert_eq!(Json::parse_canonical(&json.to_string()), Ok(json));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for bad in [
            r#"{"b":1,"a":2}"#,
            r#"{"a": 1}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":1.0}"#,
            r#"{"a":"\u0041"}"#,
            "{\"a\":\"\u{202e}\"}",
            r#"{"a":1} "#,
            r#"{"a":01}"#,
            r#"{"a":-0}"#,
            r#"{"a":"\n"}"#,
            "",
            "[",
        ] {
            assert!(Json::parse_canonical(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn hazardous_characters_are_escaped_and_read_back() {
        let text = "a\u{1b}[2K\u{202e}\u{e0041}\n\u{9b}ü\"\\";
        let line = Json::Text(text.to_owned()).to_string();
        assert_eq!(line, r#""a\u001b[2K\u202e\udb40\udc41\u000a\u009bü\"\\""#);
        assert_eq!(Json::parse_canonical(&line).unwrap().as_text(), Some(text));
    }

    #[test]
    fn foreign_values_are_tamed() {
        let mut deep = serde_json::json!(0.7);
        for _ in 0..100 {
            deep = serde_json::json!([deep]);
        }
        tame(&mut deep, 0);
        let line = Json::of(&deep).unwrap().to_string();
        assert!(Json::parse_canonical(&line).is_ok());
        assert!(line.contains("0.7"));
    }

    #[test]
    fn hostile_nesting_is_an_error_and_not_a_crash() {
        assert!(Json::parse(&"[".repeat(1_000_000)).is_err());
    }
}
