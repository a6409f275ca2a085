//! The acts of the demo story, one after the other.

#![expect(clippy::indexing_slicing, reason = "reading a missing key of a JSON value gives null")]

use std::io::Write;
use std::time::Instant;

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::tunnel::Network;
use super::{Heard, say};
use crate::error::DemoError;
use crate::script::story;

/// Longest text of an answer that is shown, in characters.
const SHOWN: usize = 300;

pub(super) async fn perform(
    network: &Network,
    variable: &dyn Fn(&'static str) -> Option<String>,
    out: &mut impl Write,
) -> Result<(), DemoError> {
    let session = variable("REEVE_SESSION").unwrap_or_else(|| "unknown".to_owned());
    say(out, &format!("demo agent: session {session}, through the proxy at {}", network.proxy().place()))?;

    let key = variable(story::MODEL_KEY_VARIABLE).unwrap_or_else(|| "demo-own-login".to_owned());
    say(out, &format!("1. asking {} for a summary (streamed)", story::MODEL))?;
    let heard = ask_model(network, &key, story::QUESTION, 200).await?;
    say(out, &told("the model says", &heard))?;

    let token = variable(story::TOKEN_VARIABLE).ok_or(DemoError::NoVariable(story::TOKEN_VARIABLE))?;
    say(out, &format!("2. asking {} who I am; all I hold is the placeholder {token}", story::API_HOST))?;
    let bearer = format!("Bearer {token}");
    let heard = plain(network, Method::GET, story::API_HOST, story::WHO_AM_I, Some(&bearer)).await?;
    say(out, &told("the service says", &heard))?;

    say(out, &format!("3. sending notes to {}", story::FORBIDDEN_HOST))?;
    let heard = plain(network, Method::POST, story::FORBIDDEN_HOST, "/upload", None).await?;
    say(out, &told("the host says", &heard))?;

    say(
        out,
        &format!(
            "4. deleting https://{}{} (somebody may want to look at that first)",
            story::HELD_HOST,
            story::HELD_PATH
        ),
    )?;
    let asked = Instant::now();
    let heard = plain(network, Method::DELETE, story::HELD_HOST, story::HELD_PATH, None).await?;
    say(out, &format!("   answered after {:.1} s", asked.elapsed().as_secs_f64()))?;
    say(out, &told("the host says", &heard))?;

    say(out, &format!("5. sending {} a text too long for what this session may spend", story::MODEL))?;
    let heard = ask_model(network, &key, &story::long_question(), 4096).await?;
    say(out, &told("the model says", &heard))
}

fn told(who: &str, heard: &Heard) -> String {
    let whole = heard.text.trim();
    let mut text: String = whole.chars().take(SHOWN).collect();
    if text.len() < whole.len() {
        text.push_str("[…]");
    }
    if heard.refused() {
        format!("   refused ({}): {text}", heard.status)
    } else {
        format!("   {who} ({}): {text}", heard.status)
    }
}

/// Anthropic Messages, streamed; gives the joined text, or the words of a refusal.
async fn ask_model(network: &Network, key: &str, question: &str, output_limit: u64) -> Result<Heard, DemoError> {
    let body = json!({
        "model": story::MODEL,
        "max_tokens": output_limit,
        "stream": true,
        "messages": [{ "role": "user", "content": question }],
    });
    let request = Request::post(format!("https://{}/v1/messages", story::MODEL_HOST))
        .header("x-api-key", key)
        .header("anthropic-version", "2023-06-01")
        .header("content-type", "application/json")
        .header("user-agent", "reeve-demo-agent")
        .body(Full::from(body.to_string()))?;
    let (status, body) = exchange(network, request).await?;
    let text = if status == 200 { streamed_text(&body) } else { refusal(&body) };
    Ok(Heard { status, text })
}

async fn plain(
    network: &Network,
    method: Method,
    host: &str,
    path: &str,
    authorization: Option<&str>,
) -> Result<Heard, DemoError> {
    let mut request = Request::builder()
        .method(&method)
        .uri(format!("https://{host}{path}"))
        .header("user-agent", "reeve-demo-agent");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    let content = if method == Method::POST { "notes of the demo agent" } else { "" };
    let (status, body) = exchange(network, request.body(Full::from(content))?).await?;
    let text = if status >= 400 { refusal(&body) } else { body };
    Ok(Heard { status, text })
}

async fn exchange(network: &Network, request: Request<Full<Bytes>>) -> Result<(u16, String), DemoError> {
    let response = network.send(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The text deltas of a stream, joined; an error event is told as such.
fn streamed_text(stream: &str) -> String {
    let mut text = String::new();
    for event in stream.lines().filter_map(|line| line.strip_prefix("data:")) {
        let event: Value = serde_json::from_str(event.trim()).unwrap_or_default();
        text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        text.push_str(event["error"]["message"].as_str().unwrap_or_default());
    }
    text
}

/// The message inside an error body, or the body where it has no known shape.
fn refusal(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let places = [&json["error"]["message"], &json["detail"], &json["message"]];
    places.into_iter().find_map(Value::as_str).map_or_else(|| body.to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_told_as_its_text_and_its_errors() {
        let stream = "event: a\ndata: {\"delta\":{\"text\":\"one \"}}\n\ndata: {\"delta\":{\"text\":\"two\"}}\n\nevent: error\ndata: {\"error\":{\"message\":\": stopped\"}}\n\n";
        assert_eq!(streamed_text(stream), "one two: stopped");
    }

    #[test]
    fn a_refusal_is_told_by_its_message_or_as_it_is() {
        assert_eq!(refusal(r#"{"error":{"message":"no"}}"#), "no");
        assert_eq!(refusal(r#"{"title":"Denied","detail":"no"}"#), "no");
        assert_eq!(refusal("plainly no"), "plainly no");
    }
}
