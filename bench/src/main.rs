//! Figures of one run, as ratios: `cargo run --release -p reeve-bench [proxy|policy|search]…`. Absolute times belong to the
//! machine; what counts is what stands beside them: direct in the same run, and one flush of the same disk.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop"
)]

mod client;
mod figures;
mod policy;
mod proxy;
mod search;

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let all = wanted.is_empty();
    let runs = |name: &str| all || wanted.iter().any(|w| w == name);
    if cfg!(debug_assertions) {
        println!("note: this is a debug build; the aims are for the release build");
    }
    if runs("policy") {
        policy::run()?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if runs("proxy") {
        runtime.block_on(proxy::run())?;
    }
    if runs("search") {
        runtime.block_on(search::run())?;
    }
    Ok(())
}
