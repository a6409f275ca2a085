//! A policy decision at ten and at a thousand rules.

use std::time::{Duration, Instant};

use chrono::Utc;
use reeve_domain::host::Host;
use reeve_domain::id::{AgentId, OperationId, SessionId};
use reeve_domain::operation::{Digest, Endpoint, HttpCall, Operation, Scheme, Subject};
use reeve_domain::path::RequestPath;
use reeve_domain::principal::Principal;
use reeve_domain::settings::Preset;
use reeve_domain::verdict::Layer;
use reeve_policy::{Circumstances, PolicySet, Source};

use crate::figures::{Times, against, ratio, us};

pub fn run() -> anyhow::Result<()> {
    println!("policy decision");
    let small = measure(10)?;
    let large = measure(1000)?;
    println!("  10 rules   p50 {:>10}  p99 {:>10}", us(small.quantile(0.5)), us(small.quantile(0.99)));
    println!("  1000 rules p50 {:>10}  p99 {:>10}", us(large.quantile(0.5)), us(large.quantile(0.99)));
    println!("  1000 against 10 rules: {}", ratio(large.quantile(0.5), small.quantile(0.5)));
    against("decision at 1,000 rules, p50", large.quantile(0.5), Duration::from_micros(50));
    Ok(())
}

fn measure(rules: usize) -> anyhow::Result<Times> {
    let set = set(rules)?;
    let circumstances = Circumstances {
        now: Utc::now().fixed_offset(),
        first_seen: false,
        first_write: false,
        cwd: None,
        grants: Vec::new(),
    };
    let operations: Vec<Operation> = (0..64).map(operation).collect();
    let mut times = Times::default();
    for round in 0..20_000 {
        let operation = &operations[round % operations.len()];
        let begun = Instant::now();
        std::hint::black_box(set.evaluate(operation, &circumstances));
        times.push(begun.elapsed());
    }
    Ok(times)
}

/// A set of so many rules of one's own on top of the preset, for many agents and hosts, as a team's set would be.
pub fn set(rules: usize) -> anyhow::Result<PolicySet> {
    let source = Source { layer: Layer::Mine, file: "bench.cedar".to_owned(), text: text(rules) };
    Ok(PolicySet::load(Preset::Balanced, &[source], &[])?)
}

/// The rules as text.
pub fn text(rules: usize) -> String {
    (0..rules)
        .map(|n| {
            format!(
                "@id(\"rule-{n}\")\n@reason(\"rule {n}\")\nforbid (principal == Agent::\"agent-{}\", action == Action::\"http.request\", resource == Host::\"host-{}.example.com\") when {{ context.method == \"POST\" && context.path like \"/v{n}/*\" }};\n",
                n % 20,
                n % 50
            )
        })
        .collect()
}

fn operation(n: usize) -> Operation {
    let host = format!("host-{}.example.com", n % 50);
    let endpoint = Endpoint {
        scheme: Scheme::Https,
        host: Host::parse(&host).expect("a host"),
        port: 443,
        method: "POST".to_owned(),
        path: RequestPath::parse(&format!("/v{n}x/things")).expect("a path"),
    };
    Operation {
        id: OperationId::new(),
        at: Utc::now(),
        principal: Principal {
            agent: AgentId::parse(&format!("agent-{}", n % 20)).expect("an agent"),
            session: SessionId::new(),
            user: "bench".to_owned(),
            team: None,
        },
        content: Digest::of(host.as_bytes()),
        subject: Subject::Http(HttpCall::to(endpoint)),
        summary: format!("POST {host}"),
        conversation: None,
        credential: None,
        parent: None,
    }
}
