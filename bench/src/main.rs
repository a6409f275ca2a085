//! Figures of one run, as ratios: `cargo run --release -p reeve-bench [proxy|mcp|policy|search]… [--events N]`. Absolute times
//! belong to the machine; what counts is what stands beside them: direct in the same run, and one flush of the same disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop"
)]

mod client;
mod figures;
mod machine;
mod mcp;
mod policy;
mod proxy;
mod search;
mod upstream;
mod world;

/// An operation that passed leaves two events, one that was denied leaves one.
const EVENTS: u64 = 1_000_000;

fn main() -> anyhow::Result<()> {
    let mut wanted = Vec::new();
    let mut events = EVENTS;
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|first| first == world::ENGINE).is_some() {
        let folder = arguments.next().ok_or_else(|| anyhow::anyhow!("`{}` needs a folder", world::ENGINE))?;
        return world::engine(folder.as_ref());
    }
    if arguments.next_if(|first| first == mcp::SERVER).is_some() {
        return mcp::serve();
    }
    if arguments.next_if(|first| first == mcp::WRAPPER).is_some() {
        let folder = arguments.next().ok_or_else(|| anyhow::anyhow!("`{}` needs a folder", mcp::WRAPPER))?;
        return mcp::wrap(folder.as_ref());
    }
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "proxy" | "mcp" | "policy" | "search" => wanted.push(argument),
            "--events" => {
                let number = arguments.next().ok_or_else(|| anyhow::anyhow!("`--events` needs a number"))?;
                events = number.parse().map_err(|_| anyhow::anyhow!("`{number}` is not a number of events"))?;
            }
            other => anyhow::bail!("`{other}` is none of proxy, mcp, policy, search, --events N"),
        }
    }
    let runs = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    if cfg!(debug_assertions) {
        println!("note: this is a debug build; the aims are for the release build");
    }
    if runs("policy") {
        policy::run()?;
    }
    if runs("proxy") {
        proxy::run()?;
    }
    if runs("mcp") {
        mcp::run()?;
    }
    if runs("search") {
        tokio::runtime::Runtime::new()?.block_on(search::run(events))?;
    }
    Ok(())
}
