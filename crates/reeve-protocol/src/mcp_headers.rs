//! The headers that say of an MCP message over HTTP what stands in its body (`Mcp-Method`, `Mcp-Name`, `Mcp-Param-…`): whatever
//! stands before a server may judge by them. Held against the body, and written from it.

use ::http::header::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

pub const METHOD: &str = "mcp-method";
pub const NAME: &str = "mcp-name";
pub const VERSION: &str = "mcp-protocol-version";
/// How the headers begin that say what arguments are.
pub const PARAMETER: &str = "mcp-param-";
/// Where a message names its version by itself.
pub const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// The first version in which these headers must be there.
pub const SINCE: &str = "2026-07-28";
/// The JSON-RPC code for headers that contradict the message, or are missing.
pub const MISMATCH: i64 = -32_020;

/// What a tool's schema names the header of an argument by.
const ANNOTATION: &str = "x-mcp-header";
/// What cannot stand in a header as it is stands between these, in Base64.
const CODED: (&str, &str) = ("=?base64?", "?=");

/// Why headers and message do not go together. The values stay out of the words: they are foreign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    #[error("the header `{0}` does not say what the message says")]
    Differs(String),
    #[error("the header `{0}` is missing")]
    Missing(String),
    #[error("the header `{0}` stands there twice")]
    Twice(String),
    #[error("the header `{0}` cannot be read")]
    Unreadable(String),
}

/// Whether the request's version is one in which these headers must be there.
#[must_use]
pub fn is_newest(headers: &HeaderMap) -> bool {
    headers.get(VERSION).and_then(|value| value.to_str().ok()).is_some_and(|version| version >= SINCE)
}

/// Whether any header says what stands in the body.
#[must_use]
pub fn are_there(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| is_mirrored(name.as_str()))
}

/// Holds the headers that are there against the message. `schema`: of the arguments of the tool that it calls.
///
/// # Errors
/// The first header that says something else, or can be read in two ways or none.
pub fn agree(headers: &HeaderMap, message: &Value, schema: Option<&Value>) -> Result<(), Mismatch> {
    let params = message.get("params").unwrap_or(&Value::Null);
    let method = message.get("method").and_then(Value::as_str);
    let differs = |name: &str| Err(Mismatch::Differs(name.to_owned()));
    if plain(headers, METHOD)?.is_some_and(|said| Some(said) != method) {
        return differs(METHOD);
    }
    let own = own_version(params);
    if plain(headers, VERSION)?.is_some_and(|said| own.is_some_and(|own| own != said)) {
        return differs(VERSION);
    }
    if let Some(said) = value(headers, NAME)?
        && !names(method.unwrap_or_default(), params).any(|name| name == said)
    {
        return differs(NAME);
    }
    if method != Some("tools/call") {
        return Ok(());
    }
    for one in annotated(schema) {
        let header = one.header();
        if let Some(said) = value(headers, &header)?
            && one.argument(params).is_none_or(|argument| !says(&said, argument))
        {
            return differs(&header);
        }
    }
    Ok(())
}

/// The same, and none is missing that the request's version wants: for who is the server.
///
/// # Errors
/// The first header that says something else, cannot be read, or is missing.
pub fn complete(headers: &HeaderMap, message: &Value, schema: Option<&Value>) -> Result<(), Mismatch> {
    agree(headers, message, schema)?;
    let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
    let is_request = !method.is_empty() && message.get("id").is_some();
    if !is_newest(headers) || !is_request || method == "initialize" {
        return Ok(());
    }
    let needed = |name: &str| match headers.contains_key(name) {
        true => Ok(()),
        false => Err(Mismatch::Missing(name.to_owned())),
    };
    needed(METHOD)?;
    let params = message.get("params").unwrap_or(&Value::Null);
    if matches!(method, "tools/call" | "prompts/get" | "resources/read") && names(method, params).next().is_some() {
        needed(NAME)?;
    }
    if method != "tools/call" || !is_sound(schema) {
        return Ok(());
    }
    let mut given = annotated(schema).into_iter().filter(|one| one.argument(params).and_then(text_of).is_some());
    given.try_for_each(|one| needed(&one.header()))
}

/// Makes the headers say what this message says. Where the request's version does not want them, those that are there already
/// are mended and no others are put in; so are those of a definition that breaks the protocol's rules for them.
pub fn write(headers: &mut HeaderMap, method: &str, params: &Value, schema: Option<&Value>) {
    let wanted = is_newest(headers) || own_version(params).is_some_and(|own| own >= SINCE);
    if headers.remove(METHOD).is_some() || wanted {
        put(headers, METHOD, method);
    }
    let had_name = headers.remove(NAME).is_some();
    let name = names(method, params).next().filter(|_| had_name || (wanted && keys_of(method).len() == 1));
    if let Some(name) = name {
        put(headers, NAME, &coded(name));
    }
    let is_sound = is_sound(schema);
    for one in annotated(schema) {
        let header = one.header();
        let had = headers.remove(header.as_str()).is_some();
        let said = one.argument(params).and_then(text_of).filter(|_| had || (wanted && is_sound));
        if let Some(said) = said {
            put(headers, &header, &coded(&said));
        }
    }
}

/// Takes out what the headers say of arguments.
pub fn strip_parameters(headers: &mut HeaderMap) {
    strip(headers, |name| name.starts_with(PARAMETER));
}

/// Takes out all that the headers say of a message: for a request that carries none.
pub fn strip_all(headers: &mut HeaderMap) {
    strip(headers, is_mirrored);
}

/// Whether a header says something of an argument that the schema does not name one for: what it is about is not known.
#[must_use]
pub fn says_more(headers: &HeaderMap, schema: Option<&Value>) -> bool {
    let known: Vec<String> = annotated(schema).iter().map(Annotated::header).collect();
    let mut parameters = headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(PARAMETER));
    parameters.any(|name| !known.iter().any(|one| one == name))
}

/// A text as it stands in a header.
#[must_use]
pub fn coded(text: &str) -> String {
    let (before, after) = CODED;
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
    let kept = plain && text.trim() == text && !text.starts_with(before);
    if kept { text.to_owned() } else { format!("{before}{}{after}", STANDARD.encode(text)) }
}

/// What stands in a header; `None`: it is coded, and nobody can tell what it says.
#[must_use]
pub fn decoded(value: &str) -> Option<String> {
    let (before, after) = CODED;
    match value.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)) {
        None => Some(value.to_owned()),
        Some(inner) => String::from_utf8(STANDARD.decode(inner).ok()?).ok(),
    }
}

fn is_mirrored(name: &str) -> bool {
    matches!(name, METHOD | NAME) || name.starts_with(PARAMETER)
}

fn strip(headers: &mut HeaderMap, goes: impl Fn(&str) -> bool) {
    let gone: Vec<HeaderName> = headers.keys().filter(|name| goes(name.as_str())).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

fn put(headers: &mut HeaderMap, name: &str, value: &str) {
    let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
    if let Some((name, value)) = pair {
        headers.insert(name, value);
    }
}

/// The one value of a header as it stands there; `None`: there is no such header.
fn plain<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Mismatch> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Mismatch::Twice(name.to_owned()));
    }
    value.to_str().map(Some).map_err(|_| Mismatch::Unreadable(name.to_owned()))
}

/// The same, decoded.
fn value(headers: &HeaderMap, name: &str) -> Result<Option<String>, Mismatch> {
    let Some(value) = plain(headers, name)? else { return Ok(None) };
    decoded(value).map(Some).ok_or_else(|| Mismatch::Unreadable(name.to_owned()))
}

fn own_version(params: &Value) -> Option<&str> {
    params.get("_meta").and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str)
}

/// Where the name stands that a method's header says. What nobody here has heard of may have it in any of these places.
fn keys_of(method: &str) -> &'static [&'static str] {
    match method {
        "tools/call" | "prompts/get" => &["name"],
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => &["uri"],
        "tasks/get" | "tasks/result" | "tasks/update" | "tasks/cancel" => &["taskId"],
        _ => &["name", "uri", "taskId"],
    }
}

fn names<'v>(method: &str, params: &'v Value) -> impl Iterator<Item = &'v str> + use<'v> {
    keys_of(method).iter().filter_map(move |key| params.get(*key).and_then(Value::as_str))
}

/// An argument that a tool wants to be said in a header.
struct Annotated<'a> {
    /// Where it stands among the arguments.
    path: Vec<&'a str>,
    name: &'a str,
    kind: Option<&'a str>,
}

impl Annotated<'_> {
    fn header(&self) -> String {
        format!("{PARAMETER}{}", self.name.to_ascii_lowercase())
    }

    /// What stands there; `None`: nothing that a header could say.
    fn argument<'v>(&self, params: &'v Value) -> Option<&'v Value> {
        let arguments = params.get("arguments")?;
        let found = self.path.iter().try_fold(arguments, |value, key| value.get(*key))?;
        matches!(found, Value::String(_) | Value::Bool(_) | Value::Number(_)).then_some(found)
    }
}

/// What a schema says of headers, where it may stand: on the way through `properties` and nothing else.
fn annotated(schema: Option<&Value>) -> Vec<Annotated<'_>> {
    let mut found = Vec::new();
    if let Some(schema) = schema {
        collect(schema, &mut Vec::new(), &mut found);
    }
    found
}

fn collect<'a>(schema: &'a Value, path: &mut Vec<&'a str>, found: &mut Vec<Annotated<'a>>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    for (name, property) in properties {
        path.push(name.as_str());
        let header = property.get(ANNOTATION).and_then(Value::as_str).filter(|header| !header.is_empty());
        if let Some(header) = header {
            let kind = property.get("type").and_then(Value::as_str);
            found.push(Annotated { path: path.clone(), name: header, kind });
        }
        collect(property, path, found);
        path.pop();
    }
}

/// Whether a definition keeps the protocol's rules for what it says of headers: names that can be names, each once, for plain
/// values, and nowhere else. By one that does not nobody can tell what its server wants.
fn is_sound(schema: Option<&Value>) -> bool {
    let found = annotated(schema);
    let mut headers: Vec<String> = found.iter().map(Annotated::header).collect();
    headers.sort_unstable();
    let once = headers.windows(2).all(|two| two.first() != two.last());
    let fit = |one: &Annotated<'_>| {
        let named = HeaderName::from_bytes(one.header().as_bytes()).is_ok();
        named && matches!(one.kind, Some("string" | "integer" | "boolean"))
    };
    once && found.iter().all(fit) && schema.map_or(0, count) == found.len()
}

/// How often a schema speaks of headers, wherever that is.
fn count(schema: &Value) -> usize {
    match schema {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => {
            let of = |(key, value): (&String, &Value)| match key.as_str() {
                ANNOTATION => 1,
                // Values, and no schemas.
                "default" | "const" | "enum" | "examples" => 0,
                // Schemas by names that are the tool's own.
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                    value.as_object().map_or(0, |named| named.values().map(count).sum::<usize>())
                }
                _ => count(value),
            };
            fields.iter().map(of).sum()
        }
        _ => 0,
    }
}

/// A value as a header says it, before it is coded.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => {
            let text = number.to_string();
            Some(integer(&text).unwrap_or(text))
        }
        _ => None,
    }
}

/// Whether a header says this value: numbers are the same in any spelling.
fn says(said: &str, value: &Value) -> bool {
    let Some(text) = text_of(value) else { return false };
    said == text || (value.is_number() && integer(said).is_some_and(|one| one == text))
}

/// A whole number in its one spelling; `None`: it is none.
fn integer(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_plain = digits == "0" || !digits.starts_with('0');
    let is_whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    (is_number && is_plain && is_whole).then(|| if digits == "0" { "0".to_owned() } else { whole.to_owned() })
}

#[cfg(test)]
mod tests;
