//! Proxy, policy, store and search figures, printed as ratios from one run.

fn main() {}
