//! What can go wrong in the demo's provider and agent.

use std::net::SocketAddr;

/// Why the provider did not start or the agent could not act.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error("cannot listen on `{address}`")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot set up TLS")]
    Tls(#[from] rustls::Error),
    #[error("the environment has no `{0}`: start the agent with `reeve run`")]
    NoVariable(&'static str),
    #[error("`{0}` is not a proxy address of the form `http://user:password@host:port`")]
    ProxyAddress(String),
    #[error("cannot read the certificate bundle `{file}`: {why}")]
    Bundle { file: String, why: String },
    #[error("the proxy answered CONNECT with `{0}`")]
    Connect(String),
    #[error("`{0}` is not a host name")]
    HostName(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("the exchange broke off: {0}")]
    Exchange(#[from] hyper::Error),
    #[error("not a request that can be sent: {0}")]
    Request(#[from] http::Error),
    #[error("the tools cannot be used: {0}")]
    Tools(String),
}

impl DemoError {
    /// Of what the MCP library says; its errors are many types.
    pub(crate) fn tools(error: impl std::fmt::Display) -> Self {
        Self::Tools(error.to_string())
    }
}
