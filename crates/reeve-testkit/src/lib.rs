//! Clocks, upstreams, agents and samples for tests.
