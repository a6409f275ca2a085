//! One strict reading of a JSON body: borrowed text, no key twice in an object, bounded depth (128, by serde_json).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::error::ProtocolError;

/// A JSON value that borrows its text where it has no escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Fields<'a, Node<'a>>),
}

/// The members of an object in the order in which they came, each key once.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields<'a, V>(pub Vec<(Cow<'a, str>, V)>);

impl<'a> Node<'a> {
    /// Reads a whole body as one JSON object.
    pub fn parse(body: &'a [u8], limit: usize) -> Result<Self, ProtocolError> {
        if body.len() > limit {
            return Err(ProtocolError::TooLarge { bytes: body.len(), limit });
        }
        let node: Self = serde_json::from_slice(body).map_err(|error| ProtocolError::NotJson(error.to_string()))?;
        match node {
            Self::Map(_) => Ok(node),
            _ => Err(ProtocolError::NotJson("expected an object".to_owned())),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(fields) => fields.get(key),
            _ => None,
        }
    }

    /// The value at `key` unless it is absent or `null`.
    pub fn given(&self, key: &str) -> Option<&Self> {
        self.get(key).filter(|node| !matches!(node, Self::Null))
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn text_at(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Self::text)
    }

    pub fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    pub fn items_at(&self, key: &str) -> &[Self] {
        self.get(key).map_or(&[], Self::items)
    }

    /// A required, non-empty text.
    pub fn need_text(&self, key: &str) -> Result<&str, ProtocolError> {
        self.text_at(key).filter(|t| !t.is_empty()).ok_or_else(|| ProtocolError::shape(key, "a text that is not empty"))
    }

    /// A boolean; absent and `null` are false.
    pub fn flag(&self, key: &str) -> Result<bool, ProtocolError> {
        match self.given(key) {
            None => Ok(false),
            Some(Self::Bool(flag)) => Ok(*flag),
            Some(_) => Err(ProtocolError::shape(key, "true or false")),
        }
    }

    /// A whole number from 0 up; absent and `null` are `None`. Anything else could be read in two ways and is refused.
    pub fn count(&self, key: &str) -> Result<Option<u64>, ProtocolError> {
        match self.given(key) {
            None => Ok(None),
            Some(Self::Number(number)) => {
                number.as_u64().map(Some).ok_or_else(|| ProtocolError::shape(key, "a whole number from 0 up"))
            }
            Some(_) => Err(ProtocolError::shape(key, "a whole number from 0 up")),
        }
    }

    /// A list; absent and `null` are empty.
    pub fn list(&self, key: &str) -> Result<&[Self], ProtocolError> {
        match self.given(key) {
            None => Ok(&[]),
            Some(Self::List(items)) => Ok(items),
            Some(_) => Err(ProtocolError::shape(key, "a list")),
        }
    }
}

impl<'a, V> Fields<'a, V> {
    pub fn get(&self, key: &str) -> Option<&V> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

impl<'a> Fields<'a, &'a RawValue> {
    /// The members of an object with each value left as its bytes, for rewrites that touch nothing else.
    pub fn parse(object: &'a [u8]) -> Result<Self, ProtocolError> {
        serde_json::from_slice(object).map_err(|error| ProtocolError::NotJson(error.to_string()))
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node<'de>, E> {
        Number::from_f64(value).map(Node::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Node<'de>, A::Error> {
        fields(map).map(Node::Map)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<'de, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<V>(std::marker::PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for FieldsVisitor<V> {
            type Value = Fields<'de, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                fields(map)
            }
        }
        deserializer.deserialize_map(FieldsVisitor(std::marker::PhantomData))
    }
}

/// Objects with more members than this are checked for repeated keys by hashing instead of by looking.
const FEW: usize = 16;

fn fields<'de, V: Deserialize<'de>, A: MapAccess<'de>>(mut map: A) -> Result<Fields<'de, V>, A::Error> {
    let mut members: Vec<(Cow<'de, str>, V)> = Vec::new();
    let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
    while let Some(Key(key)) = map.next_key()? {
        let known = if members.len() < FEW {
            members.iter().any(|(name, _)| *name == key)
        } else {
            if seen.is_empty() {
                seen.extend(members.iter().map(|(name, _)| name.clone()));
            }
            !seen.insert(key.clone())
        };
        if known {
            let shown: String = key.chars().take(64).flat_map(char::escape_debug).collect();
            return Err(A::Error::custom(format!("key `{shown}` is there twice")));
        }
        members.push((key, map.next_value()?));
    }
    Ok(Fields(members))
}

struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Node<'_>, ProtocolError> {
        Node::parse(text.as_bytes(), 1 << 20)
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let node = parse(r#"{"a": "plain", "b": "with \n"}"#).unwrap();
        assert!(matches!(node.get("a"), Some(Node::Text(Cow::Borrowed("plain")))));
        assert_eq!(node.text_at("b"), Some("with \n"));
    }

    #[test]
    fn a_key_that_comes_twice_is_refused_wherever_it_is() {
        let many: String = (0..40).map(|i| format!("\"k{i}\": {i}, ")).collect();
        for body in [
            r#"{"a": 1, "a": 2}"#.to_owned(),
            r#"{"x": [{"y": {"model": 1, "z": 0, "model": 2}}]}"#.to_owned(),
            // The same key, once with an escape.
            r#"{"model": "a", "mod\u0065l": "b"}"#.to_owned(),
            format!("{{{many}\"k3\": 0}}"),
            format!("{{{many}\"k39\": 0}}"),
        ] {
            let error = parse(&body).unwrap_err().to_string();
            assert!(error.contains("is there twice at line 1 column"), "{error}");
        }
        assert!(parse(&format!("{{{many}\"k40\": 0}}")).is_ok());
    }

    #[test]
    fn what_is_not_one_bounded_json_object_is_refused() {
        let deep = format!("{{\"a\": {}1{}}}", "[".repeat(200), "]".repeat(200));
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(2 << 20));
        for body in
            ["", "null", "[]", "\"x\"", "{", "{}}", "{\"a\":1,}", "{'a':1}", "{\"a\": NaN}", "\u{feff}{}", &deep, &long]
        {
            assert!(parse(body).is_err(), "{}", body.chars().take(30).collect::<String>());
        }
        assert!(Node::parse(b"{\"a\": \"\xff\"}", 1000).is_err());
        assert!(parse(r#"{"a": "\ud800"}"#).is_err());
    }

    #[test]
    fn counts_that_could_be_read_in_two_ways_are_refused() {
        let node = parse(r#"{"n": 5, "f": 5.0, "s": "5", "m": -1, "z": null}"#).unwrap();
        assert_eq!(node.count("n"), Ok(Some(5)));
        assert_eq!(node.count("z"), Ok(None));
        assert_eq!(node.count("absent"), Ok(None));
        for key in ["f", "s", "m"] {
            assert!(node.count(key).is_err(), "{key}");
        }
    }
}
