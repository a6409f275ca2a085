//! What the tests of the whole product share: a stage with a real engine and provider, the real agents, and the bill that
//! the provider's own usage comes to.

pub mod bill;
pub mod stage;
pub mod tools;
