//! Dialling: resolve once, check every address, connect to the checked one, verify its certificate for that name.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use bytes::BytesMut;
use http::header::{HeaderMap, HeaderValue, PROXY_AUTHORIZATION};
use reeve_domain::address::special;
use reeve_domain::host::{Authority, Host};
use reeve_domain::operation::Scheme;
use reeve_engine::settings::Upstream;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::{ForwardError, Route};
use crate::framing::reader::Reader;
use crate::framing::write::{self, Framing};
use crate::io::{BoxStream, Counting, Written};
use crate::tls::upstream::UpstreamTls;

/// Resolving, and each attempt to connect, may take this long; so may the TLS handshake.
const STEP: Duration = Duration::from_secs(10);
/// Addresses tried at most.
const ATTEMPTS: usize = 4;

/// Opens connections to upstreams.
pub(super) struct Dialer {
    /// Addresses that the user's own or managed configuration names; taken as they are.
    resolve: BTreeMap<String, SocketAddr>,
    proxy: Option<CorporateProxy>,
    tls: UpstreamTls,
    own_port: u16,
}

/// A proxy that upstream connections go through. It resolves the names, so only literal addresses can be checked.
struct CorporateProxy {
    authority: Authority,
    authorization: Option<HeaderValue>,
}

/// A connection that is ready for a request.
pub(super) struct Dialled {
    pub io: BoxStream,
    pub http2: bool,
    pub peer: SocketAddr,
    /// What left through its socket so far.
    pub written: Written,
}

impl Dialer {
    pub fn new(upstream: &Upstream, tls: UpstreamTls, own_port: u16) -> Result<Self, String> {
        let proxy = upstream.proxy.as_deref().map(CorporateProxy::parse).transpose()?;
        Ok(Self { resolve: upstream.resolve.clone(), proxy, tls, own_port })
    }

    /// Whether a connection that is open already may carry this request.
    pub fn may_reach(&self, route: &Route, peer: SocketAddr) -> bool {
        self.proxy.is_some() || self.configured(&route.authority).is_some() || self.check(route, peer).is_ok()
    }

    /// Opens a connection, over which the upstream may choose HTTP/2 only where that is offered.
    pub async fn dial(&self, route: &Route, http2: bool) -> Result<Dialled, ForwardError> {
        let tcp = match &self.proxy {
            Some(proxy) => self.through(proxy, route).await?,
            None => connect(&route.authority, &self.addresses(route).await?).await?,
        };
        let peer = tcp.peer_addr().map_err(|e| unreachable_because(&route.authority, &e))?;
        let tcp = Counting::new(tcp);
        match route.scheme {
            Scheme::Http => Ok(Dialled { written: tcp.written(), io: Box::new(tcp), http2: false, peer }),
            Scheme::Https => self.secure(tcp, route, peer, http2).await,
        }
    }

    fn configured(&self, authority: &Authority) -> Option<SocketAddr> {
        self.resolve.get(&authority.to_string()).copied()
    }

    /// The addresses to try, each of them checked.
    async fn addresses(&self, route: &Route) -> Result<Vec<SocketAddr>, ForwardError> {
        let authority = &route.authority;
        if let Some(address) = self.configured(authority) {
            self.check_own_port(authority, address)?;
            return Ok(vec![address]);
        }
        let addresses: Vec<SocketAddr> = match &authority.host {
            Host::Ip(ip) => vec![SocketAddr::new(*ip, authority.port)],
            Host::Name(name) => timeout(STEP, tokio::net::lookup_host((name.as_str(), authority.port)))
                .await
                .map_err(|_| ForwardError::Unreachable(format!("`{name}` was not resolved within 10 seconds")))?
                .map_err(|error| ForwardError::Unreachable(format!("`{name}` cannot be resolved: {error}")))?
                .collect(),
        };
        for address in &addresses {
            self.check(route, *address)?;
        }
        Ok(addresses)
    }

    fn check(&self, route: &Route, address: SocketAddr) -> Result<(), ForwardError> {
        self.check_own_port(&route.authority, address)?;
        match special(address.ip()) {
            Some(special) if !route.permitted.contains(address.ip()) => Err(ForwardError::Address {
                host: route.authority.host.to_string(),
                address: address.ip().to_string(),
                what: special.name,
                range: special.range,
            }),
            _ => Ok(()),
        }
    }

    /// No rule ever covers Reeve's own port.
    fn check_own_port(&self, authority: &Authority, address: SocketAddr) -> Result<(), ForwardError> {
        let local = address.ip().to_canonical().is_loopback() || address.ip().to_canonical().is_unspecified();
        if local && address.port() == self.own_port {
            return Err(ForwardError::OwnPort { host: authority.host.to_string() });
        }
        Ok(())
    }

    async fn secure(
        &self,
        tcp: Counting<TcpStream>,
        route: &Route,
        peer: SocketAddr,
        http2: bool,
    ) -> Result<Dialled, ForwardError> {
        let written = tcp.written();
        let authority = &route.authority;
        let name = match &authority.host {
            Host::Ip(ip) => ServerName::from(*ip),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| ForwardError::Unreachable(format!("`{name}` cannot be a TLS server name")))?,
        };
        let config = if http2 { &self.tls.any } else { &self.tls.http1 };
        let handshake = TlsConnector::from(config.clone()).connect(name, tcp);
        let tls = timeout(STEP, handshake)
            .await
            .map_err(|_| ForwardError::Unreachable(format!("TLS with `{authority}` took longer than 10 seconds")))?
            .map_err(|error| ForwardError::Unreachable(format!("TLS with `{authority}` failed: {error}")))?;
        let http2 = tls.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(Dialled { io: Box::new(tls), http2, peer, written })
    }

    async fn through(&self, proxy: &CorporateProxy, route: &Route) -> Result<TcpStream, ForwardError> {
        if let Host::Ip(ip) = &route.authority.host {
            self.check(route, SocketAddr::new(*ip, route.authority.port))?;
        }
        let failed = |why: String| ForwardError::Unreachable(format!("the configured upstream proxy {why}"));
        let (host, port) = (proxy.authority.host.to_string(), proxy.authority.port);
        let mut tcp = timeout(STEP, TcpStream::connect((host.as_str(), port)))
            .await
            .map_err(|_| failed("did not answer within 10 seconds".to_owned()))?
            .map_err(|error| failed(format!("cannot be reached: {error}")))?;
        no_delay(&tcp);
        let mut request = BytesMut::new();
        let target = route.authority.to_string();
        let mut headers = HeaderMap::new();
        headers.insert("host", HeaderValue::from_str(&target).map_err(|e| failed(e.to_string()))?);
        if let Some(authorization) = &proxy.authorization {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        write::request_head(&mut request, "CONNECT", &target, &headers, Framing::None);
        tcp.write_all(&request).await.map_err(|e| failed(e.to_string()))?;
        let mut reader = Reader::new(tcp, BytesMut::new());
        let head = timeout(STEP, reader.response_head())
            .await
            .map_err(|_| failed("did not answer within 10 seconds".to_owned()))?
            .map_err(|error| failed(format!("answered wrongly: {error}")))?;
        let (tcp, ahead) = reader.into_parts();
        match head {
            Some(head) if (200..300).contains(&head.status) && ahead.is_empty() => Ok(tcp),
            Some(head) => Err(failed(format!("refused the way to `{target}` with status {}", head.status))),
            None => Err(failed("closed the connection".to_owned())),
        }
    }
}

impl CorporateProxy {
    /// `http://host:port`, optionally with user and password.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("[upstream] proxy: {why}");
        let rest = text.strip_prefix("http://").ok_or_else(|| wrong("only `http://host:port` is supported"))?;
        let rest = rest.trim_end_matches('/');
        let (credentials, authority) = rest.rsplit_once('@').map_or((None, rest), |(c, a)| (Some(c), a));
        let authority = Authority::parse(authority, None).map_err(|error| wrong(&error.rule().to_string()))?;
        let authorization = credentials.map(|credentials| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(credentials);
            let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).map_err(|e| wrong(&e.to_string()))?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        Ok(Self { authority, authorization: authorization.transpose()? })
    }
}

/// Connects to the first of the checked addresses that answers, and makes sure that it is the one connected to.
async fn connect(authority: &Authority, addresses: &[SocketAddr]) -> Result<TcpStream, ForwardError> {
    let mut last = ForwardError::Unreachable(format!("`{}` has no address", authority.host));
    for address in addresses.iter().take(ATTEMPTS) {
        match timeout(STEP, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) if tcp.peer_addr().is_ok_and(|peer| peer == *address) => {
                no_delay(&tcp);
                return Ok(tcp);
            }
            Ok(Ok(_)) => last = ForwardError::Unreachable(format!("`{authority}` is not where it was resolved to")),
            Ok(Err(error)) => last = unreachable_because(authority, &error),
            Err(_) => last = ForwardError::Unreachable(format!("`{authority}` did not answer within 10 seconds")),
        }
    }
    Err(last)
}

fn unreachable_because(authority: &Authority, error: &std::io::Error) -> ForwardError {
    ForwardError::Unreachable(format!("`{authority}` cannot be reached: {error}"))
}

/// Without it small writes wait for acknowledgements: 40 ms on every stream event. A socket that refuses still works.
fn no_delay(tcp: &TcpStream) {
    if let Err(error) = tcp.set_nodelay(true) {
        tracing::debug!(%error, "a socket does not take TCP_NODELAY");
    }
}
