//! Prices against the shipped table and against properties that must hold for every table.

use std::sync::OnceLock;

use proptest::prelude::*;

use super::*;
use crate::money::NanoUsd;
use crate::operation::{Billing, Dialect, ServerTool};

const SHIPPED: &str = include_str!("../../../../data/model_prices.json");

fn table() -> &'static PriceTable {
    static TABLE: OnceLock<PriceTable> = OnceLock::new();
    TABLE.get_or_init(|| PriceTable::parse("model_prices.json", SHIPPED).unwrap())
}

fn priced(provider: &str, model: &str) -> ModelPrice {
    table().find(provider, model).unwrap().1.clone()
}

fn call(provider: &str, model: &str) -> LlmCall {
    let endpoint = serde_json::json!({
        "scheme": "https", "host": "api.example.com", "port": 443, "method": "POST", "path": "/v1/messages",
    });
    LlmCall {
        endpoint: serde_json::from_value(endpoint).unwrap(),
        dialect: Dialect::AnthropicMessages,
        provider: provider.to_owned(),
        model: model.to_owned(),
        stream: true,
        input_bound: 10_000,
        cache_write_bound: 0,
        cache_one_hour: false,
        output_limit: Some(1_000),
        candidates: 1,
        question: None,
        stage: None,
        thinking_budget: None,
        tools_offered: Vec::new(),
        server_tools: Vec::new(),
        service_tier: None,
        multipliers: Vec::new(),
        billing: Billing::Metered,
        body_bytes: 40_000,
    }
}

fn nano(dollars: Decimal) -> i64 {
    NanoUsd::round_half_even(dollars).0
}

#[test]
fn the_shipped_table_loads_with_its_date() {
    assert_eq!(table().date(), "2026-11-20");
    assert_eq!(table().len(), 3441);
}

#[test]
fn what_claude_code_billed_for_a_cached_call_is_what_the_table_gives() {
    let usage = Usage { input: 1200, cache_write: 300, cache_read: 8000, output: 57, ..Usage::default() };
    assert_eq!(nano(priced("anthropic", "claude-opus-4-8").cost(&usage)), 13_300_000);
}

#[test]
fn a_model_is_found_under_the_names_that_travel_on_the_wire() {
    for (provider, model, key) in [
        ("anthropic", "claude-opus-4-8", "claude-opus-4-8"),
        ("anthropic", "claude-opus-4-8-20260401", "claude-opus-4-8"),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5-20250929"),
        ("anthropic", "claude-sonnet-4-5-latest", "claude-sonnet-4-5"),
        ("anthropic", "claude-sonnet-4-5[1m]", "claude-sonnet-4-5"),
        ("openai", "gpt-5.1-2025-11-13", "gpt-5.1-2025-11-13"),
        ("openai", "gpt-5.1-2026-01-01", "gpt-5.1"),
        ("openai", "GPT-6.1-SOL", "gpt-6.1-sol"),
        ("openai", "gpt-4o-audio-preview", "gpt-4o-audio-preview-2025-06-03"),
        ("gemini", "gemini-2.5-pro", "gemini/gemini-2.5-pro"),
        ("gemini", "models/gemini-2.5-flash-001", "gemini/gemini-2.5-flash"),
        ("github_copilot", "claude-opus-4.8", "claude-opus-4-8"),
        ("github_copilot", "gpt-5.1", "gpt-5.1"),
    ] {
        assert_eq!(table().find(provider, model).map(|(key, _)| key), Some(key), "{provider} {model}");
    }
}

#[test]
fn a_model_is_never_taken_for_one_of_another_family_or_provider() {
    for (provider, model) in [
        ("openai", "gpt-5.1-codex-maximal"),
        ("openai", "gpt-5.1x"),
        ("openai", "gpt"),
        ("openai", ""),
        ("openai", "claude-opus-4-8"),
        ("anthropic", "claude-opus"),
        ("anthropic", "claude-opus-4"),
        ("acme", "gpt-5.1"),
        ("gemini", "gemini-2.5"),
        ("github_copilot", "grok-4"),
    ] {
        assert!(table().find(provider, model).is_none(), "{provider} {model}");
    }
}

#[test]
fn no_price_and_a_price_of_zero_are_unknown_and_not_free() {
    assert!(table().models.contains_key("azure/gpt-live-1"));
    assert!(table().find("azure", "gpt-live-1").is_none());
    assert!(table().find("gemini", "gemini-exp-1206").is_none());
}

#[test]
fn a_long_input_is_charged_at_the_higher_price_as_a_whole() {
    let price = priced("gemini", "gemini-2.5-pro");
    let at = |input, cache_read| nano(price.cost(&Usage { input, cache_read, output: 1_000, ..Usage::default() }));
    // 200,000 × $1.25 + 1,000 × $10 per million; one token more: $2.50 and $15.
    assert_eq!(at(200_000, 0), 260_000_000);
    assert_eq!(at(200_001, 0), 515_002_500);
    // Cached tokens count towards the threshold.
    assert_eq!(at(200_000, 1), 515_000_250);
}

#[test]
fn xai_reaches_its_long_prices_at_the_threshold_and_the_others_above_it() {
    let text = |provider: &str| {
        format!(
            r#"{{"_source": {{"extracted": "2026-01-01"}}, "models": {{"m": {{"provider": "{provider}", "input": "1", "output": "1",
            "tiers": [{{"above_input_tokens": 10, "input": "2"}}]}}}}}}"#
        )
    };
    let ten = Usage { input: 10, ..Usage::default() };
    for (provider, dollars) in [("xai", 20), ("openai", 10)] {
        let table = PriceTable::parse("t", &text(provider)).unwrap();
        assert_eq!(table.find(provider, "m").unwrap().1.cost(&ten), Decimal::from(dollars));
    }
}

#[test]
fn service_tiers_multipliers_and_searches_are_part_of_the_price() {
    let sol = priced("openai", "gpt-6.1-sol");
    let usage = Usage { input: 1_000, output: 100, ..Usage::default() };
    assert_eq!(nano(sol.cost(&usage)), 3_000_000);
    let tier = |name: &str| Usage { service_tier: Some(name.to_owned()), ..usage.clone() };
    assert_eq!(nano(sol.cost(&tier("priority"))), 6_000_000);
    assert_eq!(nano(sol.cost(&tier("flex"))), 1_500_000);
    assert_eq!(nano(sol.cost(&tier("default"))), 3_000_000);
    let opus = priced("anthropic", "claude-opus-4-8");
    let us_fast = Usage { multipliers: vec!["us".into(), "fast".into()], web_searches: 2, ..usage };
    // (1,000 × 5 + 100 × 25) µ$ × 1.1 × 2 + 2 × $0.01
    assert_eq!(nano(opus.cost(&us_fast)), 36_500_000);
}

#[test]
fn reasoning_without_a_price_of_its_own_costs_as_output() {
    let price = priced("anthropic", "claude-opus-4-8");
    let apart = Usage { output: 10, reasoning: 90, ..Usage::default() };
    let together = Usage { output: 100, ..Usage::default() };
    assert_eq!(price.cost(&apart), price.cost(&together));
}

#[test]
fn a_bad_price_file_is_refused_with_file_model_and_place() {
    let with =
        |models: &str| format!("{{\"_source\": {{\"extracted\": \"2026-01-01\"}}, \"models\": {{\n{models}\n}}}}");
    for (models, said) in [
        (r#""a": {"provider": "p", "input": 0.000001, "output": "1"}"#, "model `a`"),
        (r#""a": {"provider": "p", "input": "1e-6", "output": "1"}"#, "`1e-6` is not an amount"),
        (r#""a": {"provider": "p", "input": "-1", "output": "1"}"#, "`-1` is not an amount"),
        (r#""a": {"input": "1"}"#, "missing field `provider`"),
        ("\"a\": {\"provider\": \"p\"},\n\"a\": {\"provider\": \"p\"}", "model `a` is there twice"),
        (r#""a": {"provider": "p""#, "line"),
    ] {
        let error = PriceTable::parse("prices.json", &with(models)).unwrap_err().to_string();
        assert!(error.starts_with("price file `prices.json` does not load: "), "{error}");
        assert!(error.contains(said), "{error}");
        assert!(error.contains(" at line "), "{error}");
    }
    let error =
        PriceTable::parse("p", &with("\"good\": {\"provider\": \"p\"},\n\"bad\": {\"provider\": 1}")).unwrap_err();
    assert!(error.problem.contains("model `bad`") && error.problem.contains("line 3"), "{error}");
}

#[test]
fn a_bound_counts_every_candidate_and_every_search_at_its_cap() {
    let price = priced("anthropic", "claude-opus-4-8");
    let mut call = call("anthropic", "claude-opus-4-8");
    // 10,000 × $5 + 1,000 × $25 per million
    assert_eq!(nano(price.bound(&call, None)), 75_000_000);
    call.candidates = 3;
    assert_eq!(nano(price.bound(&call, None)), 125_000_000);
    call.server_tools = vec![
        ServerTool { name: "web_search".into(), max_uses: Some(2) },
        ServerTool { name: "web_search".into(), max_uses: None },
        ServerTool { name: "file_search".into(), max_uses: None },
    ];
    assert_eq!(nano(price.bound(&call, None)), 245_000_000);
}

#[test]
fn a_call_without_a_limit_is_bound_by_what_the_model_can_write() {
    let price = priced("anthropic", "claude-opus-4-8");
    let mut call = call("anthropic", "claude-opus-4-8");
    call.output_limit = None;
    assert_eq!(price.bound(&call, None), price.bound(&call, Some(128_000)));
}

#[test]
fn what_a_request_only_names_is_bound_by_the_window() {
    let price = priced("anthropic", "claude-sonnet-4-5");
    let mut call = call("anthropic", "claude-sonnet-4-5");
    call.input_bound = 3_000_000;
    assert_eq!(price.input_bound(&call), 200_000);
    call.body_bytes = 1_000_000;
    assert_eq!(price.input_bound(&call), 1_000_000);
}

#[test]
fn an_absurd_limit_is_an_absurd_bound() {
    let price = priced("anthropic", "claude-opus-4-8");
    let mut call = call("anthropic", "claude-opus-4-8");
    call.candidates = u64::MAX;
    assert_eq!(NanoUsd::round_up(price.bound(&call, Some(u64::MAX))), NanoUsd::MAX);
}

#[test]
fn the_affordable_output_is_the_largest_that_fits() {
    let price = priced("anthropic", "claude-opus-4-8");
    let call = call("anthropic", "claude-opus-4-8");
    let cents = |n| Decimal::new(n, 2);
    assert_eq!(price.affordable_output(&call, cents(4)), None);
    assert_eq!(price.affordable_output(&call, cents(5)), Some(0));
    assert_eq!(price.affordable_output(&call, cents(10)), Some(2_000));
}

prop_compose! {
    fn some_call()(
        model in prop::sample::select(vec![
            ("anthropic", "claude-opus-4-8"), ("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-6.1-sol"),
            ("openai", "gpt-4o-audio-preview"), ("gemini", "gemini-2.5-pro"), ("gemini", "gemini-2.5-flash"),
        ]),
        input_bound in 0_u64..2_000_000,
        body_bytes in 0_u64..4_000_000,
        written in 0_u64..2_000_000,
        cache_one_hour: bool,
        limit in prop::option::of(0_u64..200_000),
        candidates in 1_u64..4,
        uses in prop::option::of(0_u64..20),
        service in prop::sample::select(vec![None, Some("auto"), Some("priority"), Some("flex"), Some("batch"), Some("ultrafast")]),
        multipliers in prop::sample::subsequence(vec!["us".to_owned(), "fast".into(), "region_eu".into()], 0..=3),
    ) -> LlmCall {
        let mut call = call(model.0, model.1);
        call.input_bound = input_bound;
        call.body_bytes = body_bytes;
        call.cache_write_bound = written.min(input_bound);
        call.cache_one_hour = cache_one_hour;
        call.output_limit = limit;
        call.candidates = candidates;
        call.server_tools = uses.map(|n| ServerTool { name: "web_search".into(), max_uses: Some(n) }).into_iter().collect();
        call.service_tier = service.map(str::to_owned);
        call.multipliers = multipliers;
        call
    }
}

/// Splits `total` into parts by weights, never above it.
fn split(total: u64, weights: &[u16]) -> Vec<u64> {
    let sum: u64 = weights.iter().map(|w| u64::from(*w)).sum::<u64>().max(1);
    weights.iter().map(|w| u64::try_from(u128::from(total) * u128::from(*w) / u128::from(sum)).unwrap()).collect()
}

proptest! {
    #[test]
    fn nothing_within_the_bounds_of_a_call_costs_more_than_its_bound(
        call in some_call(),
        used in 0_u16..=100,
        ins in prop::array::uniform6(0_u16..100),
        outs in prop::array::uniform3(0_u16..100),
        plain_service: bool,
    ) {
        let price = priced(&call.provider, &call.model);
        let part = |n: u64| n / 100 * u64::from(used);
        let input = split(part(price.input_bound(&call)), &ins);
        let limit = call.output_limit.unwrap_or_else(|| price.default_output_limit()) * call.candidates;
        let output = split(part(limit), &outs);
        let mut usage = Usage {
            input: input[0], cache_read: input[1], cache_write: input[2], cache_write_1h: input[3],
            audio_input: input[4], audio_cache_read: input[5],
            output: output[0], reasoning: output[1], audio_output: output[2],
            web_searches: call.server_tools.iter().filter_map(|t| t.max_uses).map(part).sum(),
            service_tier: call.service_tier.clone().filter(|_| !plain_service),
            multipliers: call.multipliers.clone(),
        };
        // Only what the request lets be written to a cache can be.
        if !call.cache_one_hour {
            usage.input += std::mem::take(&mut usage.cache_write_1h);
        }
        for written in [&mut usage.cache_write, &mut usage.cache_write_1h] {
            let kept = (*written).min(call.cache_write_bound / 2);
            usage.input += *written - kept;
            *written = kept;
        }
        prop_assert!(price.cost(&usage) <= price.bound(&call, None), "{usage:?}");
        let settled = NanoUsd::round_half_even(price.cost(&usage));
        prop_assert!(settled <= NanoUsd::round_up(price.bound(&call, None)));
    }

    #[test]
    fn an_affordable_output_fits_and_one_token_more_does_not(call in some_call(), cents in 0_i64..10_000) {
        let price = priced(&call.provider, &call.model);
        let dollars = Decimal::new(cents, 2);
        match price.affordable_output(&call, dollars) {
            None => prop_assert!(price.bound(&call, Some(0)) > dollars),
            Some(tokens) => {
                prop_assert!(price.bound(&call, Some(tokens)) <= dollars);
                prop_assert!(price.bound(&call, Some(tokens + 1)) > dollars);
            }
        }
    }
}
