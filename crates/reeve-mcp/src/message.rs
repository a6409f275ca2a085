//! One JSON-RPC message as MCP sends it, read without doubt: no key twice in an object, no batches, bounded depth and size.
//! What only passes keeps its bytes; what is judged is written anew from what was read, so that both are the same.

use std::fmt;

use bytes::Bytes;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

/// Longest message, in bytes.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// The keys of a message.
const KEYS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// How the ids of Reeve's own requests to a server begin. No client may use such an id.
const OWN: &str = "reeve-";

/// What pairs an answer with its request. Each side of a connection has its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Id {
    Number(Number),
    Text(String),
}

impl Id {
    /// Of a request that Reeve itself sends to a server.
    #[must_use]
    pub fn own(number: u64) -> Self {
        Self::Text(format!("{OWN}{number}"))
    }

    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with(OWN))
    }

    /// `None` for what no request may carry.
    #[must_use]
    pub fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self::Number(number.clone())),
            Value::String(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
    }

    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.clone()),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value().fmt(f)
    }
}

/// What an answer holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Result(Value),
    /// The error object: `code`, `message`, `data`.
    Error(Value),
}

/// A message. `params` is `Null` where there are none.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    Request {
        id: Id,
        method: String,
        params: Value,
    },
    Notification {
        method: String,
        params: Value,
    },
    /// `id` is `None` where a request was too broken to have one.
    Response {
        id: Option<Id>,
        answer: Answer,
    },
}

/// Why bytes are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    #[error("the message has {bytes} bytes, more than {MAX_MESSAGE}")]
    TooLarge { bytes: usize },
    #[error("the message is no JSON that reads only one way: {0}")]
    NotJson(String),
    #[error("the message is not JSON-RPC: {0}")]
    NotRpc(&'static str),
}

impl MessageError {
    /// The JSON-RPC error object that says so.
    #[must_use]
    pub fn object(&self) -> Value {
        let code = if matches!(self, Self::NotJson(_)) { -32700 } else { -32600 };
        json!({ "code": code, "message": self.to_string() })
    }
}

/// Reads one message.
///
/// # Errors
/// When it is too large or could be read in two ways.
pub fn parse(bytes: &[u8]) -> Result<Message, MessageError> {
    if bytes.len() > MAX_MESSAGE {
        return Err(MessageError::TooLarge { bytes: bytes.len() });
    }
    match strict(bytes)? {
        Value::Object(fields) => read(fields),
        Value::Array(_) => Err(MessageError::NotRpc("batches were taken out of MCP")),
        _ => Err(MessageError::NotRpc("expected an object")),
    }
}

/// Reads JSON in which no object has a key twice.
///
/// # Errors
/// When it is not such JSON.
pub fn strict(bytes: &[u8]) -> Result<Value, MessageError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = Strict.deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| MessageError::NotJson(error.to_string()))
}

/// What a line that is no message may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unread {
    /// An answer to this request.
    Answer(Id),
    /// An answer, nobody knows to what.
    Perhaps,
    /// Nobody waits for it.
    Words,
}

/// Looks less strictly at what [`parse`] turned away.
#[must_use]
pub fn of_unread(bytes: &[u8]) -> Unread {
    /// Most bytes at the beginning of a damaged line in which its id is looked for.
    const HEAD: usize = 4096;
    if bytes.len() <= MAX_MESSAGE
        && let Ok(lax) = serde_json::from_slice::<Value>(bytes)
    {
        let is_answer = lax.get("method").is_none() && (lax.get("result").is_some() || lax.get("error").is_some());
        return match lax.get("id").and_then(Id::read) {
            Some(id) if is_answer => Unread::Answer(id),
            _ => Unread::Words,
        };
    }
    let head = String::from_utf8_lossy(bytes.get(..HEAD).unwrap_or(bytes));
    if !head.trim_start().starts_with('{') || !head.contains("\"jsonrpc\"") || head.contains("\"method\"") {
        return Unread::Words;
    }
    let after = head.split_once("\"id\"").map(|(_, rest)| rest.trim_start().trim_start_matches(':').trim_start());
    let own = after.and_then(|rest| rest.strip_prefix('"')?.split_once('"').map(|(id, _)| Id::Text(id.to_owned())));
    own.filter(Id::is_own).map_or(Unread::Perhaps, Unread::Answer)
}

fn read(mut fields: Map<String, Value>) -> Result<Message, MessageError> {
    if fields.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(MessageError::NotRpc("`jsonrpc` is not `2.0`"));
    }
    // Some readers take a key in any case, and would find another method than the one that is judged.
    if fields.keys().any(|key| !KEYS.contains(&key.as_str()) && KEYS.contains(&fold(key).as_str())) {
        return Err(MessageError::NotRpc("a key is not written as JSON-RPC writes it"));
    }
    let id = fields.shift_remove("id");
    let Some(method) = fields.shift_remove("method") else { return response(id.as_ref(), fields) };
    let Value::String(method) = method else { return Err(MessageError::NotRpc("`method` is not a text")) };
    if fields.contains_key("result") || fields.contains_key("error") {
        return Err(MessageError::NotRpc("it is request and answer at once"));
    }
    let params = fields.shift_remove("params").unwrap_or(Value::Null);
    match id {
        None => Ok(Message::Notification { method, params }),
        Some(id) => {
            let id = Id::read(&id).ok_or(MessageError::NotRpc("`id` is neither a number nor a text"))?;
            Ok(Message::Request { id, method, params })
        }
    }
}

/// A key as readers find it that take letters in any case.
#[must_use]
pub fn fold(key: &str) -> String {
    // Upwards first: that also folds the letters beyond ASCII which stand for an `s` or a `k`.
    key.to_uppercase().to_lowercase()
}

fn response(id: Option<&Value>, mut fields: Map<String, Value>) -> Result<Message, MessageError> {
    let answer = match (fields.shift_remove("result"), fields.shift_remove("error")) {
        (Some(result), None) => Answer::Result(result),
        (None, Some(error)) => Answer::Error(error),
        _ => return Err(MessageError::NotRpc("it has neither a method nor exactly one of `result` and `error`")),
    };
    let id = id.filter(|id| !id.is_null());
    let read = id.map(|id| Id::read(id).ok_or(MessageError::NotRpc("`id` is neither a number nor a text")));
    let id = read.transpose()?;
    if id.is_none() && matches!(answer, Answer::Result(_)) {
        return Err(MessageError::NotRpc("an answer without `id`"));
    }
    Ok(Message::Response { id, answer })
}

/// The bytes of a request.
#[must_use]
pub fn request(id: &Id, method: &str, params: Value) -> Bytes {
    written(json!({ "jsonrpc": "2.0", "id": id.value(), "method": method, "params": params }))
}

/// The bytes of a notification.
#[must_use]
pub fn notification(method: &str, params: Value) -> Bytes {
    written(json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// The bytes of an answer; `None`: to a request that was too broken to have an id.
#[must_use]
pub fn answer(id: Option<&Id>, answer: Answer) -> Bytes {
    let id = id.map_or(Value::Null, Id::value);
    written(match answer {
        Answer::Result(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
        Answer::Error(error) => json!({ "jsonrpc": "2.0", "id": id, "error": error }),
    })
}

/// An error object of Reeve's own making.
#[must_use]
pub fn failure(code: i64, message: impl Into<String>) -> Answer {
    Answer::Error(json!({ "code": code, "message": message.into() }))
}

fn written(message: Value) -> Bytes {
    Bytes::from(message.to_string())
}

/// Reads a value and refuses objects that name a key twice.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number without end"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if map.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{}` stands twice", key.escape_debug())));
            }
            map.insert(key, members.next_value_seed(Self)?);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_notifications_and_answers_are_told_apart() {
        let request = parse(br#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"x"}}"#).unwrap();
        let wanted = Message::Request {
            id: Id::Number(7.into()),
            method: "tools/call".to_owned(),
            params: json!({ "name": "x" }),
        };
        assert_eq!(request, wanted);
        let note = parse(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).unwrap();
        assert!(matches!(note, Message::Notification { params: Value::Null, .. }));
        let answer = parse(br#"{"jsonrpc":"2.0","id":"a","result":{}}"#).unwrap();
        assert!(matches!(answer, Message::Response { id: Some(Id::Text(id)), answer: Answer::Result(_) } if id == "a"));
        let broken = parse(br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}"#).unwrap();
        assert!(matches!(broken, Message::Response { id: None, answer: Answer::Error(_) }));
    }

    #[test]
    fn what_reads_two_ways_is_refused() {
        for bad in [
            r#"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"x":[{"k":1,"k":2}]}}"#,
            r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#,
            r#"{"id":1,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0","method":"a"} {}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","Method":"b"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"a","param\u017f":{}}"#,
            "1",
            "",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!(r#"{{"jsonrpc":"2.0","method":"a","params":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(matches!(parse(deep.as_bytes()), Err(MessageError::NotJson(_))));
        assert!(matches!(parse(&vec![b' '; MAX_MESSAGE + 1]), Err(MessageError::TooLarge { .. })));
    }

    #[test]
    fn ids_of_reeves_own_are_known() {
        assert!(Id::own(3).is_own());
        assert!(!Id::Text("3".to_owned()).is_own() && !Id::Number(3.into()).is_own());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_is_written_is_read_again(id in any::<u64>(), method in "[a-z/]{1,20}", text in ".{0,40}") {
            let id = Id::Number(id.into());
            let bytes = request(&id, &method, json!({ "text": text }));
            prop_assert_eq!(parse(&bytes).unwrap(), Message::Request { id, method, params: json!({ "text": text }) });
        }
    }
}
