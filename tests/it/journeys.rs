//! What a scripted client meets on its way through the proxy of a real engine.

mod credentials;
mod demo;
mod env_files;
mod model_calls;
mod money;
mod sessions;
mod spending;
mod timeline;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};

/// A streamed or whole call to Anthropic Messages.
fn messages(stream: bool, max_tokens: u64, text: &str) -> Request<Full<Bytes>> {
    let body = json!({
        "model": "claude-sonnet-5",
        "max_tokens": max_tokens,
        "stream": stream,
        "tools": [{ "name": "Bash", "description": "runs", "input_schema": { "type": "object" } }],
        "messages": [{ "role": "user", "content": text }],
    });
    post("https://api.anthropic.com/v1/messages", &body)
}

fn post(uri: &str, body: &Value) -> Request<Full<Bytes>> {
    Request::post(uri)
        .header("content-type", "application/json")
        .header("x-api-key", "sk-ant-api03-a-tests-own")
        .body(Full::from(body.to_string()))
        .unwrap()
}

fn get(uri: &str, authorization: Option<&str>) -> Request<Full<Bytes>> {
    let mut request = Request::get(uri);
    if let Some(value) = authorization {
        request = request.header("authorization", format!("Bearer {value}"));
    }
    request.body(Full::default()).unwrap()
}
