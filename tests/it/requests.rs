//! Requests that several rings send.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

/// A streamed or whole call to Anthropic Messages.
pub fn messages(stream: bool, max_tokens: u64, text: &str) -> Request<Full<Bytes>> {
    let body = json!({
        "model": "claude-sonnet-5",
        "max_tokens": max_tokens,
        "stream": stream,
        "tools": [{ "name": "Bash", "description": "runs", "input_schema": { "type": "object" } }],
        "messages": [{ "role": "user", "content": text }],
    });
    post("https://api.anthropic.com/v1/messages", &body)
}

pub fn post(uri: &str, body: &Value) -> Request<Full<Bytes>> {
    let request =
        Request::post(uri).header("content-type", "application/json").header("x-api-key", "sk-ant-api03-a-tests-own");
    request.body(Full::from(body.to_string())).unwrap()
}

pub fn get(uri: &str) -> Request<Full<Bytes>> {
    Request::get(uri).body(Full::default()).unwrap()
}

pub fn delete(uri: &str) -> Request<Full<Bytes>> {
    Request::delete(uri).body(Full::default()).unwrap()
}
