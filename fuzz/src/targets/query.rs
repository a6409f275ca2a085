//! The query grammar of the timeline: never fails, names only what is there, and what it prints means the same.

use reeve_domain::query::{Query, parse};

use super::{Target, behaviour, roughly, words};

pub(super) fn target() -> Target {
    let words = words(&[
        "agent:",
        "kind:llm",
        "decision:",
        "denied",
        "host:*.example.com",
        "cost:>0.10",
        "tokens:1000..2000",
        "-",
        "not ",
        " or ",
        " and ",
        "OR",
        "(",
        ")",
        "\"",
        "\\\"",
        "since:2h",
        "until:2026-01-01",
        "..",
        ">=",
        "<",
        ":",
        ",",
        "*",
        "model:claude*",
        "session:ses_",
        "text",
        "took:>5s",
        "\u{202e}",
        "é",
        "(((((((((((((((((((((((((((((((((",
        "a,b,c",
    ]);
    Target { name: "query", seeds: Vec::new(), words, longest: 1200, run: Box::new(run) }
}

fn run(input: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(input);
    let parsed = parse(&text);
    for problem in &parsed.problems {
        assert!(text.get(problem.at.clone()).is_some(), "a problem at {:?}, which is no part of the text", problem.at);
        assert!(!problem.message.is_empty(), "a problem without words");
    }
    let printed = parsed.query.to_string();
    let again = parse(&printed);
    assert!(again.problems.is_empty(), "what is printed has problems: {printed:?} {:?}", again.problems);
    assert_eq!(again.query, parsed.query, "what is printed means something else: {printed:?}");
    assert_eq!(again.query.to_string(), printed, "what is printed prints otherwise");
    let first =
        parsed.problems.first().map(|problem| problem.message.chars().filter(|c| c.is_ascii_alphabetic()).take(16));
    let first: String = first.into_iter().flatten().collect();
    behaviour(&format!("{} {first} {}", shape(&parsed.query, 3), roughly(parsed.problems.len())))
}

/// The query without its values.
fn shape(query: &Query, depth: u32) -> String {
    let list = |parts: &[Query]| match depth.checked_sub(1) {
        Some(depth) => parts.iter().take(3).map(|part| shape(part, depth)).collect::<Vec<_>>().join(","),
        None => String::new(),
    };
    match query {
        Query::All => "all".to_owned(),
        Query::And(parts) => format!("and({})", list(parts)),
        Query::Or(parts) => format!("or({})", list(parts)),
        Query::Not(part) => format!("not({})", list(std::slice::from_ref(part.as_ref()))),
        Query::Field(key, test) => format!("{key:?}{:.6}", format!("{test:?}")),
        Query::Text(pattern) => format!("text{}{}", pattern.open_start, pattern.open_end),
    }
}
