//! Hosts, authorities and host patterns: one parser for names.

use serde::{Deserialize, Serialize};

/// A host as judged: lower-case ASCII LDH name without trailing dot, or an IP address in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Host {
    Name(String),
    Ip(std::net::IpAddr),
}
