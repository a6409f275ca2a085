//! What the tests of this crate share: heads from a URL and a few headers.

use reeve_domain::host::Host;
use reeve_domain::operation::{Endpoint, Scheme};
use reeve_domain::path::RequestPath;

use crate::RequestHead;

/// `https://host[:port]/path`, as judged.
pub fn endpoint(method: &str, url: &str) -> Endpoint {
    let (scheme, rest) = url.split_once("://").unwrap();
    let scheme = if scheme == "http" { Scheme::Http } else { Scheme::Https };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = authority
        .split_once(':')
        .map_or((authority, scheme.default_port()), |(host, port)| (host, port.parse().unwrap()));
    let path = RequestPath::parse(if path.is_empty() { "/" } else { path }).unwrap();
    Endpoint { scheme, host: Host::parse(host).unwrap(), port, method: method.to_owned(), path }
}

pub fn head(method: &str, url: &str, headers: &[(&str, &str)]) -> RequestHead {
    let (url, query) = url.split_once('?').map_or((url, None), |(url, query)| (url, Some(query.to_owned())));
    let headers = headers
        .iter()
        .map(|(name, value)| {
            (::http::HeaderName::from_bytes(name.as_bytes()).unwrap(), ::http::HeaderValue::from_str(value).unwrap())
        })
        .collect();
    RequestHead { endpoint: endpoint(method, url), query, headers }
}
