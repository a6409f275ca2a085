//! The HTTP and LLM mouth: sockets, TLS, framing, masking, metering. It takes requests from agents on loopback, hands
//! each as an operation to the gate, and lets through what was admitted.

pub mod attribution;
pub mod body;
mod channel;
mod connect;
pub mod door;
mod error;
mod exchange;
mod forward;
pub mod framing;
pub mod io;
mod listener;
pub mod mask;
pub mod payload;
mod refusal;
pub mod tls;
pub mod tools;
mod trial;
pub mod websocket;

pub use error::ProxyError;
pub use exchange::PROBE_HOST;
pub use listener::{Proxy, ProxyOptions};
