//! The grammar: what it takes, what it names as a problem, and that printing and parsing are inverse.

use chrono::{DateTime, Utc};
use proptest::prelude::*;

use super::key::Kind;
use super::*;

fn clean(text: &str) -> Query {
    let parsed = parse(text);
    assert_eq!(parsed.problems, [], "{text}");
    parsed.query
}

fn problems(text: &str) -> Vec<(std::ops::Range<usize>, Option<String>)> {
    parse(text).problems.into_iter().map(|problem| (problem.at, problem.nearest)).collect()
}

#[test]
fn the_examples_of_the_design_parse_and_print() {
    for (text, printed) in [
        ("", ""),
        ("decision:denied since:7d", "decision:denied since:7d"),
        ("is:first-seen host:*", "is:first_seen host:*"),
        ("kind:llm cost:>0.5 -agent:codex", "kind:llm cost:>0.5 -agent:codex"),
        ("tool:github.* (status:>=400 OR error:*)", "tool:github.* (status:>=400 OR error:*)"),
        ("latency:1s..10s model:\"claude-*\"", "latency:1s..10s model:claude-*"),
        (
            "agent:claude-code decision:(denied,held) host:*.github.com cost:>0.05",
            "agent:claude-code decision:(denied,held) host:*.github.com cost:>0.05",
        ),
        ("a AND b or NOT c", "a b OR -c"),
        ("KIND:LLM Decision:Would-Deny", "kind:llm decision:would_deny"),
        ("tokens.in:>8.1k tokens.out:2m cost:$1.50", "tokens.in:>8100 tokens.out:2000000 cost:1.5"),
        ("((a)) ((b c))", "a b c"),
        ("-(a b) -(-c)", "-(a b) -(-c)"),
        ("agent:=codex model:!=gpt-5", "agent:codex -model:gpt-5"),
        ("latency:>=90000ms latency:<1500ms", "latency:>=90s latency:<1500ms"),
        ("since:2026-11-20T10:00 before:2026-11-21", "since:2026-11-20T10:00:00.000Z before:2026-11-21T00:00:00.000Z"),
        ("\"two words\" \"or\" \"a:b\" \"-x\"", "\"two words\" \"or\" \"a:b\" \"-x\""),
        ("risk:>=high risk:(low,medium)", "risk:>=high risk:(low,medium)"),
        ("path:\"/a b\\\"c\\\\ \\*\"", "path:\"/a b\\\"c\\\\ \\*\""),
        ("cost:\"1\"..2 cost:1..\"2\"", "cost:1..2 cost:1..2"),
        ("error:\"\"", "error:\"\""),
    ] {
        assert_eq!(clean(text).to_string(), printed, "{text}");
    }
}

#[test]
fn precedence_is_not_then_and_then_or() {
    let text = |word: &str| Query::Text(Pattern::exact(word));
    let expected = Query::Or(vec![Query::And(vec![text("a"), Query::Not(Box::new(text("b")))]), text("c")]);
    assert_eq!(clean("a -b OR c"), expected);
}

#[test]
fn what_is_not_understood_is_named_with_its_place_and_the_rest_still_runs() {
    let parsed = parse("kind:llm agnet:codex cost:>1");
    assert_eq!(parsed.query.to_string(), "kind:llm cost:>1");
    assert_eq!(parsed.problems[0].at, 9..15);
    assert_eq!(parsed.problems[0].nearest.as_deref(), Some("agent"));
    for (text, rest) in [
        ("cost:abc x", "x"),
        ("status:4xx x", "x"),
        ("decision:blocked x", "x"),
        ("agent:>x y", "y"),
        ("path:a..b y", "y"),
        ("host:a*b y", "y"),
        ("agent: x", "x"),
        ("agent:() x", "x"),
        ("agent:(a,) x", "x"),
        ("latency:>5 x", "x"),
        ("since:>7d x", "x"),
        ("a OR", "a"),
        ("OR a", "a"),
        ("a -", "a"),
        ("(a", "a"),
        ("a) b", "a b"),
        ("() a", "a"),
        ("\"a", "a"),
        ("agent:(a", "agent:a"),
        ("tokens.in:1.5 x", "x"),
        ("cost:-1 x", "x"),
        ("foo:(a,b) x", "x"),
        ("foo:>=1 x", "x"),
        ("risk:>h* x", "x"),
        ("cost>0.0001 x", "x"),
        ("model=gpt-5 x", "x"),
        ("status>=400 x", "x"),
        ("-latency<5s x", "x"),
    ] {
        let parsed = parse(text);
        assert_eq!(parsed.query.to_string(), rest, "{text}");
        assert!(!parsed.problems.is_empty(), "{text}");
    }
}

#[test]
fn positions_are_bytes_of_the_text() {
    assert_eq!(problems("ü zzzzzz:x"), [(3..10, None)]);
    assert_eq!(problems("a)"), [(1..2, None)]);
    assert_eq!(problems("x cost>0.5"), [(2..10, Some("cost:>0.5".to_owned()))]);
    assert_eq!(problems("\"cost>0.5\" a>b"), []);
}

#[test]
fn hostile_texts_end_quickly_and_without_a_crash() {
    for text in [
        "(".repeat(4096),
        ")".repeat(4096),
        "-".repeat(4096),
        "a OR ".repeat(800),
        "\"".repeat(4095),
        "agent:(".repeat(500),
        "a:".repeat(2000),
        "x".repeat(1 << 20),
        "((((\"(\\".repeat(500),
        "cost:".to_owned() + &"9".repeat(4000),
        "since:999999999999999999d".to_owned(),
    ] {
        let query = parse(&text).query;
        let printed = query.to_string();
        if printed.len() <= LONGEST {
            assert_eq!(clean(&printed), query);
        }
    }
}

#[test]
fn a_pattern_is_open_only_where_it_says_so() {
    let yes = |pattern: &str, value: &str| match clean(&format!("host:{pattern}")) {
        Query::Field(Key::Host, Test::Is(Value::Pattern(pattern))) => pattern.matches(value),
        other => panic!("{other:?}"),
    };
    assert!(yes("*.github.com", "api.GitHub.com"));
    assert!(!yes("*.github.com", "github.com"));
    assert!(yes("api.*", "api.github.com"));
    assert!(yes("*git*", "api.github.com"));
    assert!(!yes("github.com", "api.github.com"));
    assert!(yes("*", "anything"));
    assert!(!yes("ü*", "u"));
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{1,8}",
        "[ -~]{0,12}",
        "\\PC{0,8}",
        Just("or".to_owned()),
        Just("a..b".to_owned()),
        Just("-x".to_owned()),
        Just(">1".to_owned()),
        Just("agent:x".to_owned()),
        Just("*\\\"".to_owned()),
        Just("\n\t\u{0}".to_owned()),
    ]
}

fn any_pattern() -> impl Strategy<Value = Pattern> {
    (any::<bool>(), any_text(), any::<bool>()).prop_map(|(open_start, text, open_end)| {
        let any = text.is_empty() && (open_start || open_end);
        Pattern { open_start: open_start || any, text, open_end: open_end || any }
    })
}

fn any_moment() -> impl Strategy<Value = Moment> {
    prop_oneof![
        (0..u64::MAX / 2).prop_map(Moment::Ago),
        (0..4_000_000_000_000_i64).prop_map(|ms| Moment::At(DateTime::<Utc>::from_timestamp_millis(ms).unwrap())),
    ]
}

fn any_value(key: Key) -> BoxedStrategy<Value> {
    match key.kind() {
        Kind::Text => any_pattern().prop_map(Value::Pattern).boxed(),
        Kind::Word(words) | Kind::Rank(words) => {
            proptest::sample::select(words).prop_map(|word| Value::Pattern(Pattern::exact(word))).boxed()
        }
        Kind::Number | Kind::Tokens => any::<u64>().prop_map(Value::Number).boxed(),
        Kind::Money => (0..=i64::MAX).prop_map(|nano| Value::Money(NanoUsd(nano))).boxed(),
        Kind::Duration => any::<u64>().prop_map(Value::Duration).boxed(),
        Kind::Time => any_moment().prop_map(Value::Time).boxed(),
    }
}

fn any_field() -> impl Strategy<Value = Query> {
    let ops = [Op::Less, Op::LessOrEqual, Op::Greater, Op::GreaterOrEqual];
    proptest::sample::select(Key::ALL).prop_flat_map(move |key| {
        let is = any_value(key).prop_map(Test::Is);
        let test = if key.kind() == Kind::Time {
            is.boxed()
        } else {
            let list = proptest::collection::vec(any_value(key), 2..4).prop_map(Test::OneOf);
            if key.kind().is_ordered() {
                let compare = (proptest::sample::select(ops.to_vec()), any_value(key));
                let range = (any_value(key), any_value(key));
                prop_oneof![
                    is,
                    list,
                    compare.prop_map(|(op, value)| Test::Compare(op, value)),
                    range.prop_map(|(from, to)| Test::Range(from, to)),
                ]
                .boxed()
            } else {
                prop_oneof![is, list].boxed()
            }
        };
        test.prop_map(move |test| Query::Field(key, test))
    })
}

fn any_query() -> impl Strategy<Value = Query> {
    let leaf = prop_oneof![any_pattern().prop_map(Query::Text), any_field()];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::and),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Query::or),
            inner.prop_map(|query| Query::Not(Box::new(query))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_printed_parses_to_itself(query in any_query()) {
        let text = query.to_string();
        prop_assume!(text.len() <= LONGEST);
        let parsed = parse(&text);
        prop_assert_eq!(parsed.problems, vec![], "{}", text);
        prop_assert_eq!(parsed.query, query, "{}", text);
    }

    #[test]
    fn any_text_parses_to_something_that_prints_and_parses(text in "[a-z:()\"*<>=!., \\\\-]{0,60}|\\PC{0,60}") {
        let query = parse(&text).query;
        let again = parse(&query.to_string());
        prop_assert_eq!(again.problems, vec![], "{} -> {}", text, query);
        prop_assert_eq!(again.query, query);
    }
}
