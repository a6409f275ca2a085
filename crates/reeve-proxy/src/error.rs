//! Why the proxy cannot start or open a session. What goes wrong with one request is a refusal or a denial instead.

use std::path::PathBuf;

use crate::tls::authority::AuthorityError;
use crate::tls::upstream::RootsError;

#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("the proxy may listen on loopback only, not on `{0}`")]
    NotLoopback(std::net::SocketAddr),
    #[error("the proxy cannot listen on `{address}`")]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("[upstream] extra_roots: `{path}` cannot be read")]
    ReadRoot { path: PathBuf, source: std::io::Error },
    #[error("[upstream] extra_roots: {0}")]
    Roots(#[from] RootsError),
    #[error("{0}")]
    Config(String),
    #[error("the session's certificate authority cannot be made")]
    Authority(#[from] AuthorityError),
}
