//! Whole requests and answers of every dialect: what is read from them, and what they cost, to the nano-dollar.
//! A pair is `<name>.request.json` (URL, headers, and the body as it travels) and `<name>.response.{json,sse}`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests may")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use http::{HeaderMap, HeaderName, HeaderValue};
use reeve_domain::host::Host;
use reeve_domain::money::NanoUsd;
use reeve_domain::operation::{Billing, Endpoint, LlmCall, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::price::PriceTable;
use reeve_protocol::{Classified, Meter, Metered, Providers, RequestHead, classify};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Recorded {
    url: String,
    headers: BTreeMap<String, String>,
    body: Box<RawValue>,
}

struct Golden {
    name: String,
    request: Recorded,
    response: Vec<u8>,
}

fn goldens() -> Vec<Golden> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut paths: Vec<PathBuf> = Vec::new();
    for dialect in std::fs::read_dir(&root).unwrap() {
        let dialect = dialect.unwrap().path();
        paths.extend(std::fs::read_dir(&dialect).unwrap().map(|file| file.unwrap().path()));
    }
    paths.retain(|path| path.to_string_lossy().ends_with(".request.json"));
    paths.sort();
    let read = |path: &PathBuf| {
        let start = path.to_string_lossy().replace(".request.json", "");
        let response = ["json", "sse"].iter().find_map(|kind| std::fs::read(format!("{start}.response.{kind}")).ok());
        Golden {
            name: start.rsplit('/').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("__"),
            request: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
            response: response.unwrap(),
        }
    };
    paths.iter().map(read).collect()
}

fn prices() -> PriceTable {
    PriceTable::parse("model_prices.json", include_str!("../../../data/model_prices.json")).unwrap()
}

fn head(request: &Recorded) -> RequestHead {
    let url = request.url.strip_prefix("https://").unwrap();
    let (target, query) = url.split_once('?').map_or((url, None), |(target, query)| (target, Some(query.to_owned())));
    let (host, path) = target.split_at(target.find('/').unwrap());
    let headers: HeaderMap = request
        .headers
        .iter()
        .map(|(name, value)| (HeaderName::from_str(name).unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect();
    let endpoint = Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(host).unwrap(),
        port: 443,
        method: "POST".to_owned(),
        path: RequestPath::parse(path).unwrap(),
    };
    RequestHead { endpoint, query, headers }
}

fn read(golden: &Golden) -> (Classified, LlmCall) {
    let body = golden.request.body.get().as_bytes();
    let classified = classify(&head(&golden.request), Some(body), &Providers::new()).unwrap();
    let Subject::Llm(call) = classified.subject.clone() else { panic!("{} is not a call", golden.name) };
    (classified, call)
}

fn meter(call: &LlmCall, answer: &[u8], size: usize) -> Metered {
    let mut meter = Meter::new(call);
    for piece in answer.chunks(size) {
        meter.feed(piece);
    }
    meter.finish()
}

/// Facts, usage and cost as the snapshots hold them.
fn told(prices: &PriceTable, golden: &Golden) -> Value {
    let (classified, call) = read(golden);
    let metered = meter(&call, &golden.response, usize::MAX);
    let (key, price) = prices.find(&call.provider, &call.model).unwrap();
    let cost = metered.usage.as_ref().map(|usage| NanoUsd::round_half_even(price.cost(usage)).0);
    let mut facts = serde_json::to_value(&call).unwrap();
    // Told by the request's own file.
    facts.as_object_mut().unwrap().remove("endpoint");
    json!({
        "summary": classified.summary,
        "conversation": classified.conversation,
        "facts": facts,
        "metered": {
            "usage": metered.usage,
            "usage_final": metered.usage_final,
            "counted_output": metered.counted_output,
            "tool_calls": metered.tool_calls,
            "served_model": metered.served_model,
            "error": metered.error,
            "unread": metered.unread,
        },
        "price": key,
        "reserved_nano_usd": NanoUsd::round_up(price.bound(&call, None)).0,
        "list_price_nano_usd": cost,
    })
}

#[test]
fn facts_usage_and_cost_of_every_golden_are_as_recorded() {
    let prices = prices();
    for golden in goldens() {
        insta::with_settings!({ snapshot_path => "../testdata/snapshots", prepend_module_to_snapshot => false, omit_expression => true, sort_maps => true }, {
            insta::assert_json_snapshot!(golden.name.clone(), told(&prices, &golden));
        });
    }
}

#[test]
fn no_golden_settles_above_its_reservation() {
    let prices = prices();
    let goldens = goldens();
    assert!(goldens.len() >= 30);
    for golden in goldens {
        let (_, call) = read(&golden);
        let metered = meter(&call, &golden.response, usize::MAX);
        let (_, price) = prices.find(&call.provider, &call.model).unwrap();
        let Some(usage) = metered.usage else { continue };
        let (settled, reserved) =
            (NanoUsd::round_half_even(price.cost(&usage)), NanoUsd::round_up(price.bound(&call, None)));
        assert!(settled <= reserved, "{}: {settled:?} > {reserved:?}", golden.name);
        assert!(usage.total_input() <= price.input_bound(&call), "{}", golden.name);
        assert!(settled.0 > 0, "{}", golden.name);
    }
}

#[test]
fn an_answer_meters_the_same_in_any_pieces() {
    for golden in goldens() {
        let (_, call) = read(&golden);
        let whole = meter(&call, &golden.response, usize::MAX);
        for size in [1, 7, 100, 4_096] {
            assert_eq!(meter(&call, &golden.response, size), whole, "{} in pieces of {size}", golden.name);
        }
    }
}

#[test]
fn a_stream_cut_anywhere_is_never_taken_for_a_whole_one_and_never_counts_more() {
    for golden in goldens().iter().filter(|golden| golden.name.contains("stream")) {
        let (_, call) = read(golden);
        let whole = meter(&call, &golden.response, usize::MAX);
        let mut became_final = false;
        for cut in (0..golden.response.len()).step_by(23) {
            let metered = meter(&call, &golden.response[..cut], usize::MAX);
            assert!(metered.counted_output <= whole.counted_output, "{}", golden.name);
            assert!(!became_final || metered.usage_final, "{}", golden.name);
            became_final = metered.usage_final;
            if metered.usage_final {
                assert_eq!(metered.usage, whole.usage, "{}", golden.name);
            }
        }
    }
}

#[test]
fn only_flat_rate_logins_cost_nothing() {
    let flat: Vec<String> = goldens()
        .iter()
        .filter(|golden| read(golden).1.billing == Billing::FlatRate)
        .map(|golden| golden.name.clone())
        .collect();
    let expected =
        ["anthropic__oauth-flat-rate", "gemini_code_assist__text-stream", "openai_responses__chatgpt-login-stream"];
    assert_eq!(flat, expected);
}

#[test]
fn every_golden_can_be_rewritten_and_still_asks_the_same() {
    for golden in goldens() {
        let (classified, call) = read(&golden);
        let body = golden.request.body.get().as_bytes();
        let tokens = call.thinking_budget.map_or(77, |budget| budget + 1);
        let lower = reeve_protocol::rewrite::output_limit(call.dialect, body, tokens).unwrap();
        let asked = reeve_protocol::rewrite::include_usage(call.dialect, &lower).unwrap().unwrap_or(lower);
        let again = classify(&head(&golden.request), Some(&asked), &Providers::new()).unwrap();
        assert_eq!(again.content, classified.content, "{}", golden.name);
        let Subject::Llm(again) = again.subject else { panic!("not a call") };
        assert_eq!(again.output_limit, Some(tokens), "{}", golden.name);
    }
}
