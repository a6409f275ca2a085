//! Tests that need more than one crate: journeys, real agents, desktop, fail-closed, tamper.
