//! Contract, composition root and transports: what every shell talks to.

pub mod contract;
